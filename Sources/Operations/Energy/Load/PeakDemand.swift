import Telemetry

/// The intervals with the highest demand, which set the price of power.
public struct PeakDemand: Hashable, Sendable {
  /// Highest first; of equal ones the earlier. Intervals of which less than 80 % was measured are left out.
  public var highest: [DemandInterval]
  /// Intervals left out for that reason.
  public var uncoveredCount: Int

  public init(_ intervals: [DemandInterval], count: Int = 1) {
    let covered = intervals.filter(\.isCovered)
    uncoveredCount = intervals.count - covered.count
    let sorted = covered.sorted {
      $0.kilowatts == $1.kilowatts ? $0.span < $1.span : $0.kilowatts > $1.kilowatts
    }
    highest = Array(sorted.prefix(max(0, count)))
  }

  public var peak: DemandInterval? { highest.first }
}
