#if canImport(Glibc)
  import Glibc
#endif

/// Anderson–Darling test: whether values could have come from a normal distribution of unknown mean and
/// spread.
///
/// A² = −n − Σ (2i−1)/n · (ln Φ(z_i) + ln(1 − Φ(z_{n+1−i}))), A²* = A²·(1 + 0.75/n + 2.25/n²), p by
/// D'Agostino and Stephens (Goodness-of-Fit Techniques 1986, table 4.9). A²* above 0.752 is p below 0.05.
public struct AndersonDarling: Sendable, Hashable {
  public let count: Int
  /// A²*, adjusted for the sample size.
  public let statistic: Double
  /// Probability of a statistic this high if the values were normal.
  public let p: Double

  public static let countMin = 8

  /// - Returns: `nil` for fewer than eight values, for values that are not finite and when all are equal.
  public init?(_ values: [Double]) {
    guard values.count >= Self.countMin, values.allSatisfy(\.isFinite) else { return nil }
    var moments = RunningMoments()
    for value in values { moments.observe(value) }
    let deviation = moments.sampleVariance.squareRoot()
    guard deviation > 0 else { return nil }
    let sorted = values.sorted()
    let n = sorted.count
    var sum = 0.0
    for i in 0..<n {
      let low = (sorted[i] - moments.mean) / deviation
      let high = (sorted[n - 1 - i] - moments.mean) / deviation
      // A value so far out that its tail is 0 in a double must not make the sum infinite.
      let below = max(NormalDistribution.cumulative(low), 1e-300)
      let above = max(NormalDistribution.cumulative(-high), 1e-300)
      sum += Double(2 * i + 1) * (log(below) + log(above))
    }
    let size = Double(n)
    count = n
    statistic = (-size - sum / size) * (1 + 0.75 / size + 2.25 / (size * size))
    p = Self.probability(statistic)
  }

  private static func probability(_ a: Double) -> Double {
    if a >= 10 { return 0 }
    if a >= 0.6 { return exp(1.2937 - 5.709 * a + 0.0186 * a * a) }
    if a > 0.34 { return exp(0.9177 - 4.279 * a - 1.38 * a * a) }
    if a > 0.2 { return 1 - exp(-8.318 + 42.796 * a - 59.938 * a * a) }
    return 1 - exp(-13.436 + 101.14 * a - 223.73 * a * a)
  }
}
