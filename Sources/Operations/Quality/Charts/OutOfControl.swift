import Telemetry

/// A process did what chance alone rarely does: which points, by which rule, in words.
public struct OutOfControl: Sendable, Hashable {
  public enum Chart: String, Sendable, Hashable {
    /// Means, single values, shares and counts.
    case location
    /// Ranges, moving ranges and standard deviations.
    case spread
  }

  public enum Cause: Sendable, Hashable {
    case rule(RunRule)
    /// The moving average left its limits.
    case movingAverage
    /// A cumulative sum passed its decision interval.
    case cumulativeSum
    /// Left out of the baseline: beyond the limits that the others make.
    case baseline

    public var name: String {
      switch self {
      case .rule(let rule): rule.name
      case .movingAverage: "ewma"
      case .cumulativeSum: "cusum"
      case .baseline: "baseline"
      }
    }
  }

  public struct Point: Sendable, Hashable {
    /// Counted from 0 since the chart began.
    public var index: Int
    public var time: Timestamp
    /// As it is drawn, in the unit of the characteristic.
    public var value: Double
  }

  /// Id of the characteristic.
  public var characteristic: String
  public var chart: Chart
  public var cause: Cause
  public var side: RunSide
  /// The points that make the pattern, oldest first; the last one completed it.
  public var points: [Point]
  /// Of the last point.
  public var limits: ChartLimits
  /// The same cause on the same side held at the point before: news only to those who missed it.
  public var isContinued: Bool

  public var time: Timestamp { points.last?.time ?? .epoch }

  /// A plain sentence: what, where, against which limits.
  public var sentence: String {
    let name = chart == .spread ? "Spread of \(characteristic)" : characteristic
    let value = points.last.map { "\(sixDigits($0.value))" } ?? ""
    return "\(name): \(pattern) Last value \(value), centre \(sixDigits(limits.center))"
      + (limits.lower.map { ", lower limit \(sixDigits($0))" } ?? "")
      + (limits.upper.map { ", upper limit \(sixDigits($0))" } ?? "") + "."
  }

  private var pattern: String {
    let direction = side == .lower ? "lower" : "higher"
    switch cause {
    case .rule(let rule): return rule.sentence(side)
    case .movingAverage:
      return "The moving average is outside its limits: the process runs \(direction) than its target."
    case .cumulativeSum:
      let count = points.count
      return "The cumulative sum passed its decision interval: the process has run \(direction) than its"
        + " target since \(count == 1 ? "this point" : "\(count) points")."
    case .baseline:
      return "This subgroup of the baseline is beyond the limits and was left out of their estimate."
    }
  }
}

/// Six significant digits are enough for a sentence.
private func sixDigits(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  var scale = 1.0
  while (value * scale).magnitude < 100_000, scale < 1e12 { scale *= 10 }
  return JSONText.number((value * scale).rounded() / scale)
}

/// Why a subgroup cannot be charted.
public enum ChartRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  case size(Int, allowed: ClosedRange<Int>)
  case sizeChanged(Int, from: Int)
  case moreThanInspected(Double, Int)
  case notFinite
  case outOfOrder(Timestamp, after: Timestamp)

  public var description: String {
    switch self {
    case .size(let size, let allowed):
      "A subgroup of \(size) cannot be charted; this chart takes \(allowed.lowerBound) to \(allowed.upperBound)."
    case .sizeChanged(let size, let before):
      "The sample size changed from \(before) to \(size); charts np and c need one size: use p or u."
    case .moreThanInspected(let count, let inspected):
      "\(JSONText.number(count)) defective units of \(inspected) inspected cannot be."
    case .notFinite: "The subgroup holds a value that is not a number."
    case .outOfOrder(let time, let last):
      "The subgroup of \(time.rfc3339) comes after the one of \(last.rfc3339); points are charted in order."
    }
  }
}
