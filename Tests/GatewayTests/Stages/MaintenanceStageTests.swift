import Devices
import Storage
import Telemetry
import Testing

@testable import Gateway
@testable import Scoring

/// Records of one machine, a sample each, as the ingest thread would commit them.
@Suite("Maintenance behind the commit")
struct MaintenanceStageTests {
  private static let yaml = """
    profiles:
      - id: press
        metrics:
          state: {values: [running, setup]}
          program: {kind: state}
          cycles: {kind: counter}
          vibration: {unit: mm/s}
    devices:
      - {id: press1, profile: press}
    machines:
      - {device: press1, states: {running: running, setup: setup}, product: program}
    maintenance:
      topics: ["plant/+/maintenance", "shop/#"]
      machines:
        - device: press1
          running: {metric: state, values: [running]}
          signals: [vibration]
          zones: {metric: vibration, limits: [1.4, 2.8, 4.5], hold: 1 min}
          usage: {counter: cycles, unit: strokes, initial: 0}
          services: [{id: oil, every: 600 strokes, text: Change the oil}]
    """

  /// Drives stages by hand.
  private struct World {
    var stages = Stages()
    var resolver = Resolver()
    var sequence: UInt64 = 0
    var seconds: Int64 = 0
    /// From one reading to the next, in s.
    var step: Int64 = 60
    var events: [Event] = []
    static let start = Timestamp(rfc3339: "2026-11-01T00:00:00Z")!

    init(yaml: String = MaintenanceStageTests.yaml) throws {
      var effective = EffectiveSettings()
      effective.devices = "devices"
      effective.rules = "rules"
      effective.learningMicroseconds = 3_600_000_000
      let file = ConfigurationFile(name: "devices/test.yaml", content: yaml)
      let (devices, problems) = DeviceConfiguration.load(files: [file])
      let configuration = try #require(devices, "\(problems)")
      var batch = Batch()
      batch.items = [.started(version: "1"), .configuration(files: [file, effective.file])]
      batch.items += resolver.reconfigure(configuration).items
      batch.endDelivery(packetID: 0)
      apply(batch)
    }

    var now: Timestamp { Self.start.advanced(byMicroseconds: seconds * 1_000_000) }

    mutating func apply(_ batch: Batch) {
      sequence += 1
      var output = StageOutput()
      stages.apply(
        RecordHeader(
          sequence: sequence, bootID: 1, monotonicMicroseconds: seconds * 1_000_000 + 1, wall: now,
          clockQuality: .synchronized), batch, into: &output)
      events += output.events.map(\.event)
    }

    /// A reading of the press, then time passes.
    mutating func read(vibration: Double, state: String = "running", program: String = "a") {
      let strokes = seconds / 6
      let json = """
        {"device_id": "press1", "timestamp": "\(now.rfc3339)", "metrics": {"state": "\(state)",
         "program": "\(program)", "cycles": \(strokes), "vibration": \(vibration)}}
        """
      var batch = Batch()
      Array(json.utf8).withUnsafeBytes { payload in
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        _ = resolver.resolve(
          IncomingMessage(
            topic: none, contentType: none, payload: payload, received: now,
            monotonicMicroseconds: seconds * 1_000_000, forcedFormat: .device), into: &batch)
      }
      batch.endDelivery(packetID: 0)
      apply(batch)
      seconds += step
    }

    mutating func tell(_ kind: String, at time: Timestamp? = nil, _ more: String = "") {
      var batch = Batch()
      let properties = #"{"kind": "\#(kind)", "start": "\#((time ?? now).rfc3339)"\#(more)}"#
      batch.items = [
        .event(
          Event(
            id: "e\(sequence)", name: "MaintenanceEvent", time: now, device: "press1",
            properties: properties))
      ]
      batch.endDelivery(packetID: 0)
      apply(batch)
    }

    var told: [String] {
      events.filter { $0.name == "MaintenanceRecommended" }.compactMap {
        let properties = try? JSONReader.read(Array($0.properties.utf8))  // Written by the stages.
        return properties?["code"]?.text
      }
    }

    func anomalies() -> Int { events.count { $0.name == "AnomalyStarted" } }
  }

  @Test("A zone, a service and the work after them are each told once, with what they rest on")
  func recommendations() throws {
    var world = try World()
    for minute in 0..<30 { world.read(vibration: 2 + Double(minute % 2) / 100) }
    #expect(world.told == [])
    for _ in 0..<10 { world.read(vibration: 3.2) }
    #expect(world.told == ["plan_repair"])
    for _ in 0..<10 { world.read(vibration: 6) }
    #expect(world.told == ["plan_repair", "stop_and_repair"])
    // 600 strokes are an hour: the service falls due beside the repair.
    for _ in 0..<15 { world.read(vibration: 6) }
    #expect(world.told == ["plan_repair", "stop_and_repair", "service_due"])
    let last = try #require(world.events.last { $0.name == "MaintenanceRecommended" })
    #expect(last.device == "press1" && last.properties.contains(#""zone":"D""#))
    world.tell("replacement")
    #expect(world.told.last == "no_action")
    for _ in 0..<10 { world.read(vibration: 1) }
    #expect(world.told.count == 4)
    let machine = world.stages.maintenance.machines[0]
    #expect(machine.condition.severity.zone == .a)
    #expect(try #require(machine.condition.age) <= 100)
  }

  @Test("An event that says nothing usable, or is about nobody, moves nothing")
  func unusable() throws {
    var world = try World()
    for _ in 0..<10 { world.read(vibration: 2) }
    let before = world.stages.maintenance.machines[0].condition.age
    world.tell("mend")
    world.tell("replacement", #", "device_id": "nobody""#)
    #expect(world.stages.maintenance.machines[0].condition.age == before)
    #expect(world.stages.maintenance.machines[0].condition.failures == 0)
  }

  /// Anomalies when vibration leaps, within its declared range, three days after the machine was first seen; what changes happens five hours
  /// before.
  private func oddness(_ change: (inout World) -> Void, program: String = "a") throws -> Int {
    var world = try World()
    world.step = 600
    for minute in 0..<400 { world.read(vibration: 2 + Double(minute % 5) / 10) }
    change(&world)
    for minute in 0..<30 { world.read(vibration: 2 + Double(minute % 5) / 10, program: program) }
    let before = world.anomalies()
    for _ in 0..<3 { world.read(vibration: 9, program: program) }
    return world.anomalies() - before
  }

  @Test("Maintenance lets detectors begin anew; an inspection and what is long past do not")
  func resets() throws {
    #expect(try oddness { _ in } > 0)
    #expect(try oddness { $0.tell("inspection") } > 0)
    #expect(try oddness { $0.tell("repair", at: Timestamp(rfc3339: "2026-10-01T00:00:00Z")!) } > 0)
    #expect(try oddness { $0.tell("repair") } == 0)
  }

  @Test("A program that is new to a machine is learned, one that it knows is not")
  func recipes() throws {
    #expect(try oddness({ _ in }, program: "b") == 0)
    let known = try oddness(
      { world in
        for _ in 0..<5 { world.read(vibration: 2, program: "b") }
        for minute in 0..<400 { world.read(vibration: 2 + Double(minute % 5) / 10) }
      }, program: "b")
    #expect(known > 0)
  }

  @Test("Models come by command, and a replay has the same ones")
  func models() throws {
    var world = try World()
    world.read(vibration: 2)
    let machine = world.stages.maintenance.machines[0].definition
    let set = MaintenanceModelSet(
      scope: "press1", version: 3, trainedAt: World.start, labelledFailures: 6,
      features: MachineCondition.features(of: machine), periodMicroseconds: 3_600_000_000,
      usageUnit: "strokes",
      models: [
        ScoringModel(
          reference: ModelReference(name: "press1/age", version: 3, trainedAt: World.start),
          features: [Feature("age", unit: "strokes")],
          kind: .weibull(.init(shape: 2, scale: 9_000)),
          output: .probability(horizon: nil, calibration: .identity))
      ], report: "{}")
    var batch = Batch()
    batch.items = [.command(set.command(principal: "anna"))]
    batch.endDelivery(packetID: 0)
    world.apply(batch)
    #expect(world.stages.maintenance.sets == [set])
    let restored = try Stages(encoded: world.stages.encoded)
    #expect(restored.maintenance.sets == [set] && restored.encoded == world.stages.encoded)
    #expect(restored.maintenance.registry.current("press1/age")?.reference.version == 3)
  }

  @Test("Topics of maintenance events are told from others")
  func topics() throws {
    let stage = try World().stages.maintenance
    for (topic, isHeard) in [
      ("plant/line1/maintenance", true), ("plant/line1/telemetry", false),
      ("plant/maintenance", false),
      ("plant/a/b/maintenance", false), ("shop/a/b", true), ("shop", true), ("", false),
    ] {
      Array(topic.utf8).withUnsafeBytes { #expect(stage.hears($0) == isHeard, "\(topic)") }
    }
  }
}
