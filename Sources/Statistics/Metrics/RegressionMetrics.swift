#if canImport(Glibc)
  import Glibc
#endif

/// How far predictions are from the truth.
public enum RegressionMetrics {
  /// Root of the mean squared error, in the unit of the predictions; 0 without rows.
  public static func rmse(predictions: [Double], truths: [Double]) -> Double {
    var sum = 0.0
    for index in truths.indices {
      let error = predictions[index] - truths[index]
      sum += error * error
    }
    return (sum / Double(max(1, truths.count))).squareRoot()
  }

  /// The score of the PHM08 challenge (Saxena et al. 2008): Σ e^(−d/13) − 1 for early predictions
  /// (d < 0) and e^(d/10) − 1 for late ones, d = prediction − truth in cycles. Smaller is better;
  /// d = 10 → 1.718, d = −13 → 1.718.
  public static func phm08(predictions: [Double], truths: [Double]) -> Double {
    var sum = 0.0
    for index in truths.indices {
      let d = predictions[index] - truths[index]
      sum += d < 0 ? expm1(-d / 13) : expm1(d / 10)
    }
    return sum
  }

  /// Share of truths inside their interval; 0 without rows.
  public static func coverage(intervals: [ClosedRange<Double>], truths: [Double]) -> Double {
    var inside = 0.0
    for index in truths.indices where intervals[index].contains(truths[index]) { inside += 1 }
    return inside / Double(max(1, truths.count))
  }

  public static func meanWidth(_ intervals: [ClosedRange<Double>]) -> Double {
    var sum = 0.0
    for interval in intervals { sum += interval.upperBound - interval.lowerBound }
    return sum / Double(max(1, intervals.count))
  }
}
