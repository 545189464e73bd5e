import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct CredentialsTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func write(_ text: String, _ name: String) throws {
    let path = scratch.path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private func load(_ environment: [String: String]) -> (LoadedConfiguration?, [String]) {
    let loader = ConfigurationLoader(
      file: scratch.path + "/millwright.yaml", environment: environment)
    let (loaded, diagnostics) = loader.load()
    return (loaded, diagnostics.map { "\($0)" })
  }

  @Test("Other paths name no credential")
  func otherPaths() {
    let credentials = Credentials(environment: ["CREDENTIALS_DIRECTORY": "/run/c"], base: "/etc")
    #expect(credentials.path(for: "mqtt-password") == nil)
    #expect(credentials.path(for: "/etc/credential:x") == nil)
  }

  @Test(
    "A credential is found under its own name, and under the name it has as part of a directory",
    arguments: ["mqtt", "millwright_mqtt"])
  func names(file: String) throws {
    try write("from systemd\n", "run/" + file)
    try write("mqtt: {password_file: 'credential:mqtt'}\n", "millwright.yaml")
    let (loaded, problems) = load(["CREDENTIALS_DIRECTORY": scratch.path + "/run"])
    #expect(problems == [])
    #expect(loaded?.gateway.mqtt?.password == "from systemd")
  }

  @Test("Without a service manager the file is read from credentials/ beside the configuration")
  func terminal() throws {
    try write("at hand\n", "credentials/mqtt")
    try write("secret key\n", "credentials/portal.key")
    try write(
      """
      mqtt:
        password_file: credential:mqtt
        tls: {key: "credential:client.key"}
      http: {keys: [{name: portal, file: "credential:portal.key"}]}
      """, "millwright.yaml")
    let (loaded, problems) = load([:])
    #expect(problems == [])
    #expect(loaded?.gateway.mqtt?.password == "at hand")
    #expect(loaded?.gateway.http.keys.first?.secret == "secret key")
    #expect(
      loaded?.gateway.mqtt?.tls?.keyFile == scratch.path + "/credentials/client.key")
  }

  @Test("The environment may name a credential too")
  func environment() throws {
    try write("from systemd\n", "run/mqtt")
    try write("mqtt: {}\n", "millwright.yaml")
    let (loaded, _) = load([
      "CREDENTIALS_DIRECTORY": scratch.path + "/run",
      "MILLWRIGHT_MQTT_PASSWORD_FILE": "credential:mqtt",
    ])
    #expect(loaded?.gateway.mqtt?.password == "from systemd")
  }

  @Test("A credential that is missing is told with its place")
  func missing() throws {
    try write("mqtt:\n  password_file: credential:none\n", "millwright.yaml")
    let (loaded, problems) = load(["CREDENTIALS_DIRECTORY": scratch.path + "/run"])
    #expect(loaded == nil)
    #expect(problems.count == 1)
    #expect(problems.first?.contains(":2:18: error: cannot read the secret") == true)
  }
}
