import Devices
import Operations
import Telemetry
import Testing

@testable import Gateway

@Suite("Indicators of closed shifts on the broker")
struct PublishedKPITests {
  private static let configuration: ProductionConfiguration = {
    var configuration = ProductionConfiguration()
    configuration.machines = [
      MachineDefinition(id: "press1", device: "press1", asset: "acme/hall1/line1/press1"),
      MachineDefinition(id: "mill", device: "mill7", asset: "acme/hall1/line1/mill"),
    ]
    configuration.lines = [LineDefinition(id: "line1", machines: ["press1", "mill"])]
    return configuration
  }()

  private static func report(_ kind: String, _ subject: String) throws -> ProductionReport {
    let kpis =
      #"{"oee": {"value": 0.75, "unit": "1"}, "mtbf": {"value": null, "unit": "s", "reason": "no failure"}}"#
    let result =
      kind == "line" ? #"{"oee_detail": {"value": 0.5, "unit": "1"}}"# : #"{"kpis": \#(kpis)}"#
    let content = try JSONReader.read(
      Array(
        #"{"shift": {"from": "2026-11-21T06:00:00Z", "to": "2026-11-21T14:00:00Z"}, "result": \#(result)}"#
          .utf8))
    return ProductionReport(
      kind: kind, subject: subject, part: "2026-11-21 early", version: 2, computed: .epoch,
      content: content)
  }

  private static func effects(_ kind: String, _ subject: String, at now: String) throws
    -> [JSONValue]
  {
    PublishedKPIs.effects(
      of: try report(kind, subject), configuration, at: try #require(Timestamp(rfc3339: now)))
  }

  @Test(
    "Each indicator has a retained topic at the place of the machine; one without a value is empty")
  func machine() throws {
    let effects = try Self.effects("machine", "press1", at: "2026-11-21T14:02:00Z")
    #expect(
      effects.map { $0["topic"]?.text } == [
        "kpi/acme/hall1/line1/press1/oee", "kpi/acme/hall1/line1/press1/mtbf",
      ])
    let oee = try #require(effects.first?["payload"]?.text)
    #expect(
      oee
        == #"{"value":0.75,"unit":"1","from":"2026-11-21T06:00:00Z","to":"2026-11-21T14:00:00Z","shift":"2026-11-21 early","version":2}"#
    )
    #expect(effects.last?["payload"]?.text == "")
    for value in effects { _ = try Effect(value, root: "millwright/a/") }
  }

  @Test("A device that is not called like its place and a line have topics of their own")
  func places() throws {
    let now = "2026-11-21T14:02:00Z"
    let mill = try Self.effects("machine", "mill", at: now)
    #expect(mill.first?["topic"]?.text == "kpi/acme/hall1/line1/mill/mill7/oee")
    let line = try Self.effects("line", "line1", at: now)
    #expect(line.map { $0["topic"]?.text } == ["kpi/acme/hall1/line1/oee"])
    #expect(try Self.effects("machine", "gone", at: now).isEmpty)
  }

  @Test(
    "A late version of an older shift does not take the place of a newer one, however long that was"
  )
  func late() throws {
    let yaml = """
      devices: [{id: press1, topic: press1}]
      machines: [{device: press1, states: {on: running}, calendar: plant}]
      calendars:
        - id: plant
          time_zone: UTC
          shifts:
            - {name: early, days: [sat], from: 06:00, to: 14:00}
            - {name: late, days: [sat], from: 14:00, to: 17:00}
      """
    let file = ConfigurationFile(name: "devices/plant.yaml", content: yaml)
    let devices = try #require(DeviceConfiguration.load(files: [file]).configuration)
    let loaded = ProductionConfiguration.load(files: [file], devices: devices)
    let configuration = try #require(loaded.configuration, "\(loaded.diagnostics)")
    for (now, isPublished) in [
      ("2026-11-21T14:02:00Z", true), ("2026-11-21T16:59:59Z", true),
      ("2026-11-21T17:00:00Z", false), ("2026-11-23T10:00:00Z", false),
    ] {
      let effects = PublishedKPIs.effects(
        of: try Self.report("machine", "press1"), configuration,
        at: try #require(Timestamp(rfc3339: now)))
      #expect(!effects.isEmpty == isPublished, "\(now)")
    }
    // The last one before a weekend stays the newest.
    var friday = try Self.report("machine", "press1")
    friday.content = try JSONReader.read(
      Array(
        #"{"shift": {"from": "2026-11-21T14:00:00Z", "to": "2026-11-21T17:00:00Z"}, "result": {"kpis": {"oee": {"value": 1, "unit": "1"}}}}"#
          .utf8))
    let sunday = try #require(Timestamp(rfc3339: "2026-11-22T20:00:00Z"))
    #expect(PublishedKPIs.effects(of: friday, configuration, at: sunday).count == 1)
  }
}
