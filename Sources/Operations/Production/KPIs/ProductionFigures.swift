import Telemetry

/// Everything from which KPIs are made: sums alone, so that any two can be added and no ratio is ever averaged.
public struct ProductionFigures: Hashable, Sendable {
  public var time = TimeAccount()
  /// One per product and cycle; ordered by product, the unknown first, then by cycle.
  public private(set) var products: [ProductFigures] = []
  /// Ordered by reason, state and size.
  public private(set) var stops: [StopFigures] = []
  /// Stops of failures, small ones not; one that goes on into the next shift is one of both.
  public var failures = 0
  /// AOET, in µs: time with an order, whatever else; `nil`: orders are not recorded.
  public var orderTime: Int64?
  /// AUBT, in µs: planned busy time with an order.
  public var busyTime: Int64?
  /// Made outside planned time: in no KPI.
  public var partsOutside = Parts.zero
  /// Shifts of which there is any time in it.
  public var shifts = 0
  /// About the input; those that follow from the figures are added where the KPIs are made.
  public private(set) var warnings: [ProductionWarning] = []

  public init() {}

  public mutating func add(_ figures: ProductFigures) {
    if let index = products.firstIndex(where: {
      $0.product == figures.product
        && $0.idealCycle?.microseconds == figures.idealCycle?.microseconds
    }) {
      products[index] = products[index].adding(figures)
    } else {
      products.append(figures)
      products.sort(by: Self.isBefore)
    }
  }

  public mutating func add(_ stop: StopFigures) {
    if let index = stops.firstIndex(where: { $0.isSameKind(as: stop) }) {
      stops[index].microseconds += stop.microseconds
      stops[index].count += stop.count
    } else {
      stops.append(stop)
      stops.sort {
        ($0.reason ?? "", $0.state.rawValue, $0.isSmall ? 1 : 0)
          < ($1.reason ?? "", $1.state.rawValue, $1.isSmall ? 1 : 0)
      }
    }
  }

  public mutating func warn(_ code: String, _ message: String) {
    let warning = ProductionWarning(code: code, message: message)
    if !warnings.contains(warning) { warnings.append(warning) }
  }

  public static func + (a: ProductionFigures, b: ProductionFigures) -> ProductionFigures {
    var sum = a
    sum.time = a.time + b.time
    for product in b.products { sum.add(product) }
    for stop in b.stops { sum.add(stop) }
    sum.failures += b.failures
    sum.orderTime = a.orderTime.map { $0 + (b.orderTime ?? 0) } ?? b.orderTime
    sum.busyTime = a.busyTime.map { $0 + (b.busyTime ?? 0) } ?? b.busyTime
    sum.partsOutside += b.partsOutside
    sum.shifts += b.shifts
    for warning in b.warnings { sum.warn(warning.code, warning.message) }
    return sum
  }

  private static func isBefore(_ a: ProductFigures, _ b: ProductFigures) -> Bool {
    if a.product != b.product {
      guard let left = a.product else { return true }
      guard let right = b.product else { return false }
      return left < right
    }
    return (a.idealCycle?.microseconds ?? .zero) < (b.idealCycle?.microseconds ?? .zero)
  }
}

extension ProductionFigures {
  /// A sum over products, or why there is none.
  public enum Quantity: Hashable, Sendable {
    case known(Fraction)
    case missing(String)

    public var fraction: Fraction? { if case .known(let value) = self { value } else { nil } }
  }

  private func sum(_ missing: String, _ term: (ProductFigures) -> Fraction?) -> Quantity {
    guard !products.isEmpty else { return .missing("no parts are counted") }
    if let contradiction = products.lazy.compactMap(\.contradiction).first {
      return .missing("the counters contradict each other: \(contradiction)")
    }
    var sum = Fraction.zero
    for product in products {
      guard let value = term(product) else {
        return .missing(missing + (product.product.map { " for `\($0)`" } ?? ""))
      }
      sum = sum + value
    }
    return .known(sum)
  }

  /// PQ.
  public var made: Quantity { sum("no counter of all parts") { $0.made?.fraction } }
  /// GQ.
  public var goodMade: Quantity { sum("no counter of good parts") { $0.goodMade?.fraction } }
  /// SQ: counted as scrap, else what is not good.
  public var scrapped: Quantity {
    sum("no counter of scrap") { ($0.scrap ?? $0.rejects)?.fraction }
  }
  public var reworked: Quantity { sum("no counter of rework") { $0.rework?.fraction } }
  public var rejected: Quantity { sum("no counter of good parts") { $0.rejects?.fraction } }
  public var startUpRejected: Quantity { sum("") { $0.startUpRejects.fraction } }
  /// Σ PRI × PQ in µs.
  public var idealTime: Quantity {
    if case .missing(let why) = made { return .missing(why) }
    return sum("no ideal cycle") { $0.idealTime }
  }
  /// PSQ.
  public var plannedScrap: Quantity {
    sum("no planned scrap") { product in
      product.plannedScrap.flatMap { share in product.made.map { share * $0.fraction } }
    }
  }

  /// Time of parts that are good, in µs: A × E × Q × PBT = Σ(PRI × PQ) × ΣGQ/ΣPQ; 0 when nothing was made.
  public var fullyProductiveTime: Quantity {
    switch (idealTime, made, goodMade) {
    case (.known(let ideal), .known(let made), .known(let good)):
      .known(made.isZero ? .zero : ideal * (good / made))
    case (.missing(let why), _, _), (_, .missing(let why), _), (_, _, .missing(let why)):
      .missing(why)
    }
  }

  /// The ideal cycle of the mix that was made, in µs; where nothing was made, of the first product that has one.
  public var meanIdealCycle: Fraction? {
    if let ideal = idealTime.fraction, let made = made.fraction, !made.isZero {
      return ideal / made
    }
    return products.lazy.compactMap { $0.idealCycle?.microseconds }.first
  }
}
