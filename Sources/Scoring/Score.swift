import Telemetry

/// What a model says about an entity, with the reasons, ready to be shown.
public struct Score: Sendable, Equatable {
  /// Where the contributions add up.
  public enum Scale: String, Sendable, CaseIterable {
    /// Contributions sum to logit(value) − logit(base value).
    case logit
    /// Contributions sum to value − base value, in the unit of the score.
    case remainingLife = "rul"
    /// Contributions sum to H − base H with value = 1 − e⁻ᴴ.
    case cumulativeHazard = "cumulative_hazard"
    /// There is nothing to add up.
    case none
  }

  /// What the score rests on.
  public enum Basis: String, Sendable, CaseIterable {
    /// A model trained on at least five labelled failures.
    case model
    /// A distribution of lives that somebody declared.
    case weibullPrior = "weibull_prior"
    /// Configured limits of a measured severity; there is no probability then.
    case zones
  }

  /// What one feature adds to or takes from the base.
  public struct Contribution: Sendable, Equatable {
    public var feature: String
    /// What the feature was; NaN when it was missing.
    public var featureValue: Double
    public var unit: String
    /// On the score's scale.
    public var amount: Double

    public init(feature: String, featureValue: Double, unit: String, amount: Double) {
      self.feature = feature
      self.featureValue = featureValue
      self.unit = unit
      self.amount = amount
    }
  }

  public var entity: String
  /// `failure_7d`, `remaining_life`, `churn_30d`.
  public var name: String
  /// A probability 0…1 or a remaining life; `nil` when there is no basis for a number.
  public var value: Double?
  /// "1" for probabilities, the usage unit or "h" for remaining life.
  public var unit: String
  /// Where the truth lies with the model's nominal probability (0.9 unless it says otherwise).
  public var interval: ClosedRange<Double>?
  public var scale: Scale
  /// The score on its scale, and where it stands when nothing is known of the entity.
  public var margin: Double
  public var baseMargin: Double
  /// In the order of the model's features; they sum to `margin` − `baseMargin`.
  public var contributions: [Contribution]
  public var basis: Basis
  public var model: ModelReference?
  public var time: Timestamp

  /// The contributions of the largest amounts, largest first; equal ones in the model's order.
  public func strongest(_ count: Int) -> [Contribution] {
    let order = contributions.indices.sorted {
      (-contributions[$0].amount.magnitude, $0) < (-contributions[$1].amount.magnitude, $1)
    }
    return order.prefix(count).map { contributions[$0] }
  }

  /// A remaining life in another unit, e.g. cycles in hours by 1 / (cycles per hour).
  public func scaled(by factor: Double, unit: String) -> Score {
    precondition(
      scale == .remainingLife && factor > 0, "only a remaining life has a unit to change")
    var other = self
    other.unit = unit
    other.value = value.map { $0 * factor }
    other.interval = interval.map { $0.lowerBound * factor...$0.upperBound * factor }
    other.margin *= factor
    other.baseMargin *= factor
    for index in contributions.indices { other.contributions[index].amount *= factor }
    return other
  }
}

/// Which model said it.
public struct ModelReference: Sendable, Hashable {
  public var name: String
  /// Counts up from 1 with every training.
  public var version: Int
  public var trainedAt: Timestamp

  public init(name: String, version: Int, trainedAt: Timestamp) {
    self.name = name
    self.version = version
    self.trainedAt = trainedAt
  }
}
