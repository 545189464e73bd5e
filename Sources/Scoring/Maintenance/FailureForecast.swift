import Statistics
import Telemetry

/// All that is said about a machine's future: health, failure probabilities and remaining life.
public struct FailureForecast: Sendable, Equatable {
  /// Failures that must have been labelled before a trained model is believed.
  public static let failuresMin = 5

  /// What is there to judge a machine by.
  public struct Evidence: Sendable {
    /// Labelled failures the models were trained on.
    public var labelledFailures: Int
    /// Heads of 24 h, 7 d and 30 d, or one hazard model; ignored below `failuresMin` failures.
    public var failureModels: [ScoringModel]
    public var lifeModel: ScoringModel?
    /// A declared distribution of lives, in the usage unit.
    public var prior: Weibull?
    public var zones: SeverityZones?

    public init(
      labelledFailures: Int = 0, failureModels: [ScoringModel] = [],
      lifeModel: ScoringModel? = nil, prior: Weibull? = nil, zones: SeverityZones? = nil
    ) {
      self.labelledFailures = labelledFailures
      self.failureModels = failureModels
      self.lifeModel = lifeModel
      self.prior = prior
      self.zones = zones
    }
  }

  /// How a machine stands now.
  public struct Condition: Sendable {
    /// The row of each model that is asked, by the model's name.
    public var rows: [String: [Double]]
    /// Usage since life began; `nil` when nobody knows.
    public var age: Double?
    /// The measured severity that the zones judge; `nil` when there is none.
    public var severity: Double?
    /// Usage per calendar hour; `nil` when it was not measured.
    public var usagePerHour: Double?
    public var usageUnit: String

    public init(
      rows: [String: [Double]] = [:], age: Double? = nil, severity: Double? = nil,
      usagePerHour: Double? = nil, usageUnit: String
    ) {
      self.rows = rows
      self.age = age
      self.severity = severity
      self.usagePerHour = usagePerHour
      self.usageUnit = usageUnit
    }
  }

  public var entity: String
  public var basis: Score.Basis
  /// 0…1, 1 as new; `nil` when there is nothing to judge by.
  public var health: Double?
  public var zone: SeverityZones.Zone?
  /// One per horizon; the value is `nil` where neither model nor declared prior gives one.
  public var failures: [Score]
  /// In the usage unit.
  public var remainingLife: Score?
  /// In hours, where a duty rate was measured.
  public var remainingHours: Score?

  public init(entity: String, evidence: Evidence, condition: Condition, at time: Timestamp) {
    let hours = ["h", "hours"].contains(condition.usageUnit)
    let rate = condition.usagePerHour ?? (hours ? 1 : nil)
    let horizons = Horizon.standard(usagePerHour: rate ?? .nan)
    let isTrained = evidence.labelledFailures >= Self.failuresMin
    var models = isTrained ? evidence.failureModels : []
    var lifeModel = isTrained ? evidence.lifeModel : nil
    basis = .model
    if models.isEmpty, lifeModel == nil {
      basis = evidence.prior == nil ? .zones : .weibullPrior
      if let prior = evidence.prior {
        models = [Self.model(of: prior, unit: condition.usageUnit, isLife: false)]
        lifeModel = Self.model(of: prior, unit: condition.usageUnit, isLife: true)
      }
    }
    var rows = condition.rows
    rows["weibull_prior"] = [condition.age ?? .nan]
    self.entity = entity
    failures = Self.failures(entity, models, rows, horizons, basis, time)
    if let lifeModel, let row = rows[lifeModel.reference.name] {
      remainingLife = lifeModel.score(entity: entity, row: row, at: time)
      if let rate, rate > 0 { remainingHours = remainingLife?.scaled(by: 1 / rate, unit: "h") }
    }
    if let severity = condition.severity { zone = evidence.zones?.zone(of: severity) }
    health = Self.health(
      life: remainingLife, model: lifeModel, failures: failures,
      zones: condition.severity.flatMap { evidence.zones?.health(of: $0) })
  }

  private static func failures(
    _ entity: String, _ models: [ScoringModel], _ rows: [String: [Double]], _ horizons: [Horizon],
    _ basis: Score.Basis, _ time: Timestamp
  ) -> [Score] {
    horizons.map { horizon in
      for model in models {
        guard let row = rows[model.reference.name] else { continue }
        if case .probability(let own?, _) = model.output, own.name == horizon.name {
          return model.score(entity: entity, row: row, at: time)
        }
        if model.takesHorizon, horizon.usage.isFinite {
          return model.score(entity: entity, row: row, at: time, horizon: horizon)
        }
      }
      return Score(
        entity: entity, name: "failure_\(horizon.name)", value: nil, unit: "1", interval: nil,
        scale: .none, margin: 0, baseMargin: 0, contributions: [], basis: basis, model: nil,
        time: time)
    }
  }

  /// The worst that any source says: remaining life as a share of the model's limit or of a new
  /// unit's, the chance to survive the longest horizon, the zones.
  private static func health(
    life: Score?, model: ScoringModel?, failures: [Score], zones: Double?
  ) -> Double? {
    var health = zones
    func lower(to value: Double) { health = min(health ?? 1, max(0, min(1, value))) }
    if let life, let value = life.value {
      var reference = life.baseMargin
      if case .remainingLife(_, let limit?, _)? = model?.output { reference = limit }
      if reference > 0 { lower(to: value / reference) }
    } else if let failure = failures.last?.value {
      lower(to: 1 - failure)
    }
    return health
  }

  private static func model(of prior: Weibull, unit: String, isLife: Bool) -> ScoringModel {
    ScoringModel(
      reference: ModelReference(name: "weibull_prior", version: 1, trainedAt: .epoch),
      features: [Feature("age", unit: unit)], kind: .weibull(prior),
      output: isLife
        ? .remainingLife(unit: unit, limit: nil, intervals: nil)
        : .probability(horizon: nil, calibration: .identity), basis: .weibullPrior)
  }
}

extension ScoringModel {
  /// It answers any horizon instead of having its own.
  var takesHorizon: Bool {
    switch (kind, output) {
    case (.weibull, .probability), (.hazard, .probability): true
    default: false
    }
  }
}
