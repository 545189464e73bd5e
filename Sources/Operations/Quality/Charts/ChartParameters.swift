import Telemetry

/// What a process does when left alone; the limits of every subgroup, whatever its size, follow from it.
public struct ChartParameters: Sendable, Hashable {
  /// Mean of the values; for attributes the share defective (p, np), defects per sample (c) or per unit (u).
  public var center: Double
  /// Within-subgroup standard deviation of single values, in their unit; 0 for attributes, whose
  /// spread follows from the centre.
  public var sigma: Double

  public init(center: Double, sigma: Double = 0) {
    self.center = center
    self.sigma = sigma
  }

  /// Estimates from subgroups.
  ///
  /// σ is the mean of R/d2 (xbar_r), of s/c4 (xbar_s, and ewma and cusum of subgroups) or MR̄/1.128 (single
  /// values); for subgroups of one size these are R̄/d2 and s̄/c4. Centres weigh subgroups by their size.
  /// - Parameter movingRanges: for single values; see `ChartBaseline`.
  /// - Returns: `nil` when there is nothing to estimate from.
  init?(_ type: ChartType, _ subgroups: [Subgroup], movingRanges: [Double]) {
    guard !subgroups.isEmpty else { return nil }
    var weighted = 0.0
    var size = 0.0
    var spread = 0.0
    var spreads = 0
    for group in subgroups {
      let n = Double(group.size)
      weighted += type.isAttribute ? group.value : group.value * n
      size += n
      if let estimate = Self.sigma(of: group, type) {
        spread += estimate
        spreads += 1
      }
    }
    center = type == .c ? weighted / Double(subgroups.count) : weighted / size
    sigma = 0
    guard !type.isAttribute else { return }
    if spreads == 0 {
      for range in movingRanges { spread += range / 1.128379 }
      spreads = movingRanges.count
    }
    guard spreads > 0 else { return nil }
    sigma = spread / Double(spreads)
  }

  private static func sigma(of group: Subgroup, _ type: ChartType) -> Double? {
    guard group.size > 1 else { return nil }
    return type == .xbarR
      ? ChartConstants(size: group.size).map { group.range / $0.d2 }
      : group.deviation / ChartConstants.c4(group.size)
  }

  /// The point that is drawn for a subgroup.
  func location(of group: Subgroup, _ type: ChartType) -> Double {
    type == .p || type == .u ? group.value / Double(group.size) : group.value
  }

  /// Centre and limits of the location point of a subgroup of `size`.
  ///
  /// p: p̄ ± 3√(p̄(1−p̄)/n); np: n·p̄ ± 3√(n·p̄(1−p̄)); c: c̄ ± 3√c̄; u: ū ± 3√(ū/n); the others x̄ ± 3σ/√n.
  public func locationLimits(_ type: ChartType, size: Int) -> ChartLimits {
    let n = Double(size)
    switch type {
    case .p:
      return ChartLimits(
        center: center, sigma: (center * (1 - center) / n).squareRoot(), floor: 0, ceiling: 1)
    case .np:
      return ChartLimits(
        center: n * center, sigma: (n * center * (1 - center)).squareRoot(), floor: 0, ceiling: n)
    case .c: return ChartLimits(center: center, sigma: center.squareRoot(), floor: 0)
    case .u: return ChartLimits(center: center, sigma: (center / n).squareRoot(), floor: 0)
    case .xbarR, .xbarS, .individuals, .ewma, .cusum:
      return ChartLimits(center: center, sigma: sigma / n.squareRoot())
    }
  }

  /// Centre and limits of the range, the moving range or the standard deviation; `nil` where there is none.
  public func spreadLimits(_ type: ChartType, size: Int) -> ChartLimits? {
    switch type {
    case .xbarR:
      guard let constants = ChartConstants(size: size) else { return nil }
      return ChartLimits(center: constants.d2 * sigma, sigma: constants.d3 * sigma, floor: 0)
    case .xbarS:
      guard size > 1 else { return nil }
      let c4 = ChartConstants.c4(size)
      return ChartLimits(center: c4 * sigma, sigma: (1 - c4 * c4).squareRoot() * sigma, floor: 0)
    case .individuals: return ChartLimits(center: 1.128379 * sigma, sigma: 0.852502 * sigma, floor: 0)
    default: return nil
    }
  }
}

/// Centre line and three-sigma limits of one point.
public struct ChartLimits: Sendable, Hashable {
  public var center: Double
  /// Standard deviation of the plotted point, in its unit.
  public var sigma: Double
  /// `nil` where the chart has none: a point cannot lie below what is possible at all.
  public var lower: Double?
  public var upper: Double?

  public init(
    center: Double, sigma: Double, width: Double = 3, floor: Double? = nil, ceiling: Double? = nil
  ) {
    self.center = center
    self.sigma = sigma
    let low = center - width * sigma
    let high = center + width * sigma
    lower = floor.map { low <= $0 } == true ? nil : low
    upper = ceiling.map { high >= $0 } == true ? nil : high
  }

  /// Distance from the centre in σ. Without any spread a point that is not on the centre is infinitely far.
  public func distance(of value: Double) -> Double {
    let difference = value - center
    if sigma > 0 { return difference / sigma }
    return difference == 0 ? 0 : difference > 0 ? .infinity : -.infinity
  }

  /// Whether a point is beyond the limits; one on a limit is not.
  public func excludes(_ value: Double) -> Bool {
    lower.map { value < $0 } == true || upper.map { value > $0 } == true
  }
}
