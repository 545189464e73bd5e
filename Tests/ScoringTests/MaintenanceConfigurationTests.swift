import Devices
import Foundation
import Statistics
import Telemetry
import Testing

@testable import Scoring

@Suite("Maintenance in devices/*.yaml")
struct MaintenanceConfigurationTests {
  static let plant = """
    profiles:
      - id: press
        metrics:
          state: {values: [running, idle]}
          cycles: {kind: counter, rollover: 1000}
          vibration: {unit: mm/s}
          temperature: {unit: °C}
    devices:
      - {id: press1, profile: press, asset: plant/line1/press1}

    """

  static func load(
    _ text: String
  ) throws -> (configuration: MaintenanceConfiguration?, diagnostics: [Diagnostic]) {
    let file = ConfigurationFile(name: "devices/test.yaml", content: plant + text)
    let (devices, problems) = DeviceConfiguration.load(files: [file])
    try #require(problems.isEmpty, "\(problems)")
    return MaintenanceConfiguration.load(files: [file], devices: devices)
  }

  static func machine(_ entry: String, currency: String = "EUR") throws -> MaintainedMachine {
    let (configuration, problems) = try load(
      "maintenance:\n  currency: \(currency)\n  machines:\n    - {device: press1, \(entry)}\n")
    try #require(problems.isEmpty, "\(problems)")
    return try #require(configuration?.machines.first)
  }

  @Test("An entry is read whole, with units, rollover and costs worked out")
  func whole() throws {
    let machine = try Self.machine(
      """
      component: bearing, installed: 2026-03-01, running: {metric: state, values: [running]},
            signals: [vibration, temperature], zones: {metric: vibration, limits: iso10816-3/2/rigid, hold: 30 s},
            usage: {counter: cycles, unit: strokes, initial: 5, per_day: 240}, prior: {shape: 2, scale: 9000},
            services: [{id: oil, every: 250 h}, {id: gauge, every: 2 w}, {id: belt, every: "50,000 strokes"}],
            costs: {failure: 1000, planned: 200, downtime_per_hour: 50, failure_hours: 10, planned_hours: 2},
            lead_time: 3 d, actions: {D: {code: stop, text: Stop it, text_pt: Pare}}
      """)
    #expect(machine.subject == .device("press1"))
    #expect(
      machine.signals == [Feature("vibration", unit: "mm/s"), Feature("temperature", unit: "Cel")])
    #expect(machine.severity?.zones.limits == [1.4, 2.8, 4.5])
    #expect(machine.severity?.holdMicroseconds == 30_000_000)
    #expect(machine.usage.source == .counter(metric: "cycles", rollover: 1_000))
    #expect(machine.services.map(\.interval) == [.runningHours(250), .days(14), .usage(50_000)])
    #expect(machine.costs?.failure == 1_500 && machine.costs?.planned == 300)
    #expect(machine.actions[.zoneD]?.text.portuguese == "Pare")
    #expect(machine.prior == Weibull(shape: 2, scale: 9_000))
  }

  @Test("Limits in another unit are converted to that of the metric")
  func units() throws {
    let machine = try Self.machine(
      "zones: {metric: vibration, limits: [0.001, 0.002, 0.004], unit: m/s}")
    let limits = try #require(machine.severity?.zones.limits)
    #expect(zip(limits, [1, 2, 4]).allSatisfy { ($0 - $1).magnitude < 1e-9 })
  }

  @Test(
    "A mistake is reported where it is, with what was meant",
    arguments: [
      ("{device: pres1}", "unknown device `pres1`, did you mean `press1`?"),
      ("{profile: pres}", "unknown profile `pres`, did you mean `press`?"),
      ("{asset: plant/line1/press2}", "no device is declared at `plant/line1/press2`"),
      ("{signals: [vibration]}", "give one of `device`, `asset` and `profile`"),
      ("{device: press1, profile: press}", "give one of `device`, `asset` and `profile`"),
      ("{device: press1, signals: [vibratoin]}", "did you mean `vibration`?"),
      ("{device: press1, signals: [state]}", "`state` is a text, and a number is needed here"),
      ("{device: press1, signals: [vibration, vibration]}", "`vibration` is listed twice"),
      (
        "{device: press1, zones: {metric: vibration, limits: iso10816-3/2/rigit}}",
        "did you mean `iso10816-3/2/rigid`?"
      ),
      ("{device: press1, zones: {metric: vibration, limits: [3, 2, 1]}}", "three rising numbers"),
      ("{device: press1, zones: {metric: vibration}}", "`limits` is missing"),
      (
        "{device: press1, zones: {metric: vibration, limits: [1, 2, 3], unit: bar}}",
        "these do not convert"
      ), ("{device: press1, usage: {counter: vibration}}", "`vibration` is a gauge, not a counter"),
      ("{device: press1, usage: {hours: runing}}", "did you mean `running`?"),
      ("{device: press1, usage: {hours: running}}", "running hours need `running`"),
      ("{device: press1, usage: {initial: 5}}", "`usage` has either `counter`"),
      ("{device: press1, usage: {counter: cycles, initial: -5}}", "`initial` must not be negative"),
      ("{device: press1, prior: {shape: 0, scale: 5}}", "`shape` is above 0"),
      ("{device: press1, prior: {shape: 2}}", "`scale` is missing"),
      ("{device: press1, services: [{every: often}]}", "`often` is no interval"),
      ("{device: press1, services: [{every: 250 h}]}", "`h` are running hours and need `running`"),
      (
        "{device: press1, usage: {counter: cycles, unit: strokes}, services: [{every: 5 stroke}]}",
        "did you mean `strokes`?"
      ), ("{device: press1, services: [{every: 5 d}, {every: 5 d}]}", "there are two services"),
      ("{device: press1, costs: {failure: 5, planned: 1}}", "costs need a `currency`"),
      (
        "{device: press1, actions: {E: {code: x, text: y}}}",
        "`E` is not one of `C`, `D`, `failure`"
      ),
      ("{device: press1, lead_tim: 5 d}", "unknown key `lead_tim`, did you mean `lead_time`?"),
      ("{device: press1}\n    - {device: press1}", "has an entry already, at devices/test.yaml:"),
    ])
  func mistakes(_ entry: String, _ words: String) throws {
    let (_, problems) = try Self.load("maintenance:\n  machines:\n    - \(entry)\n")
    #expect(problems.contains { $0.message.contains(words) }, "\(problems)")
    #expect(problems.allSatisfy { $0.line > 11 && $0.column > 0 })
  }

  @Test("A device's own entry counts before that of its profile")
  func precedence() throws {
    let (configuration, problems) = try Self.load(
      """
      maintenance:
        machines:
          - {profile: press, component: any}
          - {device: press1, component: own}
      """)
    try #require(problems.isEmpty, "\(problems)")
    #expect(configuration?.machine(device: "press1", profile: "press")?.component == "own")
    #expect(configuration?.machine(device: "press9", profile: "press")?.component == "any")
    #expect(configuration?.machine(device: "mill1", profile: "") == nil)
  }

  @Test("The example file of this repository has no mistakes")
  func example() throws {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("devices")
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map {
      ConfigurationFile(
        name: $0,
        content: try String(contentsOf: directory.appendingPathComponent($0), encoding: .utf8))
    }
    let (devices, _) = DeviceConfiguration.load(files: files)
    let (configuration, problems) = MaintenanceConfiguration.load(files: files, devices: devices)
    #expect(problems.isEmpty, "\(problems)")
    #expect(configuration?.machines.count == 3)
  }
}
