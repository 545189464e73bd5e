import Statistics

#if canImport(Glibc)
  import Glibc
#endif

/// How well the spread of a process fits between its limits, by one estimate of σ.
///
/// C = (USL − LSL)/6σ and Ck = min(USL − x̄, x̄ − LSL)/3σ. NIST/SEMATECH e-Handbook 6.1.6: limits 8 and 20, mean 16,
/// σ 2 → 1.0 and 0.6667. With one limit there is no C.
public struct CapabilityIndex: Sendable, Hashable {
  public struct Interval: Sendable, Hashable {
    public var lower: Double
    public var upper: Double
  }

  public var sigma: Double
  /// Cp, Pp or Cm; `nil` for a one-sided specification.
  public var potential: Double?
  /// Cpk, Ppk or Cmk.
  public var actual: Double
  /// (USL − x̄)/3σ and (x̄ − LSL)/3σ.
  public var upperSide: Double?
  public var lowerSide: Double?
  /// 95 % by chi-square: C·√(χ²(ν)/ν).
  public var potentialInterval: Interval?
  /// 95 % by Bissell's normal approximation: Ck ± z·√(1/(9n) + Ck²/(2ν)).
  public var actualInterval: Interval
  /// Parts per million below and above the limits that a normal process of this σ makes.
  public var expectedBelowPPM: Double
  public var expectedAbovePPM: Double

  public var expectedPPM: Double { expectedBelowPPM + expectedAbovePPM }

  /// - Parameters:
  ///   - count: values in all.
  ///   - degrees: degrees of freedom of σ: n − 1 overall; about 0.9·k·(m − 1) from k ranges of m (Bissell).
  /// - Returns: `nil` without limits, and for a σ that is not above 0.
  public init?(
    limits: SpecificationLimits, mean: Double, sigma: Double, count: Int, degrees: Double,
    confidence: Double = 0.95
  ) {
    guard !limits.isOpen, sigma > 0, sigma.isFinite, mean.isFinite, count > 0, degrees > 0 else {
      return nil
    }
    self.sigma = sigma
    upperSide = limits.upper.map { ($0 - mean) / (3 * sigma) }
    lowerSide = limits.lower.map { (mean - $0) / (3 * sigma) }
    actual = min(upperSide ?? .infinity, lowerSide ?? .infinity)
    if let lower = limits.lower, let upper = limits.upper {
      let potential = (upper - lower) / (6 * sigma)
      let chi = ChiSquareDistribution(degrees: degrees)
      let tail = (1 - confidence) / 2
      self.potential = potential
      potentialInterval = Interval(
        lower: potential * (chi.quantile(tail) / degrees).squareRoot(),
        upper: potential * (chi.quantile(1 - tail) / degrees).squareRoot())
    }
    let z = NormalDistribution.quantile(1 - (1 - confidence) / 2)
    let spread = (1 / (9 * Double(count)) + actual * actual / (2 * degrees)).squareRoot()
    actualInterval = Interval(lower: actual - z * spread, upper: actual + z * spread)
    expectedBelowPPM = lowerSide.map { NormalDistribution.cumulative(-3 * $0) * 1e6 } ?? 0
    expectedAbovePPM = upperSide.map { NormalDistribution.cumulative(-3 * $0) * 1e6 } ?? 0
  }
}
