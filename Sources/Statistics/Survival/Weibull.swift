import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// The Weibull distribution of lives: S(t) = exp(−(t/scale)^shape).
///
/// Shape below 1 is infant mortality, 1 is chance, above 1 is wear.
public struct Weibull: Sendable, Equatable {
  /// Above 0, without unit.
  public var shape: Double
  /// The age that 63.2 % do not survive, above 0, in the usage unit.
  public var scale: Double

  public init(shape: Double, scale: Double) {
    precondition(shape > 0 && scale > 0, "shape and scale of a Weibull are above 0")
    self.shape = shape
    self.scale = scale
  }

  /// H(t) = (t/scale)^shape, the expected number of failures until age t.
  public func cumulativeHazard(at age: Double) -> Double {
    age <= 0 ? 0 : pow(age / scale, shape)
  }

  public func survival(at age: Double) -> Double { exp(-cumulativeHazard(at: age)) }

  public var mean: Double { scale * tgamma(1 + 1 / shape) }

  /// The age that the share `p` does not survive, 0 ≤ p < 1.
  public func quantile(_ p: Double) -> Double { scale * pow(-log1p(-p), 1 / shape) }

  /// The further life at which a unit of `age` has survived with probability `survival`.
  public func remaining(at age: Double, survival: Double) -> Double {
    scale * pow(cumulativeHazard(at: age) - log(survival), 1 / shape) - max(age, 0)
  }

  /// Maximum likelihood with right-censored lives.
  ///
  /// Newton on the profile likelihood of the shape: 1/k + Σf ln t / r − Σ tᵏ ln t / Σ tᵏ = 0, then
  /// scaleᵏ = Σ tᵏ / r (Meeker and Escobar, Statistical Methods for Reliability Data, chapter 8).
  /// Worked number: NIST/SEMATECH handbook 8.4.1.3, 20 units with ten failures (54, 187, 216, 240,
  /// 244, 335, 361, 373, 375, 386) and ten censored at 500 → shape 1.7208, scale 606.528.
  /// - Throws: `RegressionError` with fewer than two different failure ages.
  public static func fit(_ lives: [Life]) throws(RegressionError) -> Weibull {
    let used = lives.filter { $0.duration > 0 && $0.duration.isFinite }
    let failures = used.filter(\.isFailure)
    guard failures.count >= 2, failures.contains(where: { $0.duration != failures[0].duration })
    else { throw .tooFewRows(failures.count, needed: 2) }
    // Scaled by the longest life, so that powers stay finite.
    var longest = 0.0
    for life in used { longest = max(longest, life.duration) }
    let logs = used.map { log($0.duration / longest) }
    var failureLogs = 0.0
    for life in failures { failureLogs += log(life.duration / longest) }
    let target = failureLogs / Double(failures.count)
    var shape = 1.0
    for _ in 0..<200 {
      var (s0, s1, s2) = (0.0, 0.0, 0.0)
      for x in logs {
        let power = exp(shape * x)
        s0 += power
        s1 += power * x
        s2 += power * x * x
      }
      let gradient = 1 / shape + target - s1 / s0
      let slope = -1 / (shape * shape) - (s2 / s0 - (s1 / s0) * (s1 / s0))
      let next = shape - gradient / slope
      let bounded = min(max(next, shape / 3), shape * 3)
      if (bounded - shape).magnitude <= 1e-13 * shape {
        return Weibull(
          shape: bounded, scale: longest * pow(s0 / Double(failures.count), 1 / bounded))
      }
      shape = bounded
    }
    throw .notConverged(iterations: 200)
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(1)
    writer.double(shape)
    writer.double(scale)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == 1 else { throw ByteReader.Truncated() }
    let (shape, scale) = (try reader.double(), try reader.double())
    guard shape > 0, scale > 0 else { throw ByteReader.Truncated() }
    self.init(shape: shape, scale: scale)
  }
}
