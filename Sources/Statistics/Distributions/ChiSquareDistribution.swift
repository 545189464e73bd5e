#if canImport(Glibc)
  import Glibc
#endif

/// The distribution of a sum of squares of `degrees` standard normal values.
///
/// Quantile at 0.975 for 10 degrees of freedom: 20.4832; at 0.05 for 1: 0.003932.
public struct ChiSquareDistribution: Sendable, Hashable {
  /// Above 0.
  public let degrees: Double

  public init(degrees: Double) {
    precondition(degrees > 0, "a chi-square distribution needs degrees of freedom above 0")
    self.degrees = degrees
  }

  /// Share of values at or below `x`; 0 for x ≤ 0.
  public func cumulative(_ x: Double) -> Double {
    x <= 0 ? 0 : Gamma.regularizedLower(degrees / 2, x / 2)
  }

  /// The x below which the share `p` of values lies: by bisection, to the last bits of a double.
  /// - Parameter p: 0 ≤ p < 1.
  public func quantile(_ p: Double) -> Double {
    precondition(p >= 0 && p < 1, "a quantile of chi-square needs 0 ≤ p < 1")
    if p == 0 { return 0 }
    var low = 0.0
    var high = max(1, degrees)
    while cumulative(high) < p { high *= 2 }
    for _ in 0..<200 {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { break }
      if cumulative(middle) < p { low = middle } else { high = middle }
    }
    return high
  }
}

/// The gamma function in the forms that distributions need.
public enum Gamma {
  /// ln Γ(x) for x > 0.
  public static func logarithm(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }

  /// ln of the number of ways to choose `k` of `n`; −∞ where there is none.
  public static func logChoose(_ n: Int, _ k: Int) -> Double {
    guard k >= 0, k <= n else { return -.infinity }
    return logarithm(Double(n) + 1) - logarithm(Double(k) + 1) - logarithm(Double(n - k) + 1)
  }

  /// P(a, x): series below a + 1, continued fraction by Lentz above (Abramowitz and Stegun 6.5.29, 6.5.31).
  static func regularizedLower(_ a: Double, _ x: Double) -> Double {
    let scale = exp(a * log(x) - x - logarithm(a))
    if x < a + 1 {
      var term = 1 / a
      var sum = term
      var n = a
      repeat {
        n += 1
        term *= x / n
        sum += term
      } while term > sum * 1e-17
      return min(1, sum * scale)
    }
    let tiny = 1e-300
    var b = x + 1 - a
    var c = 1 / tiny
    var d = 1 / b
    var h = d
    for i in 1...10_000 {
      let an = -Double(i) * (Double(i) - a)
      b += 2
      d = an * d + b
      if d.magnitude < tiny { d = tiny }
      c = b + an / c
      if c.magnitude < tiny { c = tiny }
      d = 1 / d
      let step = d * c
      h *= step
      if (step - 1).magnitude < 1e-16 { break }
    }
    return max(0, 1 - scale * h)
  }
}
