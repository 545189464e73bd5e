import Devices
import FoundationEssentials
import Telemetry
import Testing

@testable import Rules

/// What is written for integrators is right.
@Suite struct DocumentTests {
  static let top = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  static func text(_ path: String) throws -> String {
    let bytes = try #require(FileManager.default.contents(atPath: top + "/" + path))
    return String(decoding: bytes, as: UTF8.self)
  }

  static func files(_ folder: String) throws -> [ConfigurationFile] {
    try FileManager.default.contentsOfDirectory(atPath: top + "/" + folder)
      .filter { $0.hasSuffix(".yaml") }.sorted()
      .map { ConfigurationFile(name: folder + "/" + $0, content: try text(folder + "/" + $0)) }
  }

  static func plant() throws -> DeviceConfiguration {
    let (configuration, _) = DeviceConfiguration.load(files: try files("devices"))
    return try #require(configuration)
  }

  @Test("The rules of the demo plant compile without a word")
  func demo() throws {
    let (rules, diagnostics) = RuleSet.read(
      try Self.files("rules"), configuration: try Self.plant())
    #expect(diagnostics.map(\.description) == [])
    #expect(try #require(rules).rules.count > 10)
  }

  @Test(
    "Every YAML example of the documents compiles without a word", arguments: ["rules", "alarms"])
  func examples(_ name: String) throws {
    let plant = try Self.plant()
    let blocks = try Self.text("docs/\(name).md").split(separator: "```yaml\n").dropFirst()
    #expect(!blocks.isEmpty)
    for (number, block) in blocks.enumerated() {
      let yaml = String(block.split(separator: "```")[0])
      let (rules, diagnostics) = RuleSet.read(
        [ConfigurationFile(name: "\(name).md#\(number + 1)", content: yaml)], configuration: plant)
      #expect(diagnostics.map(\.description) == [])
      #expect(rules != nil)
    }
  }

  @Test("Every key, function and place of the language is in the document")
  func complete() throws {
    let text = try Self.text("docs/rules.md")
    for name in ProgramBuilder.functionNames { #expect(text.contains(name), "\(name)") }
    for place in Template.Place.allCases {
      #expect(text.contains("`{\(place.rawValue)}`"), "\(place)")
    }
    for name in RuleActionReading.names { #expect(text.contains("- \(name)"), "\(name)") }
    let alarms = try Self.text("docs/alarms.md")
    for state in AlarmState.allCases { #expect(alarms.contains("`\(state.name)`"), "\(state)") }
    for cause in AlarmCause.allCases { #expect(alarms.contains("`\(cause.name)`"), "\(cause)") }
  }

  @Test("Of the demo rules each press has an alarm, each line one, and rules without scope one")
  func instances() throws {
    let plant = try Self.plant()
    let (rules, _) = RuleSet.read(try Self.files("rules"), configuration: plant)
    let rig = try RuleRig(rules: try #require(rules), configuration: plant)
    let keys = Set(rig.engine.alarms.map(\.key.description))
    for key in [
      "press_oil_hot@press1", "sensor_stuck@mill1", "cooling_lost", "machine_fault@conveyor1",
      "line_blocked@acme/linz/hall1/line1", "device_offline@meter1",
    ] {
      #expect(keys.contains(key), "\(key)")
    }
    #expect(!keys.contains("sensor_stuck@hmi1"), "a panel has no temperature")
    #expect(rig.engine.problems.isEmpty)
  }
}
