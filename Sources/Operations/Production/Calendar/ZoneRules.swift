import Telemetry

/// What a time zone says: how far its clocks stand from UTC at a moment.
///
/// Passed in, so that a shift of 2018 in São Paulo is computed the same on every box, whatever its own
/// zone files say.
public protocol ZoneRules: Sendable {
  /// Local time minus UTC in seconds, east positive.
  func offsetSeconds(at moment: Timestamp) -> Int
}

extension ZoneRules {
  public func local(at moment: Timestamp) -> LocalTime {
    let shifted = moment.advanced(byMicroseconds: Int64(offsetSeconds(at: moment)) * 1_000_000)
    let seconds = shifted.microseconds.flooredQuotient(1_000_000)
    let day = seconds.flooredQuotient(86_400)
    return LocalTime(date: LocalDate(dayNumber: Int(day)), second: Int(seconds - day * 86_400))
  }

  /// The moment at which the clocks on the wall show `local`.
  ///
  /// A time that is shown twice (clocks go back) is its first showing. A time that is never shown (clocks go
  /// forward) is the moment of the change. So the end of one shift and the start of the next, written as the same
  /// local time, are always the same moment, and no time is lost or worked twice.
  public func moment(of local: LocalTime) -> Timestamp {
    let wall = Int64(local.date.dayNumber) * 86_400 + Int64(local.second)
    let wallMoment = Timestamp(microseconds: wall * 1_000_000)
    let day: Int64 = 86_400_000_000
    let before = offsetSeconds(at: wallMoment.advanced(byMicroseconds: -day))
    let after = offsetSeconds(at: wallMoment.advanced(byMicroseconds: day))
    let first = wallMoment.advanced(byMicroseconds: -Int64(before) * 1_000_000)
    if offsetSeconds(at: first) == before { return first }
    let second = wallMoment.advanced(byMicroseconds: -Int64(after) * 1_000_000)
    if offsetSeconds(at: second) == after { return second }
    return change(after: min(first, second), before: max(first, second))
  }

  /// The first whole second in (low, high] whose offset is not that of `low`.
  private func change(after low: Timestamp, before high: Timestamp) -> Timestamp {
    let offset = offsetSeconds(at: low)
    var (low, high) = (low.microseconds / 1_000_000, high.microseconds / 1_000_000)
    while high - low > 1 {
      let middle = (low + high) / 2
      let isSame =
        offsetSeconds(at: Timestamp(microseconds: middle * 1_000_000)) == offset
      if isSame { low = middle } else { high = middle }
    }
    return Timestamp(microseconds: high * 1_000_000)
  }
}

/// Rules as a table of changes: small, exact, and enough for tests and for plants without zone files.
public struct TransitionTable: ZoneRules, Hashable {
  public struct Transition: Hashable, Sendable {
    /// From this moment on…
    public var moment: Timestamp
    /// …local time is this far ahead of UTC.
    public var offsetSeconds: Int

    public init(moment: Timestamp, offsetSeconds: Int) {
      self.moment = moment
      self.offsetSeconds = offsetSeconds
    }
  }

  /// Before the first transition.
  public let initialOffsetSeconds: Int
  /// Ascending.
  public let transitions: [Transition]

  public init(initialOffsetSeconds: Int, transitions: [Transition] = []) {
    self.initialOffsetSeconds = initialOffsetSeconds
    self.transitions = transitions.sorted { $0.moment < $1.moment }
  }

  public static let utc = TransitionTable(initialOffsetSeconds: 0)

  public func offsetSeconds(at moment: Timestamp) -> Int {
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].moment <= moment { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? initialOffsetSeconds : transitions[low - 1].offsetSeconds
  }
}
