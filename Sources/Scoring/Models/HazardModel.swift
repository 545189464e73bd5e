import Statistics
import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// A discrete-time hazard: the logit of failing in one period of usage, linear in the features.
///
/// One model answers every horizon: H = Σ over periods of −ln(1 − p), probability 1 − e⁻ᴴ. Age moves
/// on from period to period; the other features stay as they are.
public struct HazardModel: Sendable, Equatable {
  public var logit: LinearModel
  /// Length of a period in the usage unit, above 0.
  public var period: Double
  /// Which feature is the age in the usage unit; `nil` when there is none.
  public var ageFeature: Int?

  static let periodsMax = 10_000.0

  public init(logit: LinearModel, period: Double, ageFeature: Int?) {
    precondition(period > 0, "a period has a length")
    self.logit = logit
    self.period = period
    self.ageFeature = ageFeature
  }

  /// The cumulative hazard over `horizon` of usage, its base, and what each feature adds.
  ///
  /// H depends on the features through the logit alone, so the Aumann–Shapley value of a feature is
  /// its part of the logit times (H − H₀)/(logit − logit₀): they sum to H − H₀.
  func cumulative(
    _ row: [Double], horizon: Double
  ) -> (value: Double, base: Double, parts: [Double]) {
    let drift = ageFeature.map { logit.weights[$0] * period } ?? 0
    let periods = min(max(0, horizon / period), Self.periodsMax)
    let x = logit.value(row)
    let value = DiscreteHazard.cumulative(logit: x, periods: periods, drift: drift)
    let base = DiscreteHazard.cumulative(logit: logit.base, periods: periods, drift: drift)
    let factor = x == logit.base ? 0 : (value - base) / (x - logit.base)
    return (value, base, logit.contributions(row).map { $0 * factor })
  }

  func encode(into writer: inout ByteWriter) {
    logit.encode(into: &writer)
    writer.double(period)
    writer.varint(UInt64((ageFeature ?? -1) + 1))
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    logit = try LinearModel(from: &reader)
    period = try reader.double()
    let age = try reader.count() - 1
    guard period > 0, age < logit.weights.count else { throw ByteReader.Truncated() }
    ageFeature = age < 0 ? nil : age
  }
}

extension Logistic {
  /// 1 − e⁻ᴴ, exact for small H.
  static func failure(cumulativeHazard h: Double) -> Double { -expm1(-h) }
}
