/// What is computed over a window.
enum WindowFunction: UInt8, Sendable, Hashable {
  case mean, min, max, stddev, sum, count, slope, delta, rate, percentile
  /// Seconds for which a condition held.
  case occupancy
  /// How often a condition became true.
  case edges

  /// Numbers of a `WindowPart` that it needs, from the first on.
  var width: Int {
    switch self {
    case .count, .edges, .percentile: 2
    case .mean, .min, .max, .sum, .delta, .occupancy: 3
    case .stddev, .rate: 4
    case .slope: 6
    }
  }

  init?(name: String) {
    switch name {
    case "mean": self = .mean
    case "min": self = .min
    case "max": self = .max
    case "stddev": self = .stddev
    case "sum": self = .sum
    case "count": self = .count
    case "slope": self = .slope
    case "delta": self = .delta
    case "rate": self = .rate
    case "percentile": self = .percentile
    default: return nil
    }
  }
}

/// One window of a rule: of a time or of a number of samples.
struct WindowSpec: Hashable, Sendable {
  var function: WindowFunction
  /// 0 to 1, for percentiles.
  var quantile: Double
  /// The signal itself, when the window is over one: counters are told by it.
  var input: Int?
  /// Length in time; 0: `samples` counts.
  var microseconds: Int64 = 0
  var samples = 0
  /// A counter starts again at 0 after this less 1; 0: it is not known to.
  var rollover = 0.0

  /// Longest window in samples.
  static let samplesMax = 1_000
  /// Values that a percentile over time keeps, at most.
  static let percentileValuesMax = 1_024
  /// Parts of a window in time.
  static let bucketsMax = 60

  /// Bytes that it holds beside its fixed part.
  var bytes: Int {
    if microseconds == 0 { return samples * 16 }
    let buckets = (Self.bucketsMax + 1) * function.width * 8
    return function == .percentile ? buckets + Self.percentileValuesMax * 24 : buckets
  }
}
