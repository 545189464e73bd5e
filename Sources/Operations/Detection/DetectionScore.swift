/// How unusual one value is, and why.
public struct DetectionScore: Sendable {
  /// 0…1 after debounce: 0.5 and more is an anomaly for a detector that has learned.
  public var value: Double
  /// 0…1 before debounce.
  public var undebounced: Double
  /// What each view adds to `undebounced`; they sum to it. In the order of `NoveltyView`.
  public var contributions: InlineArray<5, Double>
  /// What the value was expected to be, in its unit; the better of the hour's mean and the prediction from
  /// the last values. The value itself while nothing is known.
  public var expected: Double
  /// Standard deviation of the value around such expectations, in its unit; 0 while nothing is known.
  public var scale: Double

  static func quiet(_ value: Double) -> DetectionScore {
    DetectionScore(
      value: 0, undebounced: 0, contributions: InlineArray(repeating: 0), expected: value, scale: 0)
  }

  /// A statistic that alarms at its limit as 0…1 with 0.5 at the limit: r / (1 + r).
  static func squashed(_ ratio: Double) -> Double {
    ratio.isFinite ? max(ratio, 0) / (1 + max(ratio, 0)) : 1
  }

  /// How many times the limit a score is: the inverse of `squashed`.
  static func ratio(_ score: Double) -> Double { score < 1 ? score / (1 - score) : .infinity }
}

/// The ways in which the novelty detector looks at a series.
public enum NoveltyView: Int, Sendable, CaseIterable {
  /// The value itself.
  case value = 0
  /// Its distance to what is usual at this hour.
  case hour = 1
  /// Its distance to what the last six values predict.
  case prediction = 2
  /// The standard deviation of about the last 72 values.
  case spread = 3
  /// The average of about the last 12 values.
  case level = 4

  public var name: String { ["value", "hour", "prediction", "spread", "level"][rawValue] }
}
