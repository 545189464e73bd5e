import Statistics
import Telemetry

/// What is drawn at which time of which kind of day: where to look for waste at night and at weekends.
public struct LoadProfile: Hashable, Sendable {
  public enum DayClass: String, Sendable, Hashable, CaseIterable {
    case workday, saturday, sunday
  }

  public struct Slot: Hashable, Sendable {
    public var day: DayClass
    /// Local time at which the slot begins.
    public var start: TimeOfDay
    public var count: Int
    public var meanKilowatts: Double
    public var lowestKilowatts: Double
    public var highestKilowatts: Double
  }

  public var minutes: Int
  /// By kind of day, then by time; only slots in which something was measured.
  public var slots: [Slot]

  /// - Parameters:
  ///   - intervals: of one length, such as from `EnergyCurve.demand`; those measured by less than 80 % are left out.
  ///   - holidays: count as Sundays.
  public init(
    _ intervals: [DemandInterval], minutes: Int = 60, zone: any ZoneRules,
    holidays: [LocalDate] = []
  ) {
    precondition(minutes > 0 && 1_440 % minutes == 0, "slots divide the day")
    let perDay = 1_440 / minutes
    var moments = [RunningMoments](repeating: RunningMoments(), count: 3 * perDay)
    var ranges = [(low: Double, high: Double)](
      repeating: (.infinity, -.infinity), count: 3 * perDay)
    for interval in intervals where interval.isCovered && !interval.span.isEmpty {
      let local = zone.local(at: interval.span.from)
      let day = Self.dayClass(local.date, holidays)
      let slot = day * perDay + min(perDay - 1, local.second / (minutes * 60))
      moments[slot].observe(interval.kilowatts)
      ranges[slot].low = min(ranges[slot].low, interval.kilowatts)
      ranges[slot].high = max(ranges[slot].high, interval.kilowatts)
    }
    self.minutes = minutes
    slots = moments.indices.filter { moments[$0].count > 0 }.map { slot in
      Slot(
        day: DayClass.allCases[slot / perDay],
        start: TimeOfDay(second: slot % perDay * minutes * 60), count: Int(moments[slot].count),
        meanKilowatts: moments[slot].mean, lowestKilowatts: ranges[slot].low,
        highestKilowatts: ranges[slot].high)
    }
  }

  private static func dayClass(_ date: LocalDate, _ holidays: [LocalDate]) -> Int {
    if date.weekday == .sun || holidays.contains(date) { return 2 }
    return date.weekday == .sat ? 1 : 0
  }
}
