import ArgumentParser
import Devices
import Foundation
import Rules
import Telemetry

/// Time per sample and bytes per instance of rules.
struct RuleBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Nanoseconds a sample and bytes an instance of rules of several kinds.")

  @Option(help: "Devices, each with an instance of the rule.")
  var devices = 1_000

  @Option(help: "Samples of each device.")
  var samples = 1_000

  private static let profile = """
    profiles:
      - id: press
        metrics:
          temperature: {unit: °C, interval: 1 s}
          pressure: {unit: bar, interval: 1 s}
          state: {values: [running, idle]}
    """

  private static let kinds: [(name: String, when: String, more: String)] = [
    ("no rule on it", "pressure > 5 bar", ""),
    ("threshold", "temperature > 80 °C", ""),
    ("threshold for 30 s, deadband", "temperature > 80 °C", "for: 30 s, deadband: 2 K"),
    ("two signals, and/or", "temperature > 80 °C and pressure > 2 bar or temperature < 5 °C", ""),
    ("mean over 20 samples", "mean(temperature, 20 samples) > 80 °C", ""),
    ("mean over 5 min", "mean(temperature, 5 min) > 80 °C", ""),
    ("slope over 5 min", "slope(temperature, 5 min) > 1 K/min", ""),
    ("95th percentile over 5 min", "p95(temperature, 5 min) > 80 °C", ""),
    ("missing for 1 min", "missing(temperature, 1 min)", ""),
  ]

  func validate() throws {
    guard devices > 0, samples > 0 else {
      throw ValidationError("--devices and --samples are above 0.")
    }
  }

  func run() throws {
    var table = Table(["rule", "ns/sample", "bytes/instance"], rightAligned: [1, 2])
    for kind in Self.kinds { table.rows.append([kind.name] + (try measure(kind.when, kind.more))) }
    print(table.text)
  }

  private func measure(_ when: String, _ more: String) throws -> [String] {
    let yaml =
      "communication: {enabled: false}\nrules: [{id: r, scope: {profile: press}, when: '\(when)'\(more.isEmpty ? "" : ", " + more)}]"
    let loaded = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "bench.yaml", content: Self.profile)
    ])
    guard let configuration = loaded.configuration,
      let rules = RuleSet.read(
        [ConfigurationFile(name: "rules.yaml", content: yaml)], configuration: configuration
      ).rules
    else { throw Failure("the rule of the bench does not compile: \(when)") }
    var engine = RuleEngine(rules: rules)
    for index in 0..<UInt32(devices) {
      engine.define(
        device: DeviceDefinition(index: index, id: "press\(index)", profile: "press"))
    }
    for index in 0..<UInt32(devices) {
      for (offset, metric) in ["temperature", "pressure"].enumerated() {
        engine.define(
          series: SeriesDefinition(
            index: index * 2 + UInt32(offset), device: index, metric: metric, type: .number,
            kind: .gauge, unit: offset == 0 ? "Cel" : "bar"))
      }
    }
    let nanoseconds = run(&engine)
    return [
      Number.text(nanoseconds, decimals: 1), String(rules.rule("r")?.stateBytes ?? 0),
    ]
  }

  /// One sample a second of each device, all in one record.
  private func run(_ engine: inout RuleEngine) -> Double {
    let start: Int64 = 1_795_248_000_000_000
    var output = RuleOutput()
    var batch = [Sample](
      repeating: Sample(series: 0, time: .epoch, bits: 0), count: devices)
    var spent = Duration.zero
    for step in 0..<samples {
      let offset = Int64(step) * 1_000_000
      let time = Timestamp(microseconds: start + offset)
      for device in 0..<devices {
        // Below every limit: alarms are rare.
        let value = 60 + Double((step * 7 + device) % 13) / 10
        batch[device] = Sample(
          series: UInt32(device * 2), time: time, bits: value.bitPattern)
      }
      let moment = RecordMoment(
        sequence: UInt64(step + 1), wall: time, elapsedMicroseconds: 1 + offset)
      spent += ContinuousClock().measure {
        engine.observe(batch, at: moment, into: &output)
        engine.advance(to: moment, into: &output)
      }
      output.removeAll()
    }
    return spent / .nanoseconds(1) / Double(devices * samples)
  }
}
