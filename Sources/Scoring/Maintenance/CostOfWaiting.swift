import Statistics
import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// What one more day of waiting costs on average, set against what it saves.
///
/// The hazard h a day follows from the probability of failing within 24 h: h = −ln(1 − p). A failure costs more than
/// planned work by Cf − Cp. Waiting saves the long-run cost of a day, g*: everything that comes after the work comes a
/// day later. amount = h·(Cf − Cp) − g*; where it is above 0, waiting costs more than it saves. That is the marginal
/// argument of age replacement (Barlow and Hunter, Operations Research 8, 1960): h(T*)·(Cf − Cp) = g* at the best age.
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
  /// What a day of waiting saves; 0 where nothing is known of lives.
  public var saving: Double

  /// - Parameters:
  ///   - probability: of a failure within 24 h; `nil` where nothing tells it.
  ///   - lives: how long lives are, in days; `nil`: nobody knows.
  public init(
    costs: MaintainedMachine.Costs?, probability: Double?, lives: Weibull?
  ) throws(Refusal) {
    guard let costs else { throw .noCosts }
    guard let probability else { throw .noProbability }
    self.probability = probability
    currency = costs.currency
    excess = costs.failure - costs.planned
    saving = lives.map { Self.longRunCost(costs, lives: $0) } ?? 0
    amount = -log1p(-min(probability, 1 - 1e-12)) * excess - saving
  }

  /// The least cost a day of replacing at an age or at failure: min over T of
  /// (Cp·S(T) + Cf·F(T)) / ∫₀ᵀ S(t) dt, and Cf / mean life where waiting for the failure is best.
  ///
  /// Worked number: Cp = 1, Cf = 9, shape 2, scale 1 → 5.71, at T* = 0.357.
  static func longRunCost(_ costs: MaintainedMachine.Costs, lives: Weibull) -> Double {
    var least = costs.failure / lives.mean
    let steps = 400
    let width = lives.quantile(0.999) / Double(steps)
    var area = 0.0
    var before = 1.0
    for step in 1...steps {
      let survival = lives.survival(at: Double(step) * width)
      area += (before + survival) / 2 * width
      before = survival
      let cost = costs.planned * survival + costs.failure * (1 - survival)
      least = min(least, cost / area)
    }
    return least
  }

  public var phrase: Phrase {
    let day = Self.money(amount.magnitude)
    let chance = Figure.percent(probability)
    let (more, less) = (Self.money(excess), Self.money(saving))
    let facts = Phrase(
      "\(chance) chance of a failure a day × \(more) \(currency) that it costs more than planned work, less "
        + "\(less) \(currency) that a day of longer life saves",
      "\(chance) de chance de falha por dia × \(more) \(currency) a mais que o trabalho planejado, menos "
        + "\(less) \(currency) que um dia de vida a mais economiza")
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
