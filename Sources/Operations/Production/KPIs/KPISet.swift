import Telemetry

/// The indicators of ISO 22400-2 that production data can answer, in a fixed order; those that it cannot say why.
///
/// `A = APT/PBT · E = Σ(PRI × PQ)/APT · Q = GQ/PQ · OEE = A × E × Q`, computed as one quotient: 420 of 480 min,
/// 400 parts of 1 min of which 380 good give .875, .952, .95 and .792.
public struct KPISet: Hashable, Sendable {
  public let list: [KPI]

  public subscript(name: String) -> KPI? { list.first { $0.name == name } }

  public var availability: KPI { list[0] }
  public var performance: KPI { list[1] }
  public var quality: KPI { list[2] }
  public var oee: KPI { list[3] }

  public init(_ figures: ProductionFigures) {
    let terms = Terms(figures)
    list = terms.effectiveness + terms.time + terms.order + terms.parts + terms.maintenance
  }

  public var json: JSONValue { .object(list.map { ($0.name, $0.json) }) }
}

/// The terms of the formulas, times in seconds.
private struct Terms {
  typealias Quantity = ProductionFigures.Quantity
  let figures: ProductionFigures
  let pbt: Quantity
  let apt: Quantity
  let made: Quantity
  let good: Quantity
  let ideal: Quantity
  let productive: Quantity

  init(_ figures: ProductionFigures) {
    self.figures = figures
    pbt = .seconds(figures.time.plannedBusyTime)
    apt = .seconds(figures.time.productionTime)
    made = figures.made
    good = figures.goodMade
    ideal = figures.idealTime.inSeconds
    productive = figures.fullyProductiveTime.inSeconds
  }

  private static let one = Quantity.known(Fraction(1))

  var effectiveness: [KPI] {
    let time = figures.time
    let external = time.externalLost + time.externalSmall
    return [
      KPI("availability", "production_time / planned_busy_time", apt, over: pbt),
      KPI("performance", "ideal_time / production_time", ideal, over: apt),
      KPI("quality", "good_parts / parts", good, over: made),
      KPI("oee", "fully_productive_time / planned_busy_time", productive, over: pbt),
      KPI(
        "oee_without_line_losses",
        "fully_productive_time / planned_busy_time_without_external_losses", productive,
        over: .seconds(time.plannedBusyTime - external)),
      KPI(
        "teep", "fully_productive_time / calendar_time", productive,
        over: .seconds(time.calendarTime)),
      KPI(
        "nee",
        "processing_time * ideal_time * good_parts / (planned_busy_time * production_time * parts)",
        netEffectiveness, over: pbt),
    ]
  }

  /// AUPT × E × Q, in seconds.
  private var netEffectiveness: Quantity {
    guard case .known(let productive) = productive else { return productive }
    guard case .known(let apt) = apt, !apt.isZero else {
      return .missing("production_time is zero")
    }
    return .known(productive / apt * Fraction.seconds(figures.time.processingTime))
  }

  var time: [KPI] {
    let time = figures.time
    return [
      KPI("loading", "planned_busy_time / calendar_time", pbt, over: .seconds(time.calendarTime)),
      KPI(
        "unknown_share", "unknown_time / planned_busy_time", .seconds(time.lost(.unknown)),
        over: pbt),
      KPI(
        "setup_rate", "setup_time / processing_time", .seconds(time.setupTime),
        over: .seconds(time.processingTime)),
      KPI(
        "technical_efficiency", "production_time / (production_time + delay_time)", apt,
        // Small stops stand in both terms: APT holds them by our convention, ADET by the standard's.
        over: .seconds(time.productionTime + time.delayTime - time.smallStopTime)),
      KPI(
        "worker_efficiency", "worker_time / worker_attendance",
        .missing("attendance of workers is not recorded"), over: Self.one),
    ]
  }

  var order: [KPI] {
    let none = "orders are not recorded for this machine"
    let busy = figures.busyTime.map(Quantity.seconds) ?? .missing(none)
    let order = figures.orderTime.map(Quantity.seconds) ?? .missing(none)
    return [
      KPI("allocation_efficiency", "busy_time / planned_busy_time", busy, over: pbt),
      KPI("utilization_efficiency", "production_time / busy_time", apt, over: busy),
      KPI("allocation_ratio", "busy_time / order_execution_time", busy, over: order),
      KPI("production_process_ratio", "production_time / order_execution_time", apt, over: order),
      KPI("throughput", "parts / order_execution_hours", unit: "1/h", made, over: order.inHours),
      KPI(
        "throughput_of_planned_time", "parts / planned_busy_hours", unit: "1/h", made,
        over: pbt.inHours),
    ]
  }

  var parts: [KPI] {
    let scrap = figures.scrapped
    let firstPass: Quantity =
      switch (made, figures.reworked, figures.rejected) {
      case (.known(let made), .known(let rework), .known(let rejects)):
        .known(made - rejects - rework)
      case (.missing(let why), _, _), (_, .missing(let why), _), (_, _, .missing(let why)):
        .missing(why)
      }
    return [
      KPI("scrap_ratio", "scrap / parts", scrap, over: made),
      KPI(
        "actual_to_planned_scrap_ratio", "scrap / planned_scrap", scrap, over: figures.plannedScrap),
      KPI("rework_ratio", "rework / parts", figures.reworked, over: made),
      KPI("first_pass_yield", "(parts - rejects - rework) / parts", firstPass, over: made),
      KPI(
        "finished_goods_ratio", "good_parts / consumed_material",
        good, over: .missing("consumed material is not recorded")),
      KPI("equipment_load_ratio", "ideal_time / planned_busy_time", ideal, over: pbt),
    ]
  }

  var maintenance: [KPI] {
    let time = figures.time
    let corrective = time.lost(.unplannedStop)
    let failures = Fraction(figures.failures)
    return [
      KPI(
        "mtbf", "processing_time / (failures + 1)", unit: "s", .seconds(time.processingTime),
        over: .known(failures + Fraction(1))),
      KPI(
        "mttf", "production_time / (failures + 1)", unit: "s", apt,
        over: .known(failures + Fraction(1))),
      KPI(
        "mttr", "breakdown_time / failures", unit: "s", .seconds(corrective), over: .known(failures)
      ),
      KPI(
        "corrective_maintenance_ratio",
        "breakdown_time / (breakdown_time + preventive_maintenance_time)",
        .seconds(corrective), over: .seconds(corrective + time.preventive)),
    ]
  }
}

extension Fraction {
  static func seconds(_ microseconds: Int64) -> Fraction {
    Fraction(Int128(microseconds), over: 1_000_000)
  }
}

extension ProductionFigures.Quantity {
  static func seconds(_ microseconds: Int64) -> Self { .known(.seconds(microseconds)) }

  /// µs → s.
  var inSeconds: Self {
    if case .known(let microseconds) = self {
      .known(microseconds / Fraction(1_000_000))
    } else {
      self
    }
  }

  /// s → h.
  var inHours: Self {
    if case .known(let seconds) = self { .known(seconds / Fraction(3_600)) } else { self }
  }
}
