import Statistics
import Telemetry

/// A trained model as a value: features in, a `Score` out, no library needed.
public struct ScoringModel: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    case trees(TreeEnsemble)
    case ridge(LinearModel)
    case logistic(LinearModel)
    /// Lives by age alone; the model's only feature is the age in the usage unit.
    case weibull(Weibull)
    case hazard(HazardModel)
  }

  public enum Output: Sendable, Equatable {
    /// The probability that it happens within `horizon`: the calibrated logistic of the margin.
    /// A Weibull and a hazard model take their horizon with the question and ignore this one.
    case probability(horizon: Horizon?, calibration: PlattScaling)
    /// A life in `unit` between 0 and `limit`, with intervals from errors on rows it had not seen.
    case remainingLife(unit: String, limit: Double?, intervals: ConformalIntervals?)
  }

  public var reference: ModelReference
  /// What the rows hold, in their order.
  public var features: [Feature]
  public var kind: Kind
  public var output: Output
  /// `.model`, or `.weibullPrior` for a distribution that was declared instead of fitted.
  public var basis: Score.Basis

  public init(
    reference: ModelReference, features: [Feature], kind: Kind, output: Output,
    basis: Score.Basis = .model
  ) {
    self.reference = reference
    self.features = features
    self.kind = kind
    self.output = output
    self.basis = basis
  }

  /// Scores one row.
  /// - Parameters:
  ///   - row: as `features` says; NaN is missing.
  ///   - horizon: how far to look, for Weibull and hazard models; others have their own.
  public func score(
    entity: String, row: [Double], at time: Timestamp, horizon: Horizon? = nil
  ) -> Score {
    precondition(row.count == features.count, "a row has the features of its model")
    var score: Score
    switch output {
    case .remainingLife(let unit, let limit, let intervals):
      score = life(row, unit: unit, limit: limit, intervals: intervals)
    case .probability(let own, let calibration):
      score = probability(row, horizon: horizon ?? own, calibration)
    }
    score.entity = entity
    score.time = time
    return score
  }

  /// Margin, base and contributions before calibration.
  private func explained(_ row: [Double]) -> (margin: Double, base: Double, parts: [Double])? {
    switch kind {
    case .trees(let trees):
      (trees.margin(row), trees.expectedMargin, trees.contributions(row))
    case .ridge(let model), .logistic(let model):
      (model.value(row), model.base, model.contributions(row))
    case .weibull, .hazard: nil
    }
  }

  private func probability(
    _ row: [Double], horizon: Horizon?, _ calibration: PlattScaling
  ) -> Score {
    if let (margin, base, parts) = explained(row) {
      let logit = calibration.logit(margin: margin)
      return score(
        row, value: Logistic.probability(logit: logit), unit: "1", scale: .logit, margin: logit,
        base: calibration.logit(margin: base), parts: parts.map { $0 * calibration.slope },
        horizon: horizon)
    }
    guard let horizon else { return unknown(unit: "1") }
    let hazard = cumulativeHazard(row, horizon)
    return score(
      row, value: Logistic.failure(cumulativeHazard: hazard.value), unit: "1",
      scale: .cumulativeHazard, margin: hazard.value, base: hazard.base, parts: hazard.parts,
      horizon: horizon)
  }

  private func cumulativeHazard(
    _ row: [Double], _ horizon: Horizon
  ) -> (value: Double, base: Double, parts: [Double]) {
    switch kind {
    case .hazard(let model): return model.cumulative(row, horizon: horizon.usage)
    case .weibull(let weibull):
      let age = row[0].isNaN ? 0 : row[0]
      let value =
        weibull.cumulativeHazard(at: age + horizon.usage) - weibull.cumulativeHazard(at: age)
      // Nothing known of the age: failures at the constant rate 1 / mean life.
      let base = horizon.usage / weibull.mean
      return row[0].isNaN ? (base, base, [0]) : (value, base, [value - base])
    case .trees, .ridge, .logistic: preconditionFailure("these have a logit")
    }
  }

  private func life(
    _ row: [Double], unit: String, limit: Double?, intervals: ConformalIntervals?
  ) -> Score {
    if case .weibull(let weibull) = kind {
      let age = row[0].isNaN ? 0 : row[0]
      let value = weibull.remaining(at: age, survival: 0.5)
      let base = weibull.remaining(at: 0, survival: 0.5)
      var score = score(
        row, value: value, unit: unit, scale: .remainingLife, margin: value, base: base,
        parts: [value - base], horizon: nil)
      score.interval =
        weibull.remaining(at: age, survival: 0.95)...weibull.remaining(at: age, survival: 0.05)
      return score
    }
    guard let (margin, base, parts) = explained(row) else { return unknown(unit: unit) }
    let value = max(0, min(margin, limit ?? .infinity))
    var score = score(
      row, value: value, unit: unit, scale: .remainingLife, margin: value, base: base,
      parts: parts, horizon: nil)
    if value != margin {
      // What the bounds of a life take away is a contribution too: the sum stays exact.
      score.contributions.append(
        Score.Contribution(
          feature: "limit", featureValue: value == 0 ? 0 : limit ?? .nan, unit: unit,
          amount: value - margin))
    }
    score.interval = intervals.map {
      let range = $0.interval(for: value)
      let low = max(0, min(range.lowerBound, limit ?? .infinity))
      return low...max(low, min(range.upperBound, limit ?? .infinity))
    }
    return score
  }

  private func score(
    _ row: [Double], value: Double, unit: String, scale: Score.Scale, margin: Double, base: Double,
    parts: [Double], horizon: Horizon?
  ) -> Score {
    var score = unknown(unit: unit)
    if let horizon { score.name = "failure_\(horizon.name)" }
    score.value = value
    score.scale = scale
    score.margin = margin
    score.baseMargin = base
    score.contributions = parts.indices.map {
      Score.Contribution(
        feature: features[$0].name, featureValue: row[$0], unit: features[$0].unit,
        amount: parts[$0])
    }
    return score
  }

  private func unknown(unit: String) -> Score {
    Score(
      entity: "", name: reference.name, value: nil, unit: unit, interval: nil, scale: .none,
      margin: 0, baseMargin: 0, contributions: [], basis: basis, model: reference, time: .epoch)
  }
}
