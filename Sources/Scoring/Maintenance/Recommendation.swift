import Telemetry

/// What should be done to a machine, the most urgent thing alone.
public struct Recommendation: Sendable, Equatable {
  /// How urgent it is; the order of the cases is the order of urgency.
  public enum Urgency: UInt8, Sendable, Comparable, CaseIterable {
    case none = 0
    /// A service falls due soon.
    case soon = 1
    case due = 2
    /// For a limited time it may go on.
    case plan = 3
    /// Damage is being done.
    case stop = 4

    public static func < (a: Urgency, b: Urgency) -> Bool { a.rawValue < b.rawValue }

    public var name: String { ["none", "low", "medium", "high", "critical"][Int(rawValue)] }
  }

  public var urgency: Urgency
  /// For programs: `stop_and_repair`, `plan_repair`, `plan_replacement`, `service_due`, `service_soon`, `no_action`,
  /// or what the integrator calls it.
  public var code: String
  public var text: Phrase
  public var dueBefore: Timestamp?
  /// The service it is about.
  public var service: String?
  /// It follows from how long the machine will last, not from what was measured or from a calendar.
  public var isForecast = false

  /// Equal for recommendations that say the same, whatever the numbers in their texts.
  public var key: String { "\(urgency.rawValue) \(code) \(service ?? "")" }
}

extension Recommendation {
  /// What it rests on.
  struct Grounds {
    var machine: MaintainedMachine
    var device: String
    /// What wears, as people call it.
    var name: String
    var zone: SeverityZones.Zone?
    var zoneSince: Timestamp?
    var severity: Double?
    var forecast: FailureForecast
    var services: [ServiceStatus]
    var cost: CostOfWaiting?
    var isHeld: Bool
    var age: Double?
    var now: Timestamp
  }

  init(_ grounds: Grounds) {
    if let zone = grounds.zone, zone >= .c {
      self = Self.zone(zone, grounds)
    } else if let replacement = Self.replacement(grounds) {
      self = replacement
    } else if let due = grounds.services.filter(\.isDue).max(by: { $0.share < $1.share }) {
      self = Self.service(due, .due, grounds)
    } else if let soon = grounds.services.filter(\.isSoon).max(by: { $0.share < $1.share }) {
      self = Self.service(soon, .soon, grounds)
    } else {
      self.init(
        urgency: .none, code: "no_action",
        text: Phrase("Nothing needs to be done now", "Nada precisa ser feito agora"))
    }
  }

  private static func zone(_ zone: SeverityZones.Zone, _ grounds: Grounds) -> Recommendation {
    let isStop = zone == .d
    let action = grounds.machine.actions[isStop ? .zoneD : .zoneC]
    let facts = facts(of: zone, grounds)
    let due =
      isStop
      ? grounds.zoneSince
      : grounds.machine.leadMicroseconds.flatMap {
        grounds.zoneSince?.advanced(byMicroseconds: $0)
      }
    let advice =
      action?.text
      ?? (isStop
        ? Phrase("stop and repair it", "pare e repare")
        : Phrase("plan a repair", "planeje um reparo"))
    return Recommendation(
      urgency: isStop ? .stop : .plan,
      code: action?.code ?? (isStop ? "stop_and_repair" : "plan_repair"),
      text: Phrase(
        "\(facts.english): \(advice.english)", "\(facts.portuguese): \(advice.portuguese)"),
      dueBefore: due)
  }

  private static func facts(of zone: SeverityZones.Zone, _ grounds: Grounds) -> Phrase {
    let metric = grounds.machine.severity?.metric ?? "severity"
    let zones = grounds.machine.severity?.zones
    let limit = zones.map { Figure.short($0.limits[zone == .d ? 2 : 1]) + " " + $0.symbol } ?? "–"
    let value = grounds.severity.map { Figure.short($0) } ?? "–"
    let unit = zones?.symbol ?? ""
    return Phrase(
      "\(metric) of \(grounds.name) is \(value) \(unit), in zone \(zone.rawValue) from \(limit) on",
      "\(metric) de \(grounds.name) é \(value) \(unit), na zona \(zone.rawValue) a partir de \(limit)"
    )
  }

  /// When waiting costs more than it saves; where no costs are declared, when the life that 95 of 100 outlast ends
  /// within the lead time.
  private static func replacement(_ grounds: Grounds) -> Recommendation? {
    // A prior says nothing of a part whose age nobody knows.
    guard grounds.forecast.basis == .model || grounds.age != nil else { return nil }
    let hours = grounds.forecast.remainingHours
    let low = hours?.interval?.lowerBound
    let lead = Double(grounds.machine.leadMicroseconds ?? 0) / 3.6e9
    if let cost = grounds.cost {
      // Once it was said it is not taken back for a tenth: rates of use go up and down.
      guard cost.amount > (grounds.isHeld ? -0.1 * cost.saving : 0) else { return nil }
    } else {
      guard let low, low <= lead else { return nil }
    }
    let action = grounds.machine.actions[.failure]
    let part = grounds.machine.component.isEmpty ? grounds.name : grounds.machine.component
    let advice =
      action?.text
      ?? Phrase("plan to replace it", "planeje a substituição")
    let facts =
      grounds.cost.map { $0.amount > 0 ? $0.phrase : Self.evenPhrase }
      ?? Phrase(
        "\(part) may fail within \(Figure.short(max(0, low ?? 0))) h",
        "\(part) pode falhar em \(Figure.short(max(0, low ?? 0))) h")
    return Recommendation(
      urgency: .plan, code: action?.code ?? "plan_replacement",
      text: Phrase(
        "\(part): \(advice.english). \(facts.english)",
        "\(part): \(advice.portuguese). \(facts.portuguese)"),
      dueBefore: low.map { grounds.now.advanced(byHours: max(0, $0)) }, isForecast: true)
  }

  /// Between the point where a replacement is recommended and the one where that is taken back.
  private static let evenPhrase = Phrase(
    "Waiting costs about as much as it saves", "Esperar custa quase o mesmo que economiza")

  private static func service(
    _ status: ServiceStatus, _ urgency: Urgency, _ grounds: Grounds
  ) -> Recommendation {
    let text = status.service.text
    let used = "\(Figure.short(status.used)) \(status.unit)"
    let every = status.service.every
    let past =
      status.lastDone == nil
      ? Phrase(
        "never told to be done, \(used) so far", "nunca informado como feito, \(used) até agora")
      : Phrase("last done \(used) ago", "feito há \(used)")
    return Recommendation(
      urgency: urgency, code: urgency == .due ? "service_due" : "service_soon",
      text: urgency == .due
        ? Phrase(
          "\(text.english) (\(grounds.device)): due every \(every), \(past.english)",
          "\(text.portuguese) (\(grounds.device)): a cada \(every), \(past.portuguese)")
        : Phrase(
          "\(text.english) (\(grounds.device)) falls due soon: every \(every), \(past.english)",
          "\(text.portuguese) (\(grounds.device)) vence em breve: a cada \(every), \(past.portuguese)"
        ),
      dueBefore: status.due, service: status.service.id)
  }
}

extension SeverityZones {
  /// The unit as people write it.
  var symbol: String { Unit(unit)?.symbol ?? (unit == "1" ? "" : unit) }
}
