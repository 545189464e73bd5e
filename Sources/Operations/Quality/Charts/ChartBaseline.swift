import Telemetry

/// Limits from the first subgroups of a process, without those that were clearly disturbed.
///
/// Procedure: estimate from all; leave out every subgroup whose location or spread lies beyond its three-sigma
/// limits; estimate again from the rest; repeat until none is left out. It stops, and says so, when less
/// than half of the subgroups would remain: such a process is not stable and its limits mean little.
/// A moving range that touches an excluded single value is left out with it.
public struct ChartBaseline: Sendable, Hashable {
  public var parameters: ChartParameters
  /// Positions of the subgroups left out, ascending.
  public var excluded: [Int]
  /// False: more than half of the subgroups were out of control and the last estimate was kept.
  public var isStable: Bool

  /// - Returns: `nil` when nothing can be estimated: no subgroup, or single values fewer than two.
  public init?(_ type: ChartType, _ subgroups: [Subgroup]) {
    var kept = [Bool](repeating: true, count: subgroups.count)
    guard var parameters = Self.estimate(type, subgroups, kept) else { return nil }
    isStable = true
    while true {
      let flagged = subgroups.indices.filter {
        kept[$0] && Self.isOut($0, subgroups, kept, type, parameters)
      }
      guard !flagged.isEmpty else { break }
      var remaining = kept
      for index in flagged { remaining[index] = false }
      guard remaining.count(where: { $0 }) * 2 >= subgroups.count,
        let next = Self.estimate(type, subgroups, remaining)
      else {
        isStable = false
        break
      }
      kept = remaining
      parameters = next
    }
    self.parameters = parameters
    excluded = kept.indices.filter { !kept[$0] }
  }

  private static func estimate(
    _ type: ChartType, _ subgroups: [Subgroup], _ kept: [Bool]
  ) -> ChartParameters? {
    ChartParameters(
      type, subgroups.indices.filter { kept[$0] }.map { subgroups[$0] },
      movingRanges: subgroups.indices.compactMap { movingRange($0, subgroups, kept) })
  }

  private static func movingRange(_ index: Int, _ groups: [Subgroup], _ kept: [Bool]) -> Double? {
    guard index > 0, kept[index], kept[index - 1] else { return nil }
    return (groups[index].value - groups[index - 1].value).magnitude
  }

  private static func isOut(
    _ index: Int, _ groups: [Subgroup], _ kept: [Bool], _ type: ChartType,
    _ parameters: ChartParameters
  ) -> Bool {
    let group = groups[index]
    if parameters.locationLimits(type, size: group.size).excludes(
      parameters.location(of: group, type))
    {
      return true
    }
    guard let limits = parameters.spreadLimits(type, size: group.size) else { return false }
    switch type {
    case .xbarR: return limits.excludes(group.range)
    case .xbarS: return limits.excludes(group.deviation)
    // A wide step is the fault of one of its two ends, and the location chart tells which.
    default: return false
    }
  }
}
