import Telemetry

/// One shift on one day.
public struct Shift: Hashable, Sendable {
  public var name: String
  /// The local day on which it begins.
  public var date: LocalDate
  public var span: Span
  public var breaks: SpanSet
  /// What the calendar says it should last, in seconds.
  public var nominalSeconds: Int

  /// Names the shift of a calendar for ever: `2026-11-21/early`.
  public var id: String { "\(date)/\(name)" }

  /// How much longer (or, negative, shorter) it lasts than its clock times say: ±1 h in the two nights of a year
  /// when clocks change, else 0. In µs.
  public var clockChangeMicroseconds: Int64 {
    span.microseconds - Int64(nominalSeconds) * 1_000_000
  }

  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("id", .string(id)), ("name", .string(name)), ("date", .string(date.description)),
      ("from", .time(span.from)), ("to", .time(span.to)),
      ("duration_seconds", .seconds(span.microseconds)),
    ]
    if clockChangeMicroseconds != 0 {
      members.append(("clock_change_seconds", .seconds(clockChangeMicroseconds)))
    }
    return .object(members)
  }
}

/// A calendar worked out over a stretch of time: what was planned, moment by moment.
public struct Schedule: Hashable, Sendable {
  /// What it covers: whole shifts.
  public var span: Span
  /// Ascending by start; those that touch `span`.
  public var shifts: [Shift]
  /// Inside shifts.
  public var scheduled: SpanSet
  /// Inside shifts.
  public var breaks: SpanSet
  /// Inside shifts, outside breaks.
  public var plannedStops: SpanSet
  /// No calendar was given: all time is planned, and there are no shifts.
  public var isAlways: Bool

  /// Scheduled, and neither break nor planned stop.
  public var planned: SpanSet { scheduled.subtracting(breaks).subtracting(plannedStops) }

  /// A machine without a calendar is planned to work always.
  public static func always(over span: Span) -> Schedule {
    Schedule(
      span: span, shifts: [], scheduled: SpanSet(span), breaks: .empty, plannedStops: .empty,
      isAlways: true)
  }

  /// The shift at `moment`, the later one where two overlap.
  public func shift(at moment: Timestamp) -> Shift? { shifts.last { $0.span.contains(moment) } }
}

extension ShiftCalendar {
  /// Works the calendar out over `span`, widened to the whole shifts that it touches.
  ///
  /// Whole shifts, because the length of a stop is judged within its shift: an hour of a shift must come to the
  /// same verdict as the shift. Load samples for `schedule.span`.
  public func schedule(over span: Span, zone rules: some ZoneRules) -> Schedule {
    let shifts = shifts(touching: span, rules)
    let from = min(span.from, shifts.map(\.span.from).min() ?? span.from)
    let to = max(span.to, shifts.map(\.span.to).max() ?? span.to)
    let scheduled = SpanSet(shifts.map(\.span))
    let breaks = SpanSet(shifts.flatMap(\.breaks.spans)).intersection(scheduled)
    let stops = SpanSet(plannedStopSpans(touching: Span(from..<to), rules))
      .intersection(scheduled).subtracting(breaks)
    return Schedule(
      span: Span(from..<to), shifts: shifts, scheduled: scheduled, breaks: breaks,
      plannedStops: stops, isAlways: false)
  }

  /// The shift that is under way at `moment`: "now" of "OEE now".
  public func shift(at moment: Timestamp, zone rules: some ZoneRules) -> Shift? {
    let instant = Span(moment..<moment.advanced(byMicroseconds: 1))
    return shifts(touching: instant, rules).last { $0.span.contains(moment) }
  }

  /// Every shift that has a moment in common with `span`, ascending by start.
  public func shifts(touching span: Span, _ rules: some ZoneRules) -> [Shift] {
    var found: [Shift] = []
    forEachDay(touching: span, rules) { date in
      for pattern in patterns(on: date) {
        let shift = Shift(
          name: pattern.name, date: date, span: pattern.window.span(on: date, rules),
          breaks: SpanSet(pattern.breaks.map { $0.span(on: date, rules) }),
          nominalSeconds: pattern.window.seconds)
        if shift.span.intersection(span) != nil { found.append(shift) }
      }
    }
    return found.sorted { ($0.span, $0.name) < ($1.span, $1.name) }
  }

  private func patterns(on date: LocalDate) -> [ShiftPattern] {
    if let exception = exceptions.last(where: { $0.date == date }) { return exception.shifts }
    if holidays.contains(date) { return [] }
    return shifts.filter { $0.days.contains(date.weekday) }
  }

  private func plannedStopSpans(touching span: Span, _ rules: some ZoneRules) -> [Span] {
    var found: [Span] = []
    forEachDay(touching: span, rules) { date in
      for stop in plannedStops {
        switch stop.recurrence {
        case .weekly(let days, let window) where days.contains(date.weekday):
          found.append(window.span(on: date, rules))
        case .once(date, let window): found.append(window.span(on: date, rules))
        default: break
        }
      }
    }
    return found.filter { $0.intersection(span) != nil }
  }

  /// Every local day on which something may begin that reaches into `span`: a window lasts at most a day.
  private func forEachDay(
    touching span: Span, _ rules: some ZoneRules, _ body: (LocalDate) -> Void
  ) {
    guard !span.isEmpty else { return }
    let first = rules.local(at: span.from).date.dayNumber - 2
    let last = rules.local(at: span.to).date.dayNumber
    for day in first...last { body(LocalDate(dayNumber: day)) }
  }
}
