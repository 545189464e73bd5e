import Telemetry
import Testing

@testable import Rules

@Suite struct AlarmFiguresTests {
  @Test("Three activations within a minute are chattering")
  func chattering() throws {
    var rig = try RuleRig(RuleRig.one("pressure > 5 bar"))
    for (index, at) in [0.0, 40, 59, 130, 300].enumerated() {
      rig.send("press1/pressure", 9, at: at + 1)
      rig.send("press1/pressure", 1, at: at + 2)
      let last = rig.output.transitions.last { $0.to == .unacknowledged }
      #expect(last?.isChattering == (index == 2))
    }
    let alarm = try #require(rig.engine.alarm(AlarmKey(rule: "r", source: "press1")))
    #expect(alarm.statistics.activations == 5)
    #expect(alarm.statistics.chatters == 1)
    #expect(alarm.statistics.activeMicroseconds == 5_000_000)
  }

  @Test("An alarm that holds for more than a day is standing")
  func standing() throws {
    var rig = try RuleRig(RuleRig.one("state == \"fault\""))
    rig.send("press1/state", .text("fault"), at: 0)
    rig.advance(to: 86_400)
    #expect(rig.engine.standingAlarms(at: rig.moment(86_400)).isEmpty)
    #expect(rig.engine.standingAlarms(at: rig.moment(86_401)).map(\.key.rule) == ["r"])
  }

  @Test("More than ten announcements in ten minutes are a flood; it ends below five")
  func floods() throws {
    var rig = try RuleRig("rules: [{id: r, scope: {profile: press}, when: jam, console: hall}]")
    for step in 0..<12 {
      rig.send("press1/jam", .boolean(true), at: Double(step * 20) + 1)
      rig.send("press1/jam", .boolean(false), at: Double(step * 20) + 2)
    }
    #expect(rig.output.floods.map(\.isBeginning) == [true])
    #expect(rig.output.floods.first?.time == rig.moment(201).wall)
    #expect(rig.output.floods.first?.console == "hall")
    rig.advance(to: 3_000)
    #expect(rig.output.floods.map(\.isBeginning) == [true, false])
    // The 8th of 12 announcements, at 141 s, leaves the ten minutes at 741 s: four are left.
    #expect(rig.output.floods.last?.time == rig.moment(741).wall)
    #expect(rig.output.floods.last?.count == 4)
    let report = try #require(
      rig.engine.consoleReports(at: rig.moment(7_200)).first { $0.console == "hall" })
    #expect(report.announcements == 12 && report.floods == 1 && !report.isFlooded)
    #expect(abs(report.perHour - 6) < 1e-9 && abs(report.perTenMinutes - 1) < 1e-9)
    #expect(abs(report.floodShare - 540.0 / 7_200) < 1e-9)
    #expect(report.tenMinutesMax == 12)
  }

  @Test("Shares of priorities and the worst alarms are told; journal entries are no alarms")
  func rationalisation() throws {
    var rig = try RuleRig(
      """
      rules:
        - {id: a, scope: {profile: press}, when: jam, priority: critical}
        - {id: b, scope: {profile: press}, when: jam, priority: low}
        - {id: c, scope: {device: press1}, when: jam, priority: low}
        - {id: d, scope: {profile: press}, when: jam, priority: journal}
      """)
    for step in 0..<3 {
      rig.send("press1/jam", .boolean(true), at: Double(step) + 1)
      rig.send("press1/jam", .boolean(false), at: Double(step) + 1.5)
    }
    rig.send("press2/jam", .boolean(true), at: 5)
    let report = try #require(rig.engine.consoleReports(at: rig.moment(10)).first)
    #expect(report.announcements == 11)
    #expect(abs((report.priorityShares?.high ?? 0) - 4.0 / 11) < 1e-9)
    #expect(abs((report.priorityShares?.low ?? 0) - 7.0 / 11) < 1e-9)
    let worst = rig.engine.badActors(count: 3)
    #expect(worst.map(\.key.description) == ["a@press1", "b@press1", "c@press1"])
    #expect(worst.map(\.statistics.announcements) == [3, 3, 3])
  }
}
