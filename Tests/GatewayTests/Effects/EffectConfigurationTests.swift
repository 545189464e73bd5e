import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite("Configuration of what leaves")
struct EffectConfigurationTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func load(_ yaml: String) throws -> (GatewayConfiguration?, [String]) {
    let path = scratch.path + "/millwright.yaml"
    try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
    let (loaded, diagnostics) = ConfigurationLoader(file: path, environment: [:]).load()
    return (loaded?.gateway, diagnostics.map { "\($0)" })
  }

  @Test("Unless it is said, no mail leaves and webhooks go anywhere for a day")
  func defaults() throws {
    let (gateway, problems) = try load("gateway: edge\n")
    #expect(problems == [])
    #expect(gateway?.smtp == nil)
    #expect(gateway?.effects == EffectSettings())
    #expect(gateway?.effects.ageSecondsMax == 86_400)
  }

  @Test("All keys are read, and each kind of security has its port")
  func keys() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.path + "/credentials", withIntermediateDirectories: true)
    try Data("secret\n".utf8).write(
      to: URL(fileURLWithPath: scratch.path + "/credentials/smtp-password"))
    let (gateway, problems) = try load(
      """
      smtp:
        host: mail.example.com
        from: edge@plant.example
        username: edge
        password_file: credential:smtp-password
        security: tls
      effects:
        max_age: 6 h
        webhook_hosts: [Hooks.example.com, "*.plant.example", "10.0.0.7:1880"]
        concurrency: 8

      """)
    #expect(problems == [])
    #expect(
      gateway?.smtp
        == SMTPSettings(
          host: "mail.example.com", port: 465, from: "edge@plant.example", username: "edge",
          password: "secret", security: .tls))
    #expect(gateway?.effects.ageSecondsMax == 21_600)
    #expect(
      gateway?.effects.webhookHosts == ["hooks.example.com", "*.plant.example", "10.0.0.7:1880"])
    #expect(gateway?.effects.concurrency == 8)
    #expect(gateway?.credentials.secret(named: "smtp-password") == "secret")
    #expect(try load("smtp: {host: h, from: a@b}\n").0?.smtp?.port == 587)
  }

  @Test(
    "What does not fit is told with its place",
    arguments: [
      ("smtp: {from: a@b}", ":1:7: error: `host` is missing"),
      ("smtp: {host: h, from: nobody}", ":1:23: error: `nobody` is no mail address"),
      ("smtp: {host: h, from: a@b, security: ssl}", ":1:38: error: `ssl` is not one of"),
      ("smtp: {host: h, from: a@b, password_file: none}", ":1:43: error: cannot read the secret"),
      ("effects: {webhook_hosts: ['https://h/']}", ":1:27: error: `https://h/` is no host"),
      ("effects: {max_age: 5 s}", ":1:20: error: an age below 1 min"),
      ("effects: {concurency: 3}", "did you mean `concurrency`?"),
    ])
  func problems(yaml: String, problem: String) throws {
    let (gateway, problems) = try load(yaml + "\n")
    #expect(gateway == nil)
    #expect(problems.contains { $0.contains(problem) }, "\(problems)")
  }
}
