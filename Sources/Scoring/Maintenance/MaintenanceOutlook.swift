import Statistics
import Telemetry

/// All that is said of a machine's maintenance at a moment: how it stands, how long it will last, what to do.
public struct MaintenanceOutlook: Sendable {
  /// What moves the number that is explained, with its words.
  public struct Reason: Sendable, Equatable {
    public var signal: String
    /// On the outlook's scale.
    public var contribution: Double
    public var text: Phrase
  }

  /// Which number the reasons explain.
  public enum Scale: String, Sendable {
    case logit
    case cumulativeHazard = "cumulative_hazard"
    case remainingLife = "rul"
    /// Contributions sum to health − 1.
    case health
    case none
  }

  public var device: String
  public var asset: String
  public var component: String
  public var forecast: FailureForecast
  public var model: ModelReference?
  public var labelledFailures: Int
  public var recommendation: Recommendation
  public var cost: Result<CostOfWaiting, CostOfWaiting.Refusal>
  public var services: [ServiceStatus]
  /// The score that is explained: `failure_30d`, `remaining_life`, `health`.
  public var explained: String
  public var scale: Scale
  public var base: Double
  public var margin: Double
  public var reasons: [Reason]
  public var severity: Double?
  public var severityUnit: String
  public var zone: SeverityZones.Zone?
  public var zoneSince: Timestamp?
  /// In the usage unit; `nil`: nobody knows.
  public var age: Double?
  public var usageUnit: String
  public var usagePerHour: Double?
  public var time: Timestamp

  /// - Parameters:
  ///   - set: models in force for the machine; passed over where their rows are not the machine's.
  ///   - isHeld: a replacement is recommended already: a little less is enough to go on doing so.
  ///   - now: what calendars and scores are told at.
  public init(
    device: String, asset: String, machine: MaintainedMachine, condition: MachineCondition,
    models set: MaintenanceModelSet?, isHeld: Bool = false, at now: Timestamp
  ) {
    let set = set.flatMap { $0.fits(machine) ? $0 : nil }
    self.device = device
    self.asset = asset
    component = machine.component
    time = now
    labelledFailures = max(set?.labelledFailures ?? 0, condition.failures)
    usageUnit = machine.usage.unit
    usagePerHour = condition.perHour(machine)
    age = condition.age
    zone = condition.severity.zone
    zoneSince = condition.severity.since
    severity = condition.severity.value
    severityUnit = machine.severity?.zones.unit ?? ""
    let state = Self.state(of: condition, machine, set)
    forecast = FailureForecast(
      entity: device, evidence: Self.evidence(set, machine, state), condition: state, at: now)
    forecast.zone = zone
    model = forecast.basis == .model ? set?.models.first?.reference : nil
    services = condition.services(of: machine, at: now)
    cost = Self.cost(forecast, machine, age: age, perHour: usagePerHour)
    let name = machine.component.isEmpty ? device : "\(machine.component) (\(device))"
    recommendation = Recommendation(
      .init(
        machine: machine, device: device, name: name, zone: zone, zoneSince: zoneSince,
        severity: severity,
        forecast: forecast, services: services, cost: try? cost.get(),  // Without one, others count.
        isHeld: isHeld, age: age, now: now))
    (explained, scale, base, margin, reasons) = ("health", .none, 1, 1, [])
    explain(machine, condition)
  }

  /// Of several models of remaining life the first that has something to go by.
  private static func evidence(
    _ set: MaintenanceModelSet?, _ machine: MaintainedMachine, _ state: FailureForecast.Condition
  ) -> FailureForecast.Evidence {
    var failure: [ScoringModel] = []
    var life: ScoringModel?
    for model in set?.models ?? [] {
      guard case .remainingLife = model.output else {
        failure.append(model)
        continue
      }
      if life == nil, state.rows[model.reference.name] != nil { life = model }
    }
    return .init(
      labelledFailures: set?.labelledFailures ?? 0, failureModels: failure, lifeModel: life,
      prior: machine.prior, zones: machine.severity?.zones)
  }

  private static func state(
    of condition: MachineCondition, _ machine: MaintainedMachine, _ set: MaintenanceModelSet?
  ) -> FailureForecast.Condition {
    var rows: [String: [Double]] = [:]
    let row = condition.row
    for model in set?.models ?? [] {
      if model.features.count != row.count {
        rows[model.reference.name] = [condition.age ?? .nan]
      } else if condition.periods > 0 || machine.signals.isEmpty {
        // Before the first period of a life its signals say nothing: no model was trained on that.
        rows[model.reference.name] = row
      }
    }
    return .init(
      rows: rows, age: condition.age, severity: condition.severity.value,
      usagePerHour: machine.usage.source == .calendarHours ? 1 : condition.perHour(machine),
      usageUnit: machine.usage.unit)
  }

  private static func cost(
    _ forecast: FailureForecast, _ machine: MaintainedMachine, age: Double?, perHour: Double?
  ) -> Result<CostOfWaiting, CostOfWaiting.Refusal> {
    Result { () throws(CostOfWaiting.Refusal) in
      try CostOfWaiting(
        costs: machine.costs, probability: forecast.failures.first?.value,
        lives: lives(forecast, machine, age: age, perHour: perHour))
    }
  }

  /// How long lives are, in days: as was declared, else of the shape of wear, 2, around the life that is expected of
  /// this one.
  private static func lives(
    _ forecast: FailureForecast, _ machine: MaintainedMachine, age: Double?, perHour: Double?
  ) -> Weibull? {
    guard let perHour, perHour > 0 else { return nil }
    if let prior = machine.prior {
      return Weibull(shape: prior.shape, scale: prior.scale / perHour / 24)
    }
    guard let age, let left = forecast.remainingHours?.value, age / perHour + left > 0 else {
      return nil
    }
    // The mean of a Weibull of shape 2 is its scale × √π/2.
    return Weibull(shape: 2, scale: (age / perHour + left) / 24 / 0.886_226_925_452_758)
  }

  // MARK: - Reasons

  private mutating func explain(_ machine: MaintainedMachine, _ condition: MachineCondition) {
    let failure = forecast.failures.last { $0.value != nil }
    guard let score = failure ?? forecast.remainingLife.flatMap({ $0.value == nil ? nil : $0 })
    else { return explainHealth(machine) }
    explained = failure == nil ? "remaining_life" : score.name
    scale = Scale(rawValue: score.scale.rawValue) ?? .none
    (base, margin) = (score.baseMargin, score.margin)
    // One reason a signal: the parts of its features add up, and the largest of them is put into words.
    var groups: [(signal: String, sum: Double, strongest: Score.Contribution)] = []
    for part in score.contributions {
      let signal =
        machine.signals.first { part.feature.hasPrefix($0.name + " ") }?.name ?? part.feature
      if let place = groups.firstIndex(where: { $0.signal == signal }) {
        groups[place].sum += part.amount
        if part.amount.magnitude > groups[place].strongest.amount.magnitude {
          groups[place].strongest = part
        }
      } else {
        groups.append((signal, part.amount, part))
      }
    }
    let order = groups.indices.sorted {
      (-groups[$0].sum.magnitude, $0) < (-groups[$1].sum.magnitude, $1)
    }
    // What is not known adds nothing; that is said only where nothing else can be.
    let known = order.filter { groups[$0].strongest.featureValue.isFinite }
    reasons = (known.isEmpty ? order : known).map { index in
      Reason(
        signal: groups[index].signal, contribution: groups[index].sum,
        text: Self.text(groups[index].strongest, isLife: scale == .remainingLife, machine))
    }
  }

  /// With zones alone, health falls short of 1 by what the severity takes away.
  private mutating func explainHealth(_ machine: MaintainedMachine) {
    guard let health = forecast.health, let severity = machine.severity else { return }
    scale = .health
    (base, margin) = (1, health)
    let value = self.severity.map { Figure.short($0) } ?? "–"
    let unit = severity.zones.symbol
    let letter = self.severity.flatMap { severity.zones.zone(of: $0) }?.rawValue ?? "–"
    let limits = severity.zones.limits.map { Figure.short($0) }.joined(separator: " / ")
    reasons = [
      Reason(
        signal: severity.metric, contribution: health - 1,
        text: Phrase(
          "\(severity.metric) is \(value) \(unit), zone \(letter); the zones end at \(limits) \(unit)",
          "\(severity.metric) é \(value) \(unit), zona \(letter); as zonas terminam em \(limits) \(unit)"
        ))
    ]
  }

  private static func text(
    _ part: Score.Contribution, isLife: Bool, _ machine: MaintainedMachine
  ) -> Phrase {
    let unit = Unit(part.unit)?.symbol ?? part.unit
    let value = Figure.short(part.featureValue) + (unit == "1" || unit.isEmpty ? "" : " " + unit)
    let raises = part.amount >= 0
    let (english, portuguese) =
      switch (isLife, raises) {
      case (false, true): ("raises the risk", "aumenta o risco")
      case (false, false): ("lowers the risk", "reduz o risco")
      case (true, true): ("lengthens the remaining life", "alonga a vida restante")
      case (true, false): ("shortens the remaining life", "encurta a vida restante")
      }
    guard part.featureValue.isFinite else {
      return Phrase(
        "\(part.feature) is not known; its average was taken",
        "\(part.feature) não é conhecido; foi usada a média")
    }
    return Phrase(
      "\(part.feature) is \(value): \(english)", "\(part.feature) é \(value): \(portuguese)")
  }
}
