import Telemetry
import Testing

@testable import Rules

@Suite struct ScheduleTests {
  /// 2026: summer time from 29 March to 25 October, 01:00 UTC.
  static let berlin: LocalOffset = { time in
    let seconds = time.microseconds / 1_000_000
    return (1_774_746_000..<1_792_890_000).contains(seconds) ? 7_200 : 3_600
  }

  /// 2018: summer time from 4 November 2018, 03:00 UTC, to 17 February 2019, 02:00 UTC.
  static let saoPaulo: LocalOffset = { time in
    let seconds = time.microseconds / 1_000_000
    return (1_541_300_400..<1_550_368_800).contains(seconds) ? -7_200 : -10_800
  }

  /// Moments in UTC at which the opening changes, asking only where the engine says that it may.
  static func changes(
    _ schedule: String, _ zone: @escaping LocalOffset, from: String, hours: Int
  ) throws -> [String] {
    let rules = try RuleRig.rules(
      """
      schedules:
        - {id: s, \(schedule)}
      rules:
        - {id: r, scope: {profile: press}, when: jam, schedule: s}
      """)
    var engine = RuleEngine(rules: rules, zone: zone)
    let start = try #require(Timestamp(rfc3339: from)).microseconds
    var wall = start
    var isOpen = engine.isScheduleOpen(0, wall: wall)
    var changes = [isOpen ? "open" : "closed"]
    while wall < start + Int64(hours) * 3_600_000_000 {
      wall = engine.openings[0].until
      guard wall < start + Int64(hours) * 3_600_000_000 else { break }
      let now = engine.isScheduleOpen(0, wall: wall)
      if now != isOpen { changes.append(Timestamp(microseconds: wall).rfc3339) }
      isOpen = now
    }
    return changes
  }

  @Test("A shift begins and ends by the wall clock when summer time begins in Berlin")
  func berlinSpring() throws {
    #expect(
      try Self.changes(
        "from: \"06:00\", to: \"14:00\"", Self.berlin, from: "2026-03-28T00:00:00Z", hours: 40) == [
          "closed", "2026-03-28T05:00:00Z", "2026-03-28T13:00:00Z", "2026-03-29T04:00:00Z",
          "2026-03-29T12:00:00Z",
        ])
  }

  @Test("A night shift in Berlin has seven hours in spring and nine in autumn")
  func berlinNight() throws {
    #expect(
      try Self.changes(
        "days: [sat], from: \"22:00\", to: \"06:00\"", Self.berlin, from: "2026-03-28T12:00:00Z",
        hours: 24) == ["closed", "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"])
    #expect(
      try Self.changes(
        "days: [sat], from: \"22:00\", to: \"06:00\"", Self.berlin, from: "2026-10-24T12:00:00Z",
        hours: 24) == ["closed", "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"])
  }

  @Test(
    "A span inside the hour that is left out never opens; one inside the hour that comes twice opens twice"
  )
  func strangeHours() throws {
    #expect(
      try Self.changes(
        "from: \"02:15\", to: \"02:45\"", Self.berlin, from: "2026-03-29T00:00:00Z", hours: 20) == [
          "closed"
        ])
    #expect(
      try Self.changes(
        "from: \"02:15\", to: \"02:45\"", Self.berlin, from: "2026-10-24T20:00:00Z", hours: 12) == [
          "closed", "2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z",
          "2026-10-25T01:45:00Z",
        ])
  }

  @Test("São Paulo changes at midnight, and a shift over midnight goes on")
  func saoPauloChange() throws {
    #expect(
      try Self.changes(
        "days: [sat], from: \"20:00\", to: \"04:00\"", Self.saoPaulo, from: "2018-11-03T12:00:00Z",
        hours: 24) == ["closed", "2018-11-03T23:00:00Z", "2018-11-04T06:00:00Z"])
    #expect(
      try Self.changes(
        "days: [sat], from: \"20:00\", to: \"04:00\"", Self.saoPaulo, from: "2019-02-16T12:00:00Z",
        hours: 24) == ["closed", "2019-02-16T22:00:00Z", "2019-02-17T07:00:00Z"])
  }

  @Test("Where the engine looks is enough: each minute of a year of changes agrees")
  func everyMinute() throws {
    let schedule = RuleSchedule(days: 0b1010101, fromMinute: 1_290, toMinute: 150)
    let rules = try RuleRig.rules(
      """
      rules:
        - {id: r, scope: {profile: press}, when: jam, schedule: s}
      schedules:
        - {id: s, days: [mon, wed, fri, sun], from: "21:30", to: "02:30"}
      """)
    var engine = RuleEngine(rules: rules, zone: Self.berlin)
    for start in ["2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z"] {
      let begin = try #require(Timestamp(rfc3339: start)).microseconds
      for minute in 0..<5 * 1_440 {
        let wall = begin + Int64(minute) * 60_000_000
        let local = wall / 1_000_000 + Int64(Self.berlin(Timestamp(microseconds: wall)))
        #expect(engine.isScheduleOpen(0, wall: wall) == schedule.contains(localSeconds: local))
      }
    }
  }

  @Test("An alarm ends with its shift and comes with the next one")
  func alarms() throws {
    // The rig starts on Saturday 2026-11-21 at 08:00 UTC.
    var rig = try RuleRig(
      """
      schedules: [{id: s, days: [sat], from: "09:10", to: "09:20"}]
      rules: [{id: r, scope: {profile: press}, when: jam, schedule: s}]
      """, zone: { _ in 3_600 })
    rig.send("press1/jam", .boolean(true), at: 10)
    rig.advance(to: 3_600)
    #expect(
      rig.log == [
        "600 r@press1 normal>unacknowledged condition",
        "1200 r@press1 unacknowledged>returned_unacknowledged schedule",
      ])
  }
}
