import Devices
import Telemetry
import TestSupport
import Testing

@testable import Rules

/// Replaying, restoring and changing rules.
@Suite struct ContinuationTests {
  static let yaml = """
    schedules:
      - {id: early, from: "08:00", to: "08:05"}
    rules:
      - {id: hot, scope: {profile: press}, when: temperature > 80 °C, for: 2 s, deadband: 4 K, suppressed_by: [cold_water]}
      - {id: mean, scope: {profile: press}, when: "mean(pressure, 20 s) > 5 bar or p95(speed, 30 s) > 900 1/min", latched: true, priority: critical}
      - {id: gone, scope: {profile: press}, when: "missing(temperature, 6 s)", at_most_once_per: 30 s, actions: [alarm, log]}
      - {id: order, scope: {profile: press}, when: "jam then state == \\"fault\\" within 5 s", schedule: early}
      - {id: cold_water, scope: {asset: "acme/hall/line*"}, when: "./pump/flow < 20 m³/h and ./press/power > 50 kW"}
      - {id: parts, scope: {profile: press}, when: "rate(cycles, 10 s) < 2 {count}/s", off_delay: 3 s}
      - {id: still, scope: {device: press1}, when: "stuck(pressure, 5 s) or hysteresis(speed, 300 1/min, 700 1/min)", priority: low}
      - {id: presses, scope: {profile: press}, when: "count_of(button == \\"stop\\", 20 s) >= 2 or stddev(pressure, 5 samples) > 4 bar", min_coverage: 10 %}
    """

  enum Step {
    case samples([(String, Value, Double, Quality)])
    case tick
    case offline(UInt32)
    case restarted
    case command(AlarmCommand.Action, String, String)
    case event
  }

  /// A run of the plant: the same for a seed.
  static func steps(_ seed: UInt64, count: Int) -> [(at: Double, step: Step)] {
    var random = SeededGenerator(seed: seed)
    var at = 0.0
    let rules = ["hot", "mean", "gone", "order", "parts", "device_offline", "presses"]
    return (0..<count).map { _ in
      at += Double(Int.random(in: 1...2_500, using: &random)) / 1_000
      let device = ["press1", "press2"].randomElement(using: &random) ?? "press1"
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<3: return (at, .tick)
      case 3..<5: return (at, .offline(UInt32.random(in: 0..<3, using: &random)))
      case 5: return (at, .restarted)
      case 6..<14:
        let actions: [AlarmCommand.Action] = [
          .acknowledge, .acknowledge, .reset, .shelve(.seconds(7)), .unshelve, .suppress,
          .unsuppress, .takeOutOfService, .returnToService,
        ]
        return (
          at,
          .command(
            actions.randomElement(using: &random) ?? .acknowledge,
            rules.randomElement(using: &random) ?? "hot", device)
        )
      default:
        let quality: Quality =
          [.good, .good, .good, .good, .uncertain, .bad].randomElement(using: &random) ?? .good
        let late = Int.random(in: 0..<10, using: &random) == 0 ? -3.0 : 0
        let list: [(String, Value)] = [
          ("temperature", .number(Double.random(in: 60...95, using: &random))),
          ("pressure", .number(Double.random(in: 0...10, using: &random).rounded())),
          ("speed", .number(Double.random(in: 0...1_000, using: &random))),
          ("cycles", .number(Double(Int(at) * 3 % 1_000))),
          ("jam", .boolean(Bool.random(using: &random))),
          ("state", .text(Bool.random(using: &random) ? "fault" : "running")),
          ("power", .number(Double.random(in: 0...100, using: &random))),
          ("button", .text("stop")),
        ]
        var samples = list.filter { _ in Bool.random(using: &random) }.map {
          ("\(device)/\($0.0)", $0.1, at + late, quality)
        }
        samples.append(
          ("pump1/flow", .number(Double.random(in: 0...60, using: &random)), at, .good))
        return (at, .samples(samples))
      }
    }
  }

  static func apply(_ item: (at: Double, step: Step), to rig: inout RuleRig) {
    rig.advance(to: item.at)
    switch item.step {
    case .tick, .event: break
    case .offline(let device): rig.goneOffline(device, at: item.at)
    case .restarted: rig.engine.restarted(at: rig.moment(item.at))
    case .command(let action, let rule, let source):
      // Refusals are part of what is compared: they change nothing.
      _ = rig.command(action, rule, source)
    case .samples(let list):
      let samples = list.map { rig.sample($0.0, $0.1, at: $0.2, quality: $0.3) }
      rig.engine.observe(samples, at: rig.moment(item.at), into: &rig.output)
      rig.engine.advance(to: rig.moment(item.at), into: &rig.output)
    }
    for record in rig.engine.alarmRecords { record.machine.checkInvariants() }
  }

  @Test(
    "An engine restored anywhere goes on bit for bit as one that never stopped", arguments: 0..<12)
  func restores(_ seed: UInt64) throws {
    let steps = Self.steps(seed, count: 400)
    var straight = try RuleRig(Self.yaml)
    var broken = try RuleRig(Self.yaml)
    var random = SeededGenerator(seed: seed &+ 77)
    for item in steps {
      Self.apply(item, to: &straight)
      if Int.random(in: 0..<25, using: &random) == 0 { try broken.restart() }
      Self.apply(item, to: &broken)
    }
    #expect(straight.output.transitions.count > 20)
    #expect(straight.output == broken.output)
    #expect(straight.saved == broken.saved)
  }

  @Test("How samples are cut into calls makes no difference")
  func cuts() throws {
    var whole = try RuleRig(Self.yaml)
    var pieces = try RuleRig(Self.yaml)
    for item in Self.steps(5, count: 200) {
      guard case .samples(let list) = item.step else { continue }
      whole.advance(to: item.at)
      pieces.advance(to: item.at)
      let samples = list.map { whole.sample($0.0, $0.1, at: $0.2, quality: $0.3) }
      let same = list.map { pieces.sample($0.0, $0.1, at: $0.2, quality: $0.3) }
      whole.engine.observe(samples, at: whole.moment(item.at), into: &whole.output)
      for sample in same {
        pieces.engine.observe([sample], at: pieces.moment(item.at), into: &pieces.output)
      }
    }
    #expect(!whole.output.transitions.isEmpty)
    #expect(whole.output.transitions == pieces.output.transitions)
  }

  @Test("Damaged state is refused and changes nothing", arguments: 0..<4)
  func damage(_ seed: UInt64) throws {
    var rig = try RuleRig(Self.yaml)
    for item in Self.steps(seed, count: 60) { Self.apply(item, to: &rig) }
    let bytes = rig.saved
    var random = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      let cut = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
      var output = RuleOutput()
      let moment = rig.moment(rig.now)
      var engine = rig.engine
      #expect(throws: ByteReader.Truncated.self) {
        try cut.withUnsafeBytes { bytes in
          var reader = ByteReader(bytes)
          try engine.restore(from: &reader, at: moment, into: &output)
        }
      }
      var out = ByteWriter()
      engine.encode(into: &out)
      #expect(Array(out.bytes) == bytes)
    }
  }

  @Test("A changed rule ends its alarm, a text that changed does not, a deleted rule ends it too")
  func replaced() throws {
    let more = "rules: [{id: s, scope: {profile: press}, when: pressure > 3 bar}]"
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C"))
    rig.send("press1/temperature", 90, at: 1)
    _ = rig.command(.acknowledge)
    rig.engine.replace(
      rules: try RuleRig.rules(RuleRig.one("temperature > 80 °C", "priority: low\ntext: hot")),
      at: rig.moment(2), into: &rig.output)
    #expect(rig.state() == .acknowledged)
    rig.engine.replace(
      rules: try RuleRig.rules(RuleRig.one("temperature > 85 °C")), at: rig.moment(3),
      into: &rig.output)
    #expect(
      rig.log.last == "1 r@press1 acknowledged>normal rule_changed".replacing("1 r", with: "3 r"))
    rig.send("press1/temperature", 90, at: 4)
    #expect(rig.state() == .unacknowledged)
    _ = rig.command(.shelve(.seconds(600)))
    rig.engine.replace(
      rules: try RuleRig.rules(RuleRig.one("temperature > 70 °C")), at: rig.moment(5),
      into: &rig.output)
    #expect(rig.state() == .shelved, "what an operator decided stays")
    _ = rig.command(.unshelve)
    rig.send("press1/temperature", 90, at: 6)
    rig.engine.replace(rules: try RuleRig.rules(more), at: rig.moment(7), into: &rig.output)
    #expect(rig.log.last == "7 r@press1 unacknowledged>normal rule_removed")
    #expect(rig.state() == nil)
    rig.send("press1/pressure", 9, at: 8)
    #expect(rig.state("s") == .unacknowledged)
  }

  @Test(
    "Rules may become fewer: what is left keeps its alarm, and the alarm of one that is gone ends as it was"
  )
  func fewer() throws {
    let both = """
      rules:
        - {id: low, scope: {profile: press}, when: pressure > 3 bar, priority: low}
        - {id: high, scope: {profile: press}, when: temperature > 80 °C, priority: critical}
      """
    for (left, gone, priority) in [("low", "high", AlarmPriority.critical), ("high", "low", .low)] {
      var rig = try RuleRig(both)
      rig.send("press1/temperature", 90, at: 1)
      rig.send("press1/pressure", 9, at: 1)
      let one = both.split(separator: "\n").filter { !$0.contains("id: \(gone)") }
      rig.output = RuleOutput()
      rig.engine.replace(
        rules: try RuleRig.rules(one.joined(separator: "\n")), at: rig.moment(2), into: &rig.output)
      #expect(rig.output.transitions.map(\.cause) == [.ruleRemoved])
      #expect(rig.output.transitions.first?.priority == priority)
      #expect(rig.state(gone) == nil)
      #expect(rig.state(left) == .unacknowledged)
    }
  }

  @Test("Rules that changed while the gateway was down end their alarms at the start")
  func changedWhileDown() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C"))
    rig.send("press1/temperature", 90, at: 1)
    let bytes = rig.saved
    var fresh = RuleEngine(rules: try RuleRig.rules(RuleRig.one("temperature > 81 °C")))
    for item in rig.catalog { fresh.define(item) }
    var output = RuleOutput()
    try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      try fresh.restore(from: &reader, at: rig.moment(2), into: &output)
    }
    #expect(output.transitions.map(\.cause) == [.ruleChanged])
  }
}
