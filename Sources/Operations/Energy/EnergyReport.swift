import Statistics
import Telemetry

/// The values of energy as JSON: names in snake_case with their unit last, absent numbers null.
extension DemandInterval {
  public var json: JSONValue {
    .object([
      ("from", .string(span.from.rfc3339)), ("to", .string(span.to.rfc3339)),
      ("energy_kwh", .double(kilowattHours)), ("demand_kw", .double(kilowatts)),
      ("coverage", .double(coverage)),
    ])
  }
}

extension PeakDemand {
  public var json: JSONValue {
    .object([
      ("highest", .array(highest.map(\.json))), ("uncovered_intervals", .integer(uncoveredCount)),
    ])
  }
}

extension LoadProfile {
  public var json: JSONValue {
    .object([
      ("slot_minutes", .integer(minutes)),
      (
        "slots",
        .array(
          slots.map {
            .object([
              ("day", .string($0.day.rawValue)), ("start", .string($0.start.description)),
              ("count", .integer($0.count)), ("mean_kw", .double($0.meanKilowatts)),
              ("lowest_kw", .double($0.lowestKilowatts)),
              ("highest_kw", .double($0.highestKilowatts)),
            ])
          })
      ),
    ])
  }
}

extension StateConsumption {
  public var json: JSONValue {
    .object([
      ("total_kwh", .double(totalKilowattHours)), ("idle_kwh", .double(idleKilowattHours)),
      ("idle_share", .number(idleShare)),
      (
        "states",
        .array(
          rows.map {
            .object([
              ("state", .string($0.state)), ("time_h", .double($0.hours)),
              ("energy_kwh", .double($0.kilowattHours)), ("mean_kw", .number($0.meanKilowatts)),
              ("coverage", .double($0.coverage)), ("is_productive", .bool($0.isProductive)),
            ])
          })
      ),
    ])
  }
}

extension EnergyPerPart {
  public var json: JSONValue {
    .object([
      ("energy_kwh", .double(kilowattHours)), ("good_parts", .double(goodParts)),
      ("kwh_per_good_part", .number(kilowattHoursPerGoodPart)), ("coverage", .double(coverage)),
      ("reason", .optional(missing)),
    ])
  }
}

extension EnergyBaseline {
  public var json: JSONValue {
    .object([
      ("periods", .integer(fit.rowCount)), ("r_squared", .double(fit.rSquared)),
      ("r_squared_adjusted", .number(fit.adjustedRSquared)), ("cv_rmse", .number(fit.cvRMSE)),
      ("standard_error_kwh", .number(fit.standardError)),
      ("intercept_kwh", fit.intercept.json),
      (
        "drivers",
        .array(
          drivers.indices.map { index in
            .object([
              ("name", .string(drivers[index])), ("kwh_per_unit", fit.coefficients[index].json),
              ("lowest", .double(ranges[index].lowerBound)),
              ("highest", .double(ranges[index].upperBound)),
            ])
          })
      ),
      ("collinear_drivers", .array(collinearDrivers.map(JSONValue.string))),
      ("warnings", .array(warnings.map { .string($0.rawValue) })),
    ])
  }
}

extension LeastSquares.Coefficient {
  fileprivate var json: JSONValue {
    .object([
      ("value", .double(value)), ("standard_error", .number(standardError)),
      ("is_identified", .bool(isIdentified)),
    ])
  }
}

extension EnergySavings {
  public var json: JSONValue {
    .object([
      ("actual_kwh", .double(actualKilowattHours)), ("expected_kwh", .double(expectedKilowattHours)),
      ("saved_kwh", .double(savedKilowattHours)),
      ("performance_indicator", .number(performanceIndicator)),
      (
        "periods",
        .array(
          rows.map {
            .object([
              ("period", .string($0.period)), ("actual_kwh", .double($0.actualKilowattHours)),
              ("expected_kwh", .double($0.expectedKilowattHours)),
              ("saved_kwh", .double($0.savedKilowattHours)),
              ("cumulative_saved_kwh", .double($0.cumulativeKilowattHours)),
              ("extrapolated_drivers", .array($0.extrapolatedDrivers.map(JSONValue.string))),
            ])
          })
      ),
    ])
  }
}

extension EnergyCost {
  public var json: JSONValue {
    .object([
      ("currency", .string(currency)), ("energy_kwh", .double(kilowattHours)),
      ("energy_cost", .double(energyCost)), ("demand_cost", .double(demandCost)),
      ("fixed_cost", .double(fixedCost)), ("total_cost", .double(total)),
      ("co2_kg", .number(kilogramsCO2)), ("uncovered_intervals", .integer(uncoveredCount)),
      (
        "periods",
        .array(
          periods.map {
            .object([
              ("name", .string($0.name)), ("energy_kwh", .double($0.kilowattHours)),
              ("price_per_kwh", .double($0.pricePerKilowattHour)), ("cost", .double($0.cost)),
            ])
          })
      ),
      (
        "months",
        .array(
          months.map {
            .object([
              ("month", .string($0.month)), ("peak", $0.peak?.json ?? .null),
              ("demand_cost", .double($0.demandCost)), ("fixed_cost", .double($0.fixedCost)),
            ])
          })
      ),
    ])
  }
}
