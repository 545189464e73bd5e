#if canImport(Glibc)
  import Glibc
#endif

/// The standard normal distribution: mean 0, standard deviation 1.
///
/// Φ⁻¹(0.975) = 1.959964, Φ(−6) = 9.866e-10.
public enum NormalDistribution {
  public static func density(_ z: Double) -> Double {
    exp(-0.5 * z * z) / (2 * Double.pi).squareRoot()
  }

  /// Share of values at or below `z`; exact in both tails.
  public static func cumulative(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

  /// The z below which the share `p` of values lies; −∞ at 0 and ∞ at 1.
  ///
  /// Start by Abramowitz and Stegun 26.2.23 (error below 4.5e-4), then Halley's iteration on `cumulative`.
  /// - Parameter p: 0 to 1.
  public static func quantile(_ p: Double) -> Double {
    precondition(p >= 0 && p <= 1, "a probability lies between 0 and 1")
    if p == 0 { return -.infinity }
    if p == 1 { return .infinity }
    if p == 0.5 { return 0 }
    // The lower tail keeps its digits; the upper one is its mirror.
    if p > 0.5 { return -quantile(1 - p) }
    let t = (-2 * log(p)).squareRoot()
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
    let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    var z = numerator / denominator - t
    for _ in 0..<4 {
      let step = (cumulative(z) - p) / density(z)
      z -= step / (1 + 0.5 * z * step)
    }
    return z
  }
}
