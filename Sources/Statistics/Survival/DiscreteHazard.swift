#if canImport(Glibc)
  import Glibc
#endif

/// Person-period rows of a discrete-time hazard: one row for each period that a unit survived or
/// ended in, labelled true where it failed (Allison 1982).
public struct PersonPeriods: Sendable {
  public private(set) var rows: Matrix
  public private(set) var labels: [Bool] = []
  /// The unit of each row, for folds that keep a unit together.
  public private(set) var units: [Int] = []

  public init(featureCount: Int) { rows = Matrix(columnCount: featureCount) }

  /// Adds a unit that was seen for `periods.count` periods.
  /// - Parameters:
  ///   - periods: the features as they stood at the beginning of each period, oldest first.
  ///   - endsInFailure: whether it failed in the last of them; else it is censored after it.
  public mutating func append(unit: Int, periods: [[Double]], endsInFailure: Bool) {
    for (index, features) in periods.enumerated() {
      rows.append(features)
      labels.append(endsInFailure && index == periods.count - 1)
      units.append(unit)
    }
  }
}

/// The chance of failing within several periods, from the logit of one.
public enum DiscreteHazard {
  /// −Σ ln(1 − p) over `periods` periods whose logit begins at `logit` and moves by `drift` each.
  ///
  /// The probability of failing within them is 1 − e⁻ᴴ.
  public static func cumulative(logit: Double, periods: Double, drift: Double = 0) -> Double {
    var sum = 0.0
    var left = periods
    var x = logit
    while left > 0 {
      sum += min(left, 1) * Logistic.softplus(x)
      x += drift
      left -= 1
    }
    return sum
  }
}
