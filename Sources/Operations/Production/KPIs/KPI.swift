import Telemetry

/// One indicator: an exact quotient, rounded once when it is printed, or the reason why there is none.
public struct KPI: Hashable, Sendable {
  /// Snake case.
  public var name: String
  /// `production_time / planned_busy_time`; what it is made of.
  public var formula: String
  /// `1` for a ratio, `s`, or `1/h`.
  public var unit: String
  /// In seconds or parts; `nil`: not known.
  public var numerator: Fraction?
  public var denominator: Fraction?
  /// Why there is no value.
  public var missing: String?

  /// The nearest double; `nil` with the reason in `missing`.
  public var value: Double? { quotient?.value }

  public var quotient: Fraction? {
    guard let numerator, let denominator, !denominator.isZero, missing == nil else { return nil }
    return numerator / denominator
  }

  init(
    _ name: String, _ formula: String, unit: String = "1",
    _ numerator: ProductionFigures.Quantity, over denominator: ProductionFigures.Quantity
  ) {
    self.name = name
    self.formula = formula
    self.unit = unit
    self.numerator = numerator.fraction
    self.denominator = denominator.fraction
    if case .missing(let why) = numerator {
      missing = why
    } else if case .missing(let why) = denominator {
      missing = why
    } else if self.denominator?.isZero == true {
      missing =
        "\(formula.split(separator: "/").last.map { $0.filter { $0 != " " } } ?? "") is zero"
    }
  }

  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("value", value.map(JSONValue.double) ?? .null), ("unit", .string(unit)),
      ("formula", .string(formula)),
      ("numerator", numerator.map { .double($0.value) } ?? .null),
      ("denominator", denominator.map { .double($0.value) } ?? .null),
    ]
    if let missing { members.append(("reason", .string(missing))) }
    return .object(members)
  }
}
