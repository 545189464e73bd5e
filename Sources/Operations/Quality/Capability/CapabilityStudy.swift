import Statistics
import Telemetry

/// Capability of a characteristic over a stretch of time.
///
/// Cp, Cpk from the spread within subgroups (R̄/d2, s̄/c4 or MR̄/1.128): what the process could do. Pp, Ppk from the
/// spread of all values: what it did. Cm, Cmk are the same numbers as Pp, Ppk taken from a short run of one
/// machine (by custom 50 parts in a row); the caller says that it was one.
public struct CapabilityStudy: Sendable, Hashable {
  public enum Estimate: String, Sendable, Hashable, CaseIterable {
    case range = "mean_range_over_d2"
    case deviation = "mean_deviation_over_c4"
    case movingRange = "mean_moving_range_over_1_128"
  }

  public enum Warning: String, Sendable, Hashable, CaseIterable {
    /// Anderson–Darling p below 0.05: indices and expected ppm assume a normal distribution.
    case notNormal = "not_normal"
    /// Fewer than 50 values: the intervals are wide.
    case fewValues = "few_values"
    /// The chart has signals: the process does not have one mean and one spread.
    case outOfControl = "out_of_control"
  }

  public enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    case noLimits
    case tooFewValues(Int)
    case noSpread

    public var description: String {
      switch self {
      case .noLimits: "Capability needs a lower or an upper specification limit."
      case .tooFewValues(let count): "Capability needs at least 2 values; there are \(count)."
      case .noSpread: "All values are equal: there is no spread to compare with the limits."
      }
    }
  }

  public var limits: SpecificationLimits
  public var count: Int
  public var subgroupCount: Int
  public var mean: Double
  /// Within subgroups: Cp, Cpk; `nil` when these have no spread.
  public var within: CapabilityIndex?
  public var estimate: Estimate
  /// Overall: Pp, Ppk.
  public var overall: CapabilityIndex
  public var observedBelow: Int
  public var observedAbove: Int
  /// `nil` for fewer than eight values.
  public var normality: AndersonDarling?
  public var warnings: [Warning]

  /// - Parameters:
  ///   - subgroups: values in order of time; subgroups of one value are compared by moving ranges.
  ///   - estimate: default: by range up to ten values, by deviation above.
  public init(
    subgroups: [[Double]], limits: SpecificationLimits, estimate chosen: Estimate? = nil,
    isOutOfControl: Bool = false
  ) throws(Refusal) {
    guard !limits.isOpen else { throw .noLimits }
    let groups = subgroups.filter { !$0.isEmpty }
    let values = groups.flatMap { $0 }
    guard values.count >= 2 else { throw .tooFewValues(values.count) }
    var moments = RunningMoments()
    for value in values { moments.observe(value) }
    guard
      let overall = CapabilityIndex(
        limits: limits, mean: moments.mean, sigma: moments.sampleVariance.squareRoot(),
        count: values.count, degrees: Double(values.count - 1))
    else { throw .noSpread }
    let largest = groups.map(\.count).max() ?? 1
    estimate = chosen ?? (largest == 1 ? .movingRange : largest <= 10 ? .range : .deviation)
    let spread = Self.withinSpread(groups, estimate)
    self.limits = limits
    count = values.count
    subgroupCount = groups.count
    mean = moments.mean
    self.overall = overall
    within = spread.flatMap {
      CapabilityIndex(
        limits: limits, mean: moments.mean, sigma: $0.sigma, count: values.count,
        degrees: $0.degrees)
    }
    observedBelow = values.count { value in limits.lower.map { value < $0 } == true }
    observedAbove = values.count { value in limits.upper.map { value > $0 } == true }
    normality = AndersonDarling(values)
    warnings = []
    if let normality, normality.p < 0.05 { warnings.append(.notNormal) }
    if values.count < 50 { warnings.append(.fewValues) }
    if isOutOfControl { warnings.append(.outOfControl) }
  }

  /// σ within subgroups and its degrees of freedom: those of pooled deviations; of ranges 0.9 of these
  /// (Bissell, Applied Statistics 39, 1990); of moving ranges 0.62·(n − 1).
  private static func withinSpread(
    _ groups: [[Double]], _ estimate: Estimate
  ) -> (sigma: Double, degrees: Double)? {
    var sum = 0.0
    var number = 0
    var degrees = 0.0
    if estimate == .movingRange {
      let values = groups.flatMap { $0 }
      for (a, b) in zip(values, values.dropFirst()) { sum += (b - a).magnitude }
      number = values.count - 1
      return number > 0 ? (sum / Double(number) / 1.128379, 0.62 * Double(number)) : nil
    }
    for values in groups where values.count > 1 {
      let group = Subgroup(time: .epoch, values: values)
      if estimate == .deviation {
        sum += group.deviation / ChartConstants.c4(group.size)
        degrees += Double(group.size - 1)
      } else {
        guard let constants = ChartConstants(size: group.size) else { continue }
        sum += group.range / constants.d2
        degrees += 0.9 * Double(group.size - 1)
      }
      number += 1
    }
    return number > 0 ? (sum / Double(number), degrees) : nil
  }
}
