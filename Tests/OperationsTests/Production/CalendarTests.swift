import Operations
import Telemetry
import Testing

@Suite struct CalendarTests {
  private static func night(_ zone: String = "Europe/Berlin") -> ShiftCalendar {
    ShiftCalendar(
      id: "night", timeZone: zone,
      shifts: [
        ShiftPattern(
          name: "night", days: Weekday.allCases,
          window: DayWindow(
            from: TimeOfDay(second: 22 * 3_600), to: TimeOfDay(second: 6 * 3_600), overnight: true)!
        )  // 8 h
      ])
  }

  @Test("The zone table reads a clock on both sides of each change")
  func zones() {
    let berlin = TransitionTable.berlin
    #expect(berlin.offsetSeconds(at: instant("2026-03-29T00:59:59Z")) == 3_600)
    #expect(berlin.offsetSeconds(at: instant("2026-03-29T01:00:00Z")) == 7_200)
    #expect(berlin.local(at: instant("2026-10-25T01:30:00Z")).second == 9_000)
    // 02:30 is never shown in March, and twice in October.
    let spring = LocalTime(date: LocalDate("2026-03-29")!, second: 9_000)
    #expect(berlin.moment(of: spring) == instant("2026-03-29T01:00:00Z"))
    let autumn = LocalTime(date: LocalDate("2026-10-25")!, second: 9_000)
    #expect(berlin.moment(of: autumn) == instant("2026-10-25T00:30:00Z"))
    // In São Paulo it was midnight itself that 4 November 2018 did not have.
    let midnight = LocalTime(date: LocalDate("2018-11-04")!, second: 0)
    #expect(TransitionTable.saoPaulo.moment(of: midnight) == instant("2018-11-04T03:00:00Z"))
    #expect(
      TransitionTable.saoPaulo.moment(of: LocalTime(date: LocalDate("2019-02-16")!, second: 84_600))
        == instant("2019-02-17T01:30:00Z"))
  }

  @Test("Every local time of a year comes back from the moment it names, unless it is never shown")
  func roundTrip() {
    let tables: [(TransitionTable, Int)] = [(.berlin, 2026), (.saoPaulo, 2018)]
    for (table, year) in tables {
      let start = LocalDate("\(year)-01-01")!
      for half in 0..<(365 * 48) {
        let local = LocalTime(
          date: start.adding(days: half / 48), second: half % 48 * 1_800)
        let found = table.moment(of: local)
        let back = table.local(at: found)
        if back != local {
          // Only the skipped hour: the moment of the change is what stands for it.
          let before = found.advanced(byMicroseconds: -1)
          #expect(table.offsetSeconds(at: before) < table.offsetSeconds(at: found))
        }
      }
    }
  }

  @Test(
    "A night shift of 8 h lasts 7 or 9 h when clocks change, and says so",
    arguments: [
      ("2026-03-28", 7, -3_600), ("2026-10-24", 9, 3_600), ("2026-11-20", 8, 0),
    ])
  func changes(date: String, hours: Int, change: Int) throws {
    let start = instant(date + "T23:00:00Z")
    let shift = try #require(Self.night().shift(at: start, zone: TransitionTable.berlin))
    #expect(shift.id == date + "/night")
    #expect(shift.span.microseconds == Int64(hours) * 3_600_000_000)
    #expect(shift.clockChangeMicroseconds == seconds(change))
    #expect(shift.json["duration_seconds"] == .integer(hours * 3_600))
    #expect(shift.json["clock_change_seconds"] == (change == 0 ? nil : .integer(change)))
  }

  @Test("A night in São Paulo that jumps over midnight lasts 7 h, the one back 9 h")
  func saoPaulo() {
    let shifts = Self.night().shifts(
      touching: span("2018-11-04T01:00:00Z", "2018-11-04T08:00:00Z"), TransitionTable.saoPaulo)
    #expect(shifts.map(\.span.microseconds) == [7 * 3_600_000_000])
    #expect(shifts.first?.span.from == instant("2018-11-04T01:00:00Z"))
    let back = Self.night().shifts(
      touching: span("2019-02-17T00:00:00Z", "2019-02-17T09:00:00Z"), TransitionTable.saoPaulo)
    #expect(back.map(\.span.microseconds) == [9 * 3_600_000_000])
  }

  @Test("Three shifts cover every moment of a year once, through both changes of clocks")
  func coverage() {
    func pattern(_ name: String, _ from: Int, _ to: Int, overnight: Bool = false) -> ShiftPattern {
      ShiftPattern(
        name: name, days: Weekday.allCases,
        window: DayWindow(
          from: TimeOfDay(second: from * 3_600), to: TimeOfDay(second: to * 3_600),
          overnight: overnight)!)  // in order
    }
    let calendar = ShiftCalendar(
      id: "three",
      shifts: [
        pattern("early", 6, 14), pattern("late", 14, 22), pattern("night", 22, 6, overnight: true),
      ])
    let year = span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    let schedule = calendar.schedule(over: year, zone: TransitionTable.berlin)
    #expect(schedule.scheduled.clamped(to: year).microseconds == year.microseconds)
    for (a, b) in zip(schedule.shifts, schedule.shifts.dropFirst()) {
      #expect(a.span.to == b.span.from)
    }
    #expect(schedule.shifts.count { $0.clockChangeMicroseconds != 0 } == 2)
  }

  @Test(
    "Holidays have no shifts, exceptions have their own, and a night belongs to the day it begins")
  func days() {
    var calendar = Self.night()
    calendar.holidays = [LocalDate("2026-11-21")!]
    calendar.exceptions = [
      DayException(
        date: LocalDate("2026-11-22")!,
        shifts: [
          ShiftPattern(
            name: "special", days: [],
            window: DayWindow(from: TimeOfDay(second: 36_000), to: TimeOfDay(second: 43_200))!)
        ])
    ]
    let names = calendar.shifts(
      touching: span("2026-11-20T12:00:00Z", "2026-11-23T12:00:00Z"), TransitionTable.utc
    ).map(\.id)
    #expect(names == ["2026-11-20/night", "2026-11-22/special"])
  }

  @Test("A schedule is widened to whole shifts, with breaks and planned stops inside them alone")
  func schedule() {
    var calendar = dayCalendar
    calendar.plannedStops = [
      PlannedStop(
        name: "cleaning",
        recurrence: .weekly(
          days: [.mon, .tue],
          window: DayWindow(from: TimeOfDay(second: 13 * 3_600), to: TimeOfDay(second: 15 * 3_600))!
        ))
    ]
    let schedule = calendar.schedule(over: Span(at(9)..<at(11)), zone: TransitionTable.utc)
    #expect(schedule.span == early)
    #expect(schedule.breaks.spans == [Span(at(10)..<at(10, 30))])
    #expect(schedule.plannedStops.spans == [Span(at(13)..<at(14))])
    #expect(schedule.planned.microseconds == minutes(390))
    #expect(schedule.shift(at: at(9))?.name == "early")
    #expect(schedule.shift(at: at(14)) == nil)
  }

  @Test("Dates and times of day that do not exist are not read")
  func unreadable() {
    for text in ["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01T00:00:00Z", ""] {
      #expect(LocalDate(text) == nil, "\(text)")
    }
    for text in ["24:01", "6", "06:60", "06:00:61", "-1:00", "06:00pm", "006:00", ":30"] {
      #expect(TimeOfDay(text) == nil, "\(text)")
    }
    #expect(TimeOfDay("24:00")?.description == "24:00")
    #expect(LocalDate("2024-02-29")?.weekday == .thu)
    #expect(LocalDate("1969-12-31")?.weekday == .wed)
  }
}
