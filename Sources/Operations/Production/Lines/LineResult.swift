import Telemetry

/// The figures of a serial line.
///
/// OEE of the line = good parts of its last machine × ideal cycle of the constraint / planned busy time of the
/// constraint. Where no constraint is declared, the largest ideal cycle per product stands for it, and the machine whose
/// ideal time for those parts is the longest lends its planned busy time; the answer says so. The mean of the machines is a
/// figure of its own, `machines_weighted`, and never called the line's OEE.
public struct LineResult: Hashable, Sendable {
  public struct Machine: Hashable, Sendable {
    public var definition: MachineDefinition
    public var result: OEEResult

    public init(definition: MachineDefinition, result: OEEResult) {
      self.definition = definition
      self.result = result
    }
  }

  public let line: LineDefinition
  /// In the order in which parts pass them.
  public let machines: [Machine]
  /// The machine that sets the pace.
  public let constraint: String?
  public let isConstraintDeclared: Bool
  /// A sentence: how the OEE was computed.
  public let rule: String
  public let oee: KPI
  /// Good parts of the first machine less those of the last; while an order is under way it holds what is still in between.
  public let scrapParts: Fraction?
  public let scrapRatio: KPI
  /// ΣAPT/ΣPBT, ΣPRI·PQ/ΣAPT, ΣGQ/ΣPQ and the PBT-weighted mean of the machines' OEE.
  public let weighted: [KPI]
  public let warnings: [ProductionWarning]
  /// Ideal cycle by which time at line level becomes parts, in µs.
  public let cycle: Fraction?

  /// - Parameter machines: those of `line.machines` that are known, in its order, all over the same stretch of time.
  public init(line: LineDefinition, machines: [Machine], products: [Product]) {
    self.line = line
    self.machines = machines
    isConstraintDeclared = line.constraint != nil
    let pace = Pace(line, machines, products)
    constraint = pace.constraint?.definition.id
    rule = pace.rule
    let planned = pace.constraint?.result.figures.time.plannedBusyTime
    oee = KPI(
      "oee", "good_parts_of_last_machine * ideal_cycle / planned_busy_time", pace.idealTime,
      over: planned.map { .seconds($0) } ?? .missing("the line has no machine with figures"))
    cycle = pace.cycle
    let goodIn = machines.first?.result.figures.goodMade ?? .missing("the line has no machines")
    let goodOut = machines.last?.result.figures.goodMade ?? .missing("the line has no machines")
    if let goodIn = goodIn.fraction, let goodOut = goodOut.fraction {
      scrapParts = goodIn - goodOut
    } else {
      scrapParts = nil
    }
    scrapRatio = KPI(
      "line_scrap_ratio", "(good_parts_in - good_parts_out) / good_parts_in",
      scrapParts.map { .known($0) } ?? goodOut.missingOr(goodIn), over: goodIn)
    weighted = Self.weighted(machines.map(\.result.figures))
    var warnings: [ProductionWarning] = []
    if line.constraint == nil {
      warnings.append(
        ProductionWarning(
          code: "constraint_not_declared", message: "no constraint is declared: \(rule)"))
    }
    for id in line.machines where !machines.contains(where: { $0.definition.id == id }) {
      warnings.append(
        ProductionWarning(code: "machine_without_figures", message: "nothing is known of `\(id)`"))
    }
    self.warnings = warnings
  }

  private static func weighted(_ figures: [ProductionFigures]) -> [KPI] {
    func sum(_ term: (ProductionFigures) -> ProductionFigures.Quantity)
      -> ProductionFigures.Quantity
    {
      var total = Fraction.zero
      for figures in figures {
        switch term(figures) {
        case .known(let value): total = total + value
        case .missing(let why): return .missing(why)
        }
      }
      return .known(total)
    }
    let planned = sum { .seconds($0.time.plannedBusyTime) }
    let production = sum { .seconds($0.time.productionTime) }
    return [
      KPI("availability", "production_time / planned_busy_time", production, over: planned),
      KPI(
        "performance", "ideal_time / production_time", sum { $0.idealTime.inSeconds },
        over: production),
      KPI("quality", "good_parts / parts", sum(\.goodMade), over: sum(\.made)),
      KPI(
        "oee", "fully_productive_time / planned_busy_time",
        sum { $0.fullyProductiveTime.inSeconds },
        over: planned),
    ]
  }

  public func json(_ reasons: StopReasons = StopReasons()) -> JSONValue {
    .object([
      ("line", .string(line.id)), ("oee", oee.value.map(JSONValue.double) ?? .null),
      ("oee_detail", oee.json), ("constraint", .optional(constraint)),
      ("constraint_declared", .bool(isConstraintDeclared)), ("rule", .string(rule)),
      ("line_scrap_parts", scrapParts.map { .double($0.value) } ?? .null),
      ("line_scrap", scrapRatio.json),
      ("machines_weighted", .object(weighted.map { ($0.name, $0.json) })),
      ("worth", .array(worth.map(\.json))),
      (
        "machines",
        .array(
          machines.map {
            .object([
              ("machine", .string($0.definition.id)), ("result", $0.result.json(reasons)),
            ])
          })
      ), ("warnings", .array(warnings.map(\.json))),
    ])
  }
}

/// Which machine sets the pace, and what the line's good parts would have taken at it.
private struct Pace {
  var constraint: LineResult.Machine?
  var rule: String
  /// In seconds.
  var idealTime: ProductionFigures.Quantity
  /// Of one part, in µs.
  var cycle: Fraction?

  init(_ line: LineDefinition, _ machines: [LineResult.Machine], _ products: [Product]) {
    rule = ""
    idealTime = .missing("the line has no machine with figures")
    guard let last = machines.last else { return }
    if let declared = line.constraint {
      constraint = machines.first { $0.definition.id == declared }
      rule =
        "good parts of `\(last.definition.id)` × ideal cycle of the declared constraint `\(declared)`"
        + " / planned busy time of `\(declared)`"
      guard let constraint else {
        idealTime = .missing("nothing is known of the constraint `\(declared)`")
        return
      }
      idealTime = Self.idealTime(of: last, products) { product in
        Self.cycle(of: product, on: constraint) ?? constraint.result.figures.meanIdealCycle
      }
    } else {
      constraint = Self.slowest(machines, last, products)
      rule =
        "good parts of `\(last.definition.id)` × largest ideal cycle of the line per product"
        + " / planned busy time of `\(constraint?.definition.id ?? "")`"
      idealTime = Self.idealTime(of: last, products) { product in
        machines.compactMap { Self.cycle(of: product, on: $0) }.max()
      }
    }
    if let time = idealTime.fraction, let good = last.result.figures.goodMade.fraction, !good.isZero
    {
      cycle = time * Fraction(1_000_000) / good
    } else {
      cycle = constraint?.result.figures.meanIdealCycle
    }
  }

  /// The machine that would take longest for what the line brought out; the first of equals.
  private static func slowest(
    _ machines: [LineResult.Machine], _ last: LineResult.Machine, _ products: [Product]
  ) -> LineResult.Machine? {
    var best: (machine: LineResult.Machine, time: Fraction)?
    for machine in machines {
      let time =
        idealTime(of: last, products) { cycle(of: $0, on: machine) }.fraction
        ?? machine.result.figures.meanIdealCycle ?? .zero
      if best.map({ $0.time < time }) ?? true { best = (machine, time) }
    }
    return best?.machine
  }

  private static func cycle(of product: Product?, on machine: LineResult.Machine) -> Fraction? {
    (product.map { $0.idealCycle(on: machine.definition) } ?? machine.definition.idealCycle)?
      .microseconds
  }

  /// In seconds, over the products of the last machine.
  private static func idealTime(
    of last: LineResult.Machine, _ products: [Product], _ cycle: (Product?) -> Fraction?
  ) -> ProductionFigures.Quantity {
    if case .missing(let why) = last.result.figures.goodMade { return .missing(why) }
    var sum = Fraction.zero
    for made in last.result.figures.products {
      guard let good = made.goodMade, good != .zero else { continue }
      guard let cycle = cycle(made.product.flatMap { id in products.first { $0.id == id } }) else {
        return .missing("no ideal cycle" + (made.product.map { " for `\($0)`" } ?? ""))
      }
      sum = sum + cycle * good.fraction
    }
    return .known(sum / Fraction(1_000_000))
  }
}

extension ProductionFigures.Quantity {
  fileprivate func missingOr(_ other: Self) -> Self {
    if case .missing = self { self } else { other }
  }
}
