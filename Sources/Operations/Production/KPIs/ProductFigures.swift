import Telemetry

/// What was made of one product on one machine (or of its parts on several), as counted.
public struct ProductFigures: Hashable, Sendable {
  /// `nil`: the product is not known.
  public var product: String?
  public var idealCycle: IdealCycle?
  public var plannedScrap: Fraction?
  /// As counted; `nil`: there is no such counter.
  public var total: Parts?
  public var good: Parts?
  public var scrap: Parts?
  public var rework: Parts?
  /// Of the rejects, those made at start-up.
  public var startUpRejects = Parts.zero

  public init(
    product: String? = nil, idealCycle: IdealCycle? = nil, plannedScrap: Fraction? = nil,
    total: Parts? = nil, good: Parts? = nil, scrap: Parts? = nil, rework: Parts? = nil,
    startUpRejects: Parts = .zero
  ) {
    self.product = product
    self.idealCycle = idealCycle
    self.plannedScrap = plannedScrap
    self.total = total
    self.good = good
    self.scrap = scrap
    self.rework = rework
    self.startUpRejects = startUpRejects
  }

  /// PQ: counted, else good and scrap.
  public var made: Parts? { total ?? good.flatMap { good in scrap.map { good + $0 } } }
  /// GQ: counted, else what was made less scrap.
  public var goodMade: Parts? { good ?? total.flatMap { total in scrap.map { total - $0 } } }
  /// What was made and is not good.
  public var rejects: Parts? { made.flatMap { made in goodMade.map { made - $0 } } }
  /// PRI × PQ in µs; `nil` without a cycle or a count.
  public var idealTime: Fraction? {
    made.flatMap { made in
      made == .zero ? .zero : idealCycle.map { $0.microseconds * made.fraction }
    }
  }

  /// Counts that cannot all be true; `nil` when they can.
  public var contradiction: String? {
    let name = product.map { " of `\($0)`" } ?? ""
    if let total, let good, good > total {
      return "\(good) good parts\(name), but only \(total) in total"
    }
    if let total, let scrap, scrap > total {
      return "\(scrap) scrapped parts\(name), but only \(total) in total"
    }
    return nil
  }

  /// Sums what both counted; the terms must be of one product with one cycle.
  func adding(_ other: ProductFigures) -> ProductFigures {
    func sum(_ a: Parts?, _ b: Parts?) -> Parts? { a.map { $0 + (b ?? .zero) } ?? b }
    var result = self
    result.total = sum(total, other.total)
    result.good = sum(good, other.good)
    result.scrap = sum(scrap, other.scrap)
    result.rework = sum(rework, other.rework)
    result.startUpRejects += other.startUpRejects
    return result
  }
}

/// Stops that share reason, state and size.
public struct StopFigures: Hashable, Sendable {
  public var reason: String?
  public var state: MachineState
  /// Shorter than `micro_stop`: inside performance.
  public var isSmall: Bool
  public var microseconds: Int64
  public var count: Int

  func isSameKind(as other: StopFigures) -> Bool {
    reason == other.reason && state == other.state && isSmall == other.isSmall
  }
}

/// Something about the input that a reader of the figures must know.
public struct ProductionWarning: Hashable, Sendable {
  /// Snake case, for programs.
  public var code: String
  /// A sentence.
  public var message: String

  public init(code: String, message: String) {
    self.code = code
    self.message = message
  }

  public var json: JSONValue {
    .object([("code", .string(code)), ("message", .string(message))])
  }
}
