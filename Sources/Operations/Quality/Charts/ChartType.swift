/// The kinds of control chart, by what is counted or measured in a subgroup.
public enum ChartType: String, Sendable, Hashable, CaseIterable {
  /// Mean and range of small subgroups (2 to 10 by custom, 25 at most).
  case xbarR = "xbar_r"
  /// Mean and standard deviation of subgroups of 2 to 1,000.
  case xbarS = "xbar_s"
  /// Single values and the range from one to the next.
  case individuals = "i_mr"
  /// Share of defective units; the sample size may vary.
  case p
  /// Number of defective units in samples of one size.
  case np
  /// Number of defects in samples of one size.
  case c
  /// Defects per unit; the sample size may vary.
  case u
  /// Exponentially weighted moving average of subgroup means: small lasting shifts.
  case ewma
  /// Cumulative sums of subgroup means: small lasting shifts, and when they began.
  case cusum

  /// Counts of what is wrong, not measurements.
  public var isAttribute: Bool {
    switch self {
    case .p, .np, .c, .u: true
    default: false
    }
  }

  /// The sample size must not change from subgroup to subgroup.
  public var needsOneSize: Bool { self == .np || self == .c }

  /// A second chart for the spread within subgroups belongs to it.
  public var hasSpread: Bool { self == .xbarR || self == .xbarS || self == .individuals }

  /// Sizes of a subgroup it can be drawn for.
  public var subgroupSizes: ClosedRange<Int> {
    switch self {
    case .xbarR: ChartConstants.sizes
    case .xbarS: 2...1_000
    case .individuals: 1...1
    case .ewma, .cusum: 1...1_000
    case .p, .np, .c, .u: 1...1_000_000_000
    }
  }
}
