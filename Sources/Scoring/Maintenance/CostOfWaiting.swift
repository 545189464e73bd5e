import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// What one more day of waiting costs on average, set against what it saves.
///
/// The hazard h a day follows from the probability of failing within 24 h: h = −ln(1 − p). A failure costs more than
/// planned work by Cf − Cp; a planned replacement that lasts L days costs Cp/L a day, and a day more of waiting saves
/// that. amount = h·(Cf − Cp) − Cp/L: where it is above 0, waiting costs more than it saves (the marginal cost
/// argument of age replacement: Barlow and Hunter, Operations Research 8, 1960). Worked numbers: p = 0.002, Cf =
/// 18,400, Cp = 3,100, L = 200 d → 0.0020020·15,300 − 15.5 = 15.13 a day.
public struct CostOfWaiting: Sendable, Equatable {
  /// Why there is none.
  public enum Refusal: Error, Sendable, Equatable {
    case noCosts
    case noProbability
  }

  /// In the currency a day; below 0 waiting pays.
  public var amount: Double
  public var currency: String
  /// Probability of a failure within a day.
  public var probability: Double
  /// What a failure costs more than planned work.
  public var excess: Double
  /// What a day of longer life saves; 0 where no life is known.
  public var saving: Double

  /// - Parameters:
  ///   - probability: of a failure within 24 h; `nil` where nothing tells it.
  ///   - lifeDays: age now and the remaining life expected, in calendar days; `nil`: not known.
  public init(
    costs: MaintainedMachine.Costs?, probability: Double?, lifeDays: Double?
  ) throws(Refusal) {
    guard let costs else { throw .noCosts }
    guard let probability else { throw .noProbability }
    self.probability = probability
    currency = costs.currency
    excess = costs.failure - costs.planned
    saving = lifeDays.map { $0 > 0 ? costs.planned / $0 : 0 } ?? 0
    amount = -log1p(-min(probability, 1 - 1e-12)) * excess - saving
  }

  public var phrase: Phrase {
    let day = Self.money(amount.magnitude)
    let chance = Figure.percent(probability)
    let (more, less) = (Self.money(excess), Self.money(saving))
    let facts = Phrase(
      "\(chance) chance of a failure a day × \(more) \(currency) that it costs more than planned work, less "
        + "\(less) \(currency) a day that a longer life saves",
      "\(chance) de chance de falha por dia × \(more) \(currency) a mais que o trabalho planejado, menos "
        + "\(less) \(currency) por dia que uma vida mais longa economiza")
    return amount >= 0
      ? Phrase(
        "Each day of waiting costs about \(day) \(currency): \(facts.english)",
        "Cada dia de espera custa cerca de \(day) \(currency): \(facts.portuguese)")
      : Phrase(
        "Waiting still pays, about \(day) \(currency) a day: \(facts.english)",
        "Esperar ainda compensa, cerca de \(day) \(currency) por dia: \(facts.portuguese)")
  }

  private static func money(_ amount: Double) -> String {
    Figure.text(amount, decimals: amount < 100 ? 2 : 0)
  }
}

/// Numbers as people read them.
enum Figure {
  /// Rounded to so many decimals, without zeros at the end.
  static func text(_ value: Double, decimals: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "–" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int64((value * scale).rounded())
    guard decimals > 0 else { return String(scaled) }
    let (whole, part) = scaled.magnitude.quotientAndRemainder(dividingBy: UInt64(scale))
    var digits = String(part)
    while digits.count < decimals { digits = "0" + digits }
    while digits.last == "0" { digits.removeLast() }
    return (scaled < 0 ? "-" : "") + String(whole) + (digits.isEmpty ? "" : "." + digits)
  }

  /// Three digits that count: 1234, 12.3, 0.0123.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    var decimals = 0
    var size = value.magnitude
    while size > 0, size < 100, decimals < 6 {
      size *= 10
      decimals += 1
    }
    return text(value, decimals: decimals)
  }

  static func percent(_ share: Double) -> String { short(share * 100) + " %" }
}
