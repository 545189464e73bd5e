import Telemetry

/// Times of the week in which a rule is watched, as the clock on the wall shows them.
///
/// Membership is asked of the local time at each moment, so that a change of daylight saving time
/// neither repeats nor loses a shift: 02:30 is inside 22:00–06:00 whether it comes once, twice or
/// not at all.
public struct RuleSchedule: Hashable, Sendable {
  public var id: String
  /// Bit 0 is Monday: days on which the span starts.
  public var days: UInt8
  /// Minutes since local midnight, 0 to 1,440. `to` not after `from`: over midnight.
  public var fromMinute: Int
  public var toMinute: Int

  public static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  public init(id: String = "", days: UInt8, fromMinute: Int, toMinute: Int) {
    self.id = id
    self.days = days
    self.fromMinute = fromMinute
    self.toMinute = toMinute
  }

  /// - Parameter local: seconds since 1970 as the wall clock shows them.
  public func contains(localSeconds local: Int64) -> Bool {
    let day = local.flooredQuotient(86_400)
    let minute = Int((local - day * 86_400) / 60)
    // 1970-01-01 was a Thursday.
    let weekday = Int((day + 3) - (day + 3).flooredQuotient(7) * 7)
    let isToday = days & 1 << UInt8(weekday) != 0
    if fromMinute < toMinute { return isToday && minute >= fromMinute && minute < toMinute }
    let wasYesterday = days & 1 << UInt8((weekday + 6) % 7) != 0
    return (isToday && minute >= fromMinute) || (wasYesterday && minute < toMinute)
  }

  /// Local seconds of the next start or end after `local`.
  func nextBoundary(afterLocalSeconds local: Int64) -> Int64 {
    let day = local.flooredQuotient(86_400)
    var next = Int64.max
    for ahead in 0...1 {
      for minute in [fromMinute, toMinute] {
        let boundary = (day + Int64(ahead)) * 86_400 + Int64(minute) * 60
        if boundary > local { next = min(next, boundary) }
      }
    }
    return next
  }
}

/// Seconds east of Greenwich at a moment: UTC → local.
public typealias LocalOffset = @Sendable (Timestamp) -> Int
