import Statistics
import Telemetry

/// The values of quality as JSON: names in snake_case, units in names or in `unit`, absent numbers null.
extension ControlChart {
  /// `unit`: UCUM code of the values; `nil` for counts and shares.
  public func json(unit: String?) -> JSONValue {
    .object([
      ("characteristic", .string(id)), ("chart", .string(settings.type.rawValue)),
      ("unit", .optional(unit)),
      ("rules", .array(settings.rules.list.map { .string($0.name) })),
      ("center", .number(parameters?.center)), ("sigma_within", .number(parameters?.sigma)),
      ("baseline_is_stable", .bool(isBaselineStable)),
      ("points", .array(points.map(\.json))), ("findings", .array(findings.map(\.json))),
      (
        "refused",
        .array(
          refusals.keys.sorted().compactMap { position in
            refusals[position].map {
              .object([("position", .integer(position)), ("reason", .string($0.description))])
            }
          })
      ),
    ])
  }
}

extension ControlChart.Point {
  public var json: JSONValue {
    .object([
      ("index", .integer(index)), ("time", .string(time.rfc3339)), ("size", .integer(size)),
      ("value", .double(value)), ("center", .number(limits?.center)),
      ("lower_limit", .number(limits?.lower)), ("upper_limit", .number(limits?.upper)),
      ("spread", .number(spread)), ("spread_center", .number(spreadLimits?.center)),
      ("spread_lower_limit", .number(spreadLimits?.lower)),
      ("spread_upper_limit", .number(spreadLimits?.upper)), ("is_baseline", .bool(isBaseline)),
      ("is_excluded", .bool(isExcluded)),
    ])
  }
}

extension OutOfControl {
  public var json: JSONValue {
    .object([
      ("characteristic", .string(characteristic)), ("chart", .string(chart.rawValue)),
      ("rule", .string(cause.name)), ("side", .string(side.name)),
      ("time", .string(time.rfc3339)), ("is_continued", .bool(isContinued)),
      ("sentence", .string(sentence)), ("center", .double(limits.center)),
      ("lower_limit", .number(limits.lower)), ("upper_limit", .number(limits.upper)),
      (
        "points",
        .array(
          points.map {
            .object([
              ("index", .integer($0.index)), ("time", .string($0.time.rfc3339)),
              ("value", .double($0.value)),
            ])
          })
      ),
    ])
  }
}

extension CapabilityIndex {
  fileprivate func json(_ potentialName: String, _ actualName: String) -> JSONValue {
    .object([
      ("sigma", .double(sigma)), (potentialName, .number(potential)), (actualName, .double(actual)),
      (potentialName + "_interval_95", potentialInterval?.json ?? .null),
      (actualName + "_interval_95", actualInterval.json),
      ("interval_methods", .string("chi_square, bissell_normal")),
      ("expected_below_ppm", .double(expectedBelowPPM)),
      ("expected_above_ppm", .double(expectedAbovePPM)), ("expected_ppm", .double(expectedPPM)),
    ])
  }
}

extension CapabilityIndex.Interval {
  fileprivate var json: JSONValue { .array([.double(lower), .double(upper)]) }
}

extension CapabilityStudy {
  public func json(characteristic: String, unit: String?) -> JSONValue {
    .object([
      ("characteristic", .string(characteristic)), ("unit", .optional(unit)),
      ("lower_limit", .number(limits.lower)), ("upper_limit", .number(limits.upper)),
      ("target", .number(limits.target)), ("count", .integer(count)),
      ("subgroups", .integer(subgroupCount)), ("mean", .double(mean)),
      ("within_estimate", .string(estimate.rawValue)),
      ("within", within?.json("cp", "cpk") ?? .null), ("overall", overall.json("pp", "ppk")),
      ("observed_below", .integer(observedBelow)), ("observed_above", .integer(observedAbove)),
      (
        "normality",
        normality.map {
          .object([
            ("test", .string("anderson_darling")), ("statistic", .double($0.statistic)),
            ("p", .double($0.p)),
          ])
        } ?? .null
      ),
      ("warnings", .array(warnings.map { .string($0.rawValue) })),
    ])
  }
}

extension DefectPareto {
  public var json: JSONValue {
    .object([
      ("total", .integer(total)),
      (
        "rows",
        .array(
          rows.map {
            .object([
              ("code", .string($0.code)), ("count", .integer($0.count)),
              ("share", .double($0.share)), ("cumulative_share", .double($0.cumulativeShare)),
            ])
          })
      ),
    ])
  }
}

extension JSONValue {
  static func number(_ number: Double?) -> JSONValue { number.map(JSONValue.double) ?? .null }
}
