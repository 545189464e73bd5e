import Telemetry

/// Tabular cumulative sum chart: adds up what exceeds the target by more than an allowance.
///
/// S_hi(i) = max(0, S_hi(i-1) + x_i - target - k), S_lo(i) = max(0, S_lo(i-1) + target - k - x_i); a sum above h is
/// a signal. NIST/SEMATECH e-Handbook 6.3.2.3: target 325, k 0.3175, h 4.1959 → first signal at group 14 with
/// S_hi 4.94.
public struct CUSUMChart: Sendable, Equatable {
  public let target: Double
  /// k, in the unit of the values: half of the shift to be noticed.
  public let allowance: Double
  /// h, in the unit of the values.
  public let decision: Double
  public private(set) var upperSum = 0.0
  public private(set) var lowerSum = 0.0

  public init(target: Double, allowance: Double, decision: Double) {
    self.target = target
    self.allowance = allowance
    self.decision = decision
  }

  /// - Returns: whether one of the sums is above the decision interval.
  @discardableResult
  public mutating func observe(_ value: Double) -> Bool {
    upperSum = max(0, upperSum + value - target - allowance)
    lowerSum = max(0, lowerSum + target - allowance - value)
    return max(upperSum, lowerSum) > decision
  }

  /// Starts both sums anew, after a signal was dealt with.
  public mutating func restart() {
    upperSum = 0
    lowerSum = 0
  }

  public func encode(into writer: inout ByteWriter) {
    for number in [target, allowance, decision, upperSum, lowerSum] { writer.double(number) }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    target = try reader.double()
    allowance = try reader.double()
    decision = try reader.double()
    upperSum = try reader.double()
    lowerSum = try reader.double()
  }
}
