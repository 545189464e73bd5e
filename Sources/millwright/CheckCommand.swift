import ArgumentParser
import Devices
import Foundation
import Gateway
import Telemetry

/// `millwright check`: reads the whole configuration and touches nothing.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read the configuration and say what is wrong, with file, line and column.",
    discussion: """
      Reads millwright.yaml, devices/*.yaml, rules/*.yaml and the environment. Touches nothing:
      safe beside a running gateway. Ends with 1 when there is an error.

      EXAMPLES
        millwright check
        millwright check --config /etc/millwright/millwright.yaml
        millwright check --json | jq '.diagnostics[] | .message'
        millwright check --explain plant/line1/press1/telemetry
        millwright check --explain tele/plug/SENSOR --payload '{"ENERGY": {"Power": 12}}'
        millwright check --against plant.mwcap             what the rules would have done
        millwright check --against plant.mwcap --verbose --json
      """)

  @OptionGroup var place: ConfigurationOptions

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Tell which route, decoder, device, profile and unit a message on this topic would get, and why.",
      valueName: "topic"))
  var explain: String?

  @Option(help: ArgumentHelp("With --explain: the message, or @file.", valueName: "text"))
  var payload = ""

  @Option(help: ArgumentHelp("With --explain: its MQTT 5 content type.", valueName: "type"))
  var contentType = ""

  @Option(
    help: ArgumentHelp(
      "Tell what the rules would have done on a capture of `millwright record`.",
      valueName: "file"))
  var against: String?

  @Flag(help: "With --against: every transition of every alarm.")
  var verbose = false

  func run() async throws {
    if let against {
      return try await reporting {
        var report = try RuleReplay(configuration: try place.load(), hasTransitions: verbose)
        try report.play(against)
        print(json ? report.json : report.text)
      }
    }
    if let explain { return try await tell(explain) }
    let (configuration, diagnostics) = place.loader().load()
    if json {
      print(CheckReport(configuration, diagnostics).json)
    } else {
      for diagnostic in diagnostics { print(diagnostic) }
      print(CheckReport(configuration, diagnostics).text)
    }
    if configuration == nil { throw ExitCode(Failure.Status.failed.rawValue) }
  }

  private func tell(_ topic: String) async throws {
    try await reporting {
      let loaded = try place.load()
      var bytes = Array(payload.utf8)
      if payload.hasPrefix("@") {
        let path = String(payload.dropFirst())
        guard let content = FileManager.default.contents(atPath: path) else {
          throw Failure("\(path) cannot be read")
        }
        bytes = [UInt8](content)
      }
      let report = try ExplainReport(
        topic: topic, payload: bytes, contentType: contentType, configuration: loaded.devices,
        data: loaded.gateway.store.directory)
      print(report.text)
    }
  }
}

/// The outcome of a check in words and in JSON.
struct CheckReport {
  var configuration: LoadedConfiguration?
  var diagnostics: [Diagnostic]

  init(_ configuration: LoadedConfiguration?, _ diagnostics: [Diagnostic]) {
    self.configuration = configuration
    self.diagnostics = diagnostics
  }

  private var errors: Int { diagnostics.count { $0.severity == .error } }
  private var warnings: Int { diagnostics.count - errors }

  var text: String {
    guard let configuration else {
      return "\(counted(errors, "error")), \(counted(warnings, "warning"))"
    }
    let devices = configuration.devices
    let gateway = configuration.gateway
    let broker = gateway.mqtt.map { "\($0.host):\($0.port)" } ?? "none"
    return """
      ok: \(counted(configuration.readFiles.count, "file")), \(counted(warnings, "warning"))
        profiles  \(devices.profiles.count)
        devices   \(devices.devices.count)
        routes    \(devices.routes.count)
        rules     \(configuration.rules.rules.count)
        gateway   \(gateway.gatewayID)
        data      \(gateway.store.directory)
        broker    \(broker)
        http      \(gateway.http.host):\(gateway.http.port)
      """
  }

  var json: String {
    let list = diagnostics.map { diagnostic in
      JSONText.object([
        ("file", JSONText.quoted(diagnostic.file)), ("line", String(diagnostic.line)),
        ("column", String(diagnostic.column)),
        ("severity", JSONText.quoted(diagnostic.severity.rawValue)),
        ("message", JSONText.quoted(diagnostic.message)),
      ])
    }
    var members = [
      ("ok", configuration == nil ? "false" : "true"), ("errors", String(errors)),
      ("warnings", String(warnings)), ("diagnostics", "[" + list.joined(separator: ", ") + "]"),
    ]
    if let configuration {
      let files = configuration.readFiles.map { JSONText.quoted($0.name) }.joined(separator: ", ")
      members += [
        ("files", "[\(files)]"), ("profiles", String(configuration.devices.profiles.count)),
        ("devices", String(configuration.devices.devices.count)),
        ("routes", String(configuration.devices.routes.count)),
        ("rules", String(configuration.rules.rules.count)),
        ("data", JSONText.quoted(configuration.gateway.store.directory)),
      ]
    }
    return JSONText.object(members)
  }

  private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
