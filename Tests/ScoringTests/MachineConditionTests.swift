import Statistics
import Telemetry
import Testing

@testable import Scoring

@Suite("What is kept of a machine")
struct MachineConditionTests {
  static let start = Timestamp(rfc3339: "2026-11-01T00:00:00Z")!

  static func at(hours: Double) -> Timestamp { start.advanced(byHours: hours) }

  /// A press that is followed for tests: strokes, vibration while it runs, services.
  static let press: MaintainedMachine = {
    var machine = MaintainedMachine(.device("press1"))
    machine.running = .init(metric: "state", values: ["running"], timeoutMicroseconds: 300_000_000)
    machine.signals = [Feature("vibration", unit: "mm/s"), Feature("temperature", unit: "Cel")]
    machine.severity = .init(
      metric: "vibration", zones: SeverityZones.example("iso10816-3/2/rigid")!,
      holdMicroseconds: 60_000_000)
    machine.usage = .init(
      source: .counter(metric: "cycles", rollover: 1_000), unit: "strokes", initial: 100,
      perDay: 240)
    machine.services = [
      .init(
        id: "oil", interval: .runningHours(10), every: "10 h", text: Phrase("Change the oil"),
        component: ""),
      .init(
        id: "gauge", interval: .days(30), every: "30 d", text: Phrase("Calibrate the gauge"),
        component: "gauge"),
      .init(
        id: "belt", interval: .usage(500), every: "500 strokes", text: Phrase("Tighten the belt"),
        component: ""),
    ]
    return machine
  }()

  /// A day at a sample a minute: it runs all the time, ten strokes an hour.
  static func run(
    hours: Double, from: Double = 0, vibration: Double = 1, _ condition: inout MachineCondition,
    machine: MaintainedMachine = press
  ) {
    var minute = (from * 60).rounded()
    while minute <= (from + hours) * 60 {
      let time = at(hours: minute / 60)
      condition.take("state", .text("running"), at: time, machine)
      condition.take(
        "cycles", .number((minute / 6).rounded(.down).truncatingRemainder(dividingBy: 1_000)),
        at: time, machine)
      condition.take("vibration", .number(vibration), at: time, machine)
      condition.take("temperature", .number(40 + minute / 60), at: time, machine)
      minute += 1
    }
  }

  @Test("Usage, running hours and the rate of use follow from counter and state, over a rollover")
  func usage() throws {
    var condition = MachineCondition(Self.press)
    Self.run(hours: 120, &condition)
    // 1,200 strokes on a counter that turns over at 1,000, beside the 100 before.
    #expect(condition.usage.total == 1_300)
    #expect((condition.usage.runningHours - 120).magnitude < 1e-6)
    #expect(((try #require(condition.usage.perHour)) - 10).magnitude < 0.05)
    #expect(condition.age == 1_300)
    #expect(condition.periods == 120)
  }

  @Test(
    "A gap beyond the timeout counts neither as running nor as standing; a standstill is not judged"
  )
  func gaps() {
    var condition = MachineCondition(Self.press)
    Self.run(hours: 1, &condition)
    Self.run(hours: 1, from: 5, &condition)
    #expect((condition.usage.runningHours - 2).magnitude < 1e-6)
    #expect(condition.severity.zone == .a)
    condition.take("state", .text("idle"), at: Self.at(hours: 6.1), Self.press)
    for minute in 0..<30 {
      condition.take(
        "vibration", .number(9), at: Self.at(hours: 6.2 + Double(minute) / 60), Self.press)
    }
    #expect(condition.severity.zone == .a)
  }

  @Test("A zone changes after it lasted, with a little slack on the way down")
  func zones() {
    var watch = SeverityWatch()
    let zones = SeverityZones.example("iso10816-3/2/rigid")!
    func feed(_ value: Double, _ seconds: Range<Int>) -> [Int] {
      seconds.filter {
        watch.observe(
          value, at: Self.start.advanced(byMicroseconds: Int64($0) * 1_000_000), zones: zones,
          hold: 60_000_000)
      }
    }
    let early = feed(2, 0..<60)
    #expect(early == [] && watch.zone == nil)
    let first = feed(2, 60..<120)
    #expect(first == [60] && watch.zone == .b)
    // A knock of ten seconds is no zone.
    #expect(feed(3.1, 120..<130) == [] && feed(2, 130..<300) == [])
    let up = feed(3.1, 300..<500)
    #expect(up.count == 1 && up[0] >= 360 && up[0] < 420 && watch.zone == .c)
    #expect(feed(2.75, 500..<900) == [] && watch.zone == .c)
    #expect(feed(2.5, 900..<1_200).count == 1 && watch.zone == .b)
  }

  @Test("A replacement begins a new life, an inspection none, work on another part none")
  func lives() throws {
    var machine = Self.press
    machine.component = "bearing"
    var condition = MachineCondition(machine)
    Self.run(hours: 24, &condition, machine: machine)
    func told(_ kind: String, _ hours: Double, _ more: String = "") throws -> MaintenanceReport {
      let json = try JSONReader.read(
        Array(
          #"{"device_id": "press1", "kind": "\#(kind)", "start": "\#(Self.at(hours: hours).rfc3339)"\#(more)}"#
            .utf8))
      return try MaintenanceReport(reading: json)
    }
    condition.take(try told("inspection", 10), machine)
    #expect(condition.age == 340)
    let other = try told("replacement", 11, #", "component": "belt""#)
    let isItsLife = condition.take(other, machine)
    #expect(!isItsLife)
    #expect(condition.age == 340)
    // Told a day later: the log of the days says what the counter showed at noon.
    condition.take(try told("replacement", 12, #", "component": "bearing""#), machine)
    #expect(((try #require(condition.age)) - 120).magnitude < 1)
    #expect(condition.severity.zone == nil && condition.periods == 0)
    condition.take(try told("failure", 20), machine)
    #expect(condition.failures == 1)
    #expect(condition.history.lives.map(\.isFailure) == [false, true])
  }

  @Test("Services fall due by running hours, days and usage, and begin anew when they are done")
  func services() throws {
    var condition = MachineCondition(Self.press)
    Self.run(hours: 60, &condition)
    let now = Self.at(hours: 60)
    let before = condition.services(of: Self.press, at: now)
    #expect(before.map(\.isDue) == [true, false, true])
    #expect((before[1].used - 2.5).magnitude < 1e-9 && before[1].due == Self.at(hours: 720))
    let json =
      #"{"device_id": "press1", "kind": "preventive", "start": "\#(now.rfc3339)", "resets_life": false}"#
    condition.take(
      try MaintenanceReport(reading: try JSONReader.read(Array(json.utf8))), Self.press)
    let after = condition.services(of: Self.press, at: now)
    #expect(after.map(\.isDue) == [false, false, false])
    // The gauge is a part of its own: work on the machine did not serve it.
    #expect(after[0].used == 0 && after[1].used == before[1].used && after[2].used == 0)
    #expect(condition.age == 700)
  }

  @Test("Without a declared past nobody knows the age, until a life begins")
  func unknownAge() throws {
    var machine = Self.press
    machine.usage.initial = nil
    var condition = MachineCondition(machine)
    Self.run(hours: 12, &condition, machine: machine)
    #expect(condition.age == nil)
    let json =
      #"{"device_id": "press1", "kind": "replacement", "start": "\#(Self.at(hours: 12).rfc3339)"}"#
    condition.take(try MaintenanceReport(reading: try JSONReader.read(Array(json.utf8))), machine)
    #expect(condition.age == 0)
  }

  @Test("Saved and restored at any minute it goes on as if it had never stopped")
  func saved() throws {
    var whole = MachineCondition(Self.press)
    var cut = whole
    for hour in 0..<40 {
      let vibration = 1 + Double(hour) / 10
      Self.run(hours: 1, from: Double(hour), vibration: vibration, &whole)
      Self.run(hours: 1, from: Double(hour), vibration: vibration, &cut)
      cut = try Self.restored(cut)
    }
    #expect(Self.bytes(cut) == Self.bytes(whole))
    #expect(whole.severity.zone == .d)
  }

  static func bytes(_ condition: MachineCondition) -> [UInt8] {
    var writer = ByteWriter()
    condition.encode(into: &writer)
    return Array(writer.bytes)
  }

  static func restored(_ condition: MachineCondition) throws -> MachineCondition {
    try bytes(condition).withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      return try MachineCondition(from: &reader)
    }
  }

  @Test("Another configuration keeps what it does not concern")
  func adapted() {
    var condition = MachineCondition(Self.press)
    Self.run(hours: 30, vibration: 3, &condition)
    var other = Self.press
    other.signals = [Feature("vibration", unit: "mm/s")]
    other.services.removeFirst()
    let adapted = condition.adapted(from: Self.press, to: other)
    #expect(adapted.age == condition.age && adapted.severity.zone == .c)
    #expect(adapted.periods == 0 && adapted.row.count == MachineCondition.features(of: other).count)
    #expect(adapted.services(of: other, at: Self.at(hours: 30)).count == 2)
  }
}
