import Telemetry

/// When a plant, hall or machine is meant to work: shifts by weekday, breaks, holidays, planned stops.
///
/// Times are those of the clocks on the wall of the plant. A shift belongs to the day on which it begins.
public struct ShiftCalendar: Hashable, Sendable {
  public var id: String
  /// IANA name; whoever computes brings the rules.
  public var timeZone: String
  public var shifts: [ShiftPattern]
  /// Days on which no shift begins.
  public var holidays: [LocalDate]
  public var plannedStops: [PlannedStop]
  /// Days with shifts of their own; they win over holidays and weekdays.
  public var exceptions: [DayException]

  public init(
    id: String, timeZone: String = "UTC", shifts: [ShiftPattern], holidays: [LocalDate] = [],
    plannedStops: [PlannedStop] = [], exceptions: [DayException] = []
  ) {
    self.id = id
    self.timeZone = timeZone
    self.shifts = shifts
    self.holidays = holidays
    self.plannedStops = plannedStops
    self.exceptions = exceptions
  }
}

/// From one time of day to a later one, or to one on the next day.
public struct DayWindow: Hashable, Sendable {
  /// Seconds after the midnight that begins the day.
  public let start: Int
  /// Above `start`; over 86,400 on the next day.
  public let end: Int

  /// - Returns: `nil` when `to` is not after `from` although the window is not said to run overnight, or is after it
  ///   although it is: a swapped pair is refused rather than read as crossing midnight.
  public init?(from: TimeOfDay, to: TimeOfDay, overnight: Bool = false) {
    start = from.second
    end = to.second + (overnight ? 86_400 : 0)
    guard start < end, end - start <= 86_400 else { return nil }
  }

  init(start: Int, end: Int) {
    precondition(start < end, "a window of a day must not be empty")
    self.start = start
    self.end = end
  }

  /// Nominal length, as on a day without a change of clocks.
  public var seconds: Int { end - start }

  func span(on date: LocalDate, _ rules: some ZoneRules) -> Span {
    let from = rules.moment(of: Self.local(date, start))
    return Span(from..<max(from, rules.moment(of: Self.local(date, end))))
  }

  private static func local(_ date: LocalDate, _ second: Int) -> LocalTime {
    LocalTime(date: date.adding(days: second / 86_400), second: second % 86_400)
  }
}

/// A shift as it recurs.
public struct ShiftPattern: Hashable, Sendable {
  public var name: String
  /// The days on which it begins.
  public var days: [Weekday]
  public var window: DayWindow
  /// On the clock of the day on which the shift begins: a break at 02:00 of a night shift has 93,600 s.
  public var breaks: [DayWindow]

  public init(name: String, days: [Weekday], window: DayWindow, breaks: [DayWindow] = []) {
    self.name = name
    self.days = days
    self.window = window
    self.breaks = breaks
  }
}

/// Time inside shifts that is planned not to be used: maintenance, meetings, cleaning.
public struct PlannedStop: Hashable, Sendable {
  public enum Recurrence: Hashable, Sendable {
    case weekly(days: [Weekday], window: DayWindow)
    case once(date: LocalDate, window: DayWindow)
  }

  public var name: String
  public var recurrence: Recurrence

  public init(name: String, recurrence: Recurrence) {
    self.name = name
    self.recurrence = recurrence
  }
}

/// A day that differs from its weekday; without shifts nothing begins on it.
public struct DayException: Hashable, Sendable {
  public var date: LocalDate
  /// Their `days` are not looked at.
  public var shifts: [ShiftPattern]

  public init(date: LocalDate, shifts: [ShiftPattern]) {
    self.date = date
    self.shifts = shifts
  }
}
