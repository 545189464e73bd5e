#if canImport(Glibc)
  import Glibc
#endif

/// The logistic function and its relatives, without overflow at either end.
public enum Logistic {
  /// 1 / (1 + e⁻ˣ).
  public static func probability(logit x: Double) -> Double {
    if x >= 0 { return 1 / (1 + exp(-x)) }
    let e = exp(x)
    return e / (1 + e)
  }

  /// ln(p / (1 − p)); infinite at 0 and 1.
  public static func logit(_ probability: Double) -> Double {
    log(probability) - log1p(-probability)
  }

  /// ln(1 + eˣ), which is also the cumulative hazard −ln(1 − p) of a period whose logit is x.
  public static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-x.magnitude)) }
}
