import Telemetry

/// What is answered wherever somebody asks for an OEE: now, for a shift, an order, an hour, any stretch of time, or for
/// numbers given by hand. There is no second way to one.
public struct OEEResult: Hashable, Sendable {
  public var figures: ProductionFigures
  /// The state map by which the time was counted.
  public var factors: StateFactors
  public var kpis: KPISet
  public var waterfall: LossWaterfall
  public var pareto: ReasonPareto
  public var warnings: [ProductionWarning]

  public init(_ figures: ProductionFigures, factors: StateFactors) {
    self.figures = figures
    self.factors = factors
    kpis = KPISet(figures)
    waterfall = LossWaterfall(figures)
    pareto = ReasonPareto(figures.stops)
    warnings = figures.warnings
    warnOfFigures()
  }

  private mutating func warnOfFigures() {
    if let performance = kpis.performance.quotient, performance > Fraction(1) {
      warn(
        "ideal_cycle_too_slow",
        "performance is above 1: parts were made faster than the ideal cycle allows; check the ideal"
          + " cycle and the counters")
    }
    for product in figures.products {
      if let contradiction = product.contradiction { warn("contradictory_counters", contradiction) }
    }
    if figures.partsOutside > .zero {
      warn(
        "produced_outside_planned_time",
        "\(figures.partsOutside) parts were made outside planned time and are in no figure;"
          + " check the calendar")
    }
  }

  private mutating func warn(_ code: String, _ message: String) {
    warnings.append(ProductionWarning(code: code, message: message))
  }

  /// Figures, losses, map and warnings, with the members always in the same order.
  public func json(_ reasons: StopReasons = StopReasons()) -> JSONValue {
    .object([
      ("availability", Self.number(kpis.availability)),
      ("performance", Self.number(kpis.performance)),
      ("quality", Self.number(kpis.quality)),
      ("oee", Self.number(kpis.oee)),
      ("oee_without_line_losses", Self.number(kpis["oee_without_line_losses"])),
      ("teep", Self.number(kpis["teep"])),
      ("unknown_share", Self.number(kpis["unknown_share"])),
      ("kpis", kpis.json),
      ("time", timeJSON),
      ("parts", partsJSON),
      ("losses", waterfall.sixBigLosses),
      ("waterfall", waterfall.json),
      ("reasons", pareto.json(reasons)),
      ("failures", .integer(figures.failures)),
      ("shifts", .integer(figures.shifts)),
      ("state_map", factors.json),
      ("warnings", .array(warnings.map(\.json))),
    ])
  }

  private static func number(_ kpi: KPI?) -> JSONValue { kpi?.value.map(JSONValue.double) ?? .null }

  private var timeJSON: JSONValue {
    let time = figures.time
    return .object(
      [
        ("calendar_time_seconds", .seconds(time.calendarTime)),
        ("planned_busy_time_seconds", .seconds(time.plannedBusyTime)),
        ("production_time_seconds", .seconds(time.productionTime)),
        ("setup_time_seconds", .seconds(time.setupTime)),
        ("small_stop_time_seconds", .seconds(time.smallStopTime)),
        ("delay_time_seconds", .seconds(time.delayTime)),
        ("external_time_seconds", .seconds(time.externalLost + time.externalSmall)),
      ] + MachineState.allCases.map { ("\($0.name)_seconds", .seconds(time.total($0))) })
  }

  private var partsJSON: JSONValue {
    func parts(_ parts: Parts?) -> JSONValue { parts.map(JSONValue.parts) ?? .null }
    return .array(
      figures.products.map { product in
        .object([
          ("product", .optional(product.product)),
          (
            "ideal_cycle_seconds",
            product.idealCycle.map { .double(($0.microseconds / Fraction(1_000_000)).value) }
              ?? .null
          ),
          ("total", parts(product.made)), ("good", parts(product.goodMade)),
          ("scrap", parts(product.scrap ?? product.rejects)), ("rework", parts(product.rework)),
          ("start_up_rejects", .parts(product.startUpRejects)),
        ])
      })
  }
}
