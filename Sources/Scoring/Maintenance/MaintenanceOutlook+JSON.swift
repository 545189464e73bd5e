import Telemetry

/// The outlook as callers see it; see docs/maintenance.md for what each member means.
extension MaintenanceOutlook {
  /// The language of its texts.
  public enum Tongue: Sendable {
    case english
    case portuguese
  }

  /// The answer to a question for a prediction.
  public func prediction(in tongue: Tongue) -> JSONValue {
    .object(
      [("device_id", .string(device))] + shared(tongue) + [
        ("scale", .string(scale.rawValue)),
        (
          "explained",
          .object([
            ("score", .string(explained)), ("base", .double(base)), ("value", .double(margin)),
          ])
        ), ("model", modelJSON), ("labelled_failures", .integer(labelledFailures)),
        ("usage", usageJSON), ("as_of", .string(time.rfc3339)),
      ])
  }

  /// One item of the plan.
  public func plan(in tongue: Tongue) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("device_id", .string(device)), ("asset", .string(asset)),
    ]
    members += shared(tongue)
    members.append(("due_before", .optional(recommendation.dueBefore?.rfc3339)))
    members.append(("urgency", .string(recommendation.urgency.name)))
    switch cost {
    case .success(let cost):
      members.append(
        (
          "cost_of_waiting",
          .object([
            ("amount", .double((cost.amount * 100).rounded() / 100)),
            ("currency", .string(cost.currency)), ("per", .string("day")),
            ("text", .string(cost.phrase.text(tongue))),
          ])
        ))
    case .failure(let refusal):
      members.append(("cost_of_waiting", .null))
      members.append(("cost_of_waiting_reason", .string(refusal.phrase.text(tongue))))
    }
    members.append(
      (
        "services",
        .array(
          services.map { status in
            .object([
              ("id", .string(status.service.id)),
              ("text", .string(status.service.text.text(tongue))),
              ("every", .string(status.service.every)), ("used", .double(status.used)),
              ("interval", .double(status.interval)), ("unit", .string(status.unit)),
              ("due", .bool(status.isDue)), ("last_done", .optional(status.lastDone?.rfc3339)),
              ("due_before", .optional(status.due?.rfc3339)),
            ])
          })
      ))
    members.append(("scale", .string(scale.rawValue)))
    members.append(("model", modelJSON))
    return .object(members)
  }

  private func shared(_ tongue: Tongue) -> [(String, JSONValue)] {
    [
      ("health", forecast.health.map(JSONValue.double) ?? .null),
      ("zone", .optional(zone?.rawValue)),
      (
        "failure_probability",
        .object(
          zip(["24h", "7d", "30d"], forecast.failures).map { name, score in
            (name, score.value.map(JSONValue.double) ?? .null)
          })
      ), ("remaining_useful_life", lifeJSON),
      (
        "recommended_action",
        .object([
          ("code", .string(recommendation.code)),
          ("text", .string(recommendation.text.text(tongue))),
        ])
      ),
      (
        "reasons",
        .array(
          reasons.map { reason in
            .object([
              ("signal", .string(reason.signal)), ("contribution", .double(reason.contribution)),
              ("text", .string(reason.text.text(tongue))),
            ])
          })
      ), ("basis", .string(forecast.basis.rawValue)),
    ]
  }

  /// In the usage unit, and in hours where a duty rate is known.
  private var lifeJSON: JSONValue {
    guard let life = forecast.remainingLife, let expected = life.value else { return .null }
    var members: [(String, JSONValue)] = [
      ("expected", .double(expected)),
      ("low", life.interval.map { .double($0.lowerBound) } ?? .null),
      ("high", life.interval.map { .double($0.upperBound) } ?? .null),
      ("unit", .string(life.unit)),
    ]
    if let hours = forecast.remainingHours, let expected = hours.value {
      members.append(
        (
          "hours",
          .object([
            ("expected", .double(expected)),
            ("low", hours.interval.map { .double($0.lowerBound) } ?? .null),
            ("high", hours.interval.map { .double($0.upperBound) } ?? .null),
          ])
        ))
    }
    return .object(members)
  }

  private var modelJSON: JSONValue {
    guard let model else { return .null }
    return .object([
      ("name", .string(model.name)), ("version", .integer(model.version)),
      ("trained_at", .string(model.trainedAt.rfc3339)),
    ])
  }

  private var usageJSON: JSONValue {
    .object([
      ("age", age.map(JSONValue.double) ?? .null), ("unit", .string(usageUnit)),
      ("per_day", usagePerHour.map { .double($0 * 24) } ?? .null),
    ])
  }

  /// For the order of a plan: the most urgent first, then what waiting costs most, then the poorest health, then
  /// what is due first.
  public static func isMoreUrgent(_ a: MaintenanceOutlook, _ b: MaintenanceOutlook) -> Bool {
    if a.recommendation.urgency != b.recommendation.urgency {
      return a.recommendation.urgency > b.recommendation.urgency
    }
    let (first, second) = ((try? a.cost.get())?.amount, (try? b.cost.get())?.amount)  // None: last.
    if first != second { return (first ?? -.infinity) > (second ?? -.infinity) }
    if a.forecast.health != b.forecast.health {
      return (a.forecast.health ?? 2) < (b.forecast.health ?? 2)
    }
    if a.recommendation.dueBefore != b.recommendation.dueBefore {
      return (a.recommendation.dueBefore ?? .distantFuture)
        < (b.recommendation.dueBefore ?? .distantFuture)
    }
    return a.device < b.device
  }
}

extension Phrase {
  public func text(_ tongue: MaintenanceOutlook.Tongue) -> String {
    tongue == .portuguese ? portuguese : english
  }
}

extension CostOfWaiting.Refusal {
  public var phrase: Phrase {
    switch self {
    case .noCosts:
      Phrase(
        "no `costs` are declared for the machine", "não há `costs` declarados para a máquina")
    case .noProbability:
      Phrase(
        "there is no probability of a failure: it needs a model or a declared prior, and a duty rate",
        "não há probabilidade de falha: requer um modelo ou uma distribuição declarada e uma taxa de uso"
      )
    }
  }
}
