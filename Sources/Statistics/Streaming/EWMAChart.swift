import Telemetry

/// Exponentially weighted moving average control chart: notices small shifts that last.
///
/// EWMA_t = λ·Y_t + (1 - λ)·EWMA_{t-1}, from the target on; limits are target ± k·s·√(λ / (2 - λ)), the ones of
/// the steady state. NIST/SEMATECH e-Handbook 6.3.2.4: target 50, s 2.0539, λ 0.3, k 3 → 52.5884 and 47.4116.
public struct EWMAChart: Sendable, Equatable {
  public let target: Double
  public let sigma: Double
  /// 0 < λ ≤ 1; 0.2 to 0.3 by custom. Smaller notices smaller shifts, later.
  public let lambda: Double
  /// Limits in σ of the average.
  public let width: Double
  public private(set) var average: Double

  public init(target: Double, sigma: Double, lambda: Double = 0.3, width: Double = 3) {
    precondition(lambda > 0 && lambda <= 1, "λ of an EWMA chart lies above 0 and at most at 1")
    self.target = target
    self.sigma = sigma
    self.lambda = lambda
    self.width = width
    average = target
  }

  /// Distance of the limits from the target.
  public var halfWidth: Double { width * sigma * (lambda / (2 - lambda)).squareRoot() }
  public var upperLimit: Double { target + halfWidth }
  public var lowerLimit: Double { target - halfWidth }

  /// - Returns: whether the average is outside its limits.
  @discardableResult
  public mutating func observe(_ value: Double) -> Bool {
    average += lambda * (value - average)
    return (average - target).magnitude > halfWidth
  }

  public func encode(into writer: inout ByteWriter) {
    for number in [target, sigma, lambda, width, average] { writer.double(number) }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    target = try reader.double()
    sigma = try reader.double()
    lambda = try reader.double()
    width = try reader.double()
    average = try reader.double()
  }
}
