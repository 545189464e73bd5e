import Telemetry

/// A control chart drawn from a list of subgroups, for a query: the points with their limits and what they say.
///
/// It runs the same `ChartState` as the stream, so a chart on a screen never disagrees with an alarm.
public struct ControlChart: Sendable, Hashable {
  public struct Point: Sendable, Hashable {
    public var index: Int
    public var time: Timestamp
    public var size: Int
    public var value: Double
    /// `nil` while there are too few subgroups for limits.
    public var limits: ChartLimits?
    /// Range, moving range or standard deviation, where the chart has a part for it.
    public var spread: Double?
    public var spreadLimits: ChartLimits?
    public var isBaseline: Bool
    /// Left out of the estimate of the limits.
    public var isExcluded: Bool
  }

  public var id: String
  public var settings: ChartSettings
  public var parameters: ChartParameters?
  public var isBaselineStable: Bool
  public var points: [Point]
  public var findings: [OutOfControl]
  /// What could not be charted: position in the list, and why.
  public var refusals: [Int: ChartRefusal]

  public init(id: String, settings: ChartSettings, subgroups: [Subgroup]) {
    self.init(state: ChartState(id: id, settings: settings), subgroups: subgroups)
  }

  private init(state: ChartState, subgroups: [Subgroup]) {
    var state = state
    var taken: [Subgroup] = []
    var averages: [Double?] = []
    findings = []
    refusals = [:]
    for (position, group) in subgroups.enumerated() {
      do {
        findings += try state.observe(group)
        taken.append(group)
        averages.append(state.movingAverage)
      } catch { refusals[position] = error }
    }
    id = state.id
    settings = state.settings
    parameters = state.parameters
    isBaselineStable = state.isBaselineStable
    points = []
    var baselineCount = taken.count
    switch settings.baseline {
    case .declared: baselineCount = 0
    case .first(let count): baselineCount = min(count, taken.count)
    }
    for (index, group) in taken.enumerated() {
      points.append(
        Self.point(
          index, group, before: index > 0 ? taken[index - 1] : nil, average: averages[index], state,
          isBaseline: index < baselineCount))
    }
  }

  private static func point(
    _ index: Int, _ group: Subgroup, before: Subgroup?, average: Double?, _ state: ChartState,
    isBaseline: Bool
  ) -> Point {
    let type = state.settings.type
    let isShare = type == .p || type == .u
    let spread: Double? =
      switch type {
      case .xbarR: group.range
      case .xbarS: group.deviation
      case .individuals: before.map { (group.value - $0.value).magnitude }
      default: nil
      }
    return Point(
      index: index, time: group.time, size: group.size,
      value: average ?? (isShare ? group.value / Double(group.size) : group.value),
      limits: state.parameters.map { limits($0, type, group.size, state.settings) }, spread: spread,
      spreadLimits: state.parameters?.spreadLimits(type, size: group.size), isBaseline: isBaseline,
      isExcluded: state.excluded.contains(index))
  }

  private static func limits(
    _ parameters: ChartParameters, _ type: ChartType, _ size: Int, _ settings: ChartSettings
  ) -> ChartLimits {
    let limits = parameters.locationLimits(type, size: size)
    guard type == .ewma else { return limits }
    return ChartLimits(
      center: settings.target ?? limits.center,
      sigma: limits.sigma * (settings.lambda / (2 - settings.lambda)).squareRoot(),
      width: settings.width)
  }
}
