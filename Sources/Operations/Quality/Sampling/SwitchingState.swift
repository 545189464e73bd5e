import Telemetry

/// Which severity the next lot is inspected with, by the switching rules of ISO 2859-1:1999, clause 9.3.
///
/// * normal → tightened: 2 of 5 or fewer lots in a row rejected on original inspection (9.3.1).
/// * tightened → normal: 5 lots in a row accepted (9.3.2).
/// * normal → reduced: the switching score reaches 30, production is steady and reduced inspection is wanted
///   (9.3.3). With an acceptance number of 2 or more a lot adds 3 when it would also have been accepted with
///   the AQL one step tighter, with 0 or 1 it adds 2 when it is accepted; anything else sets the score to 0.
/// * reduced → normal: a lot is rejected, or production is not steady (9.3.4).
/// * discontinue: 5 lots rejected in all while on tightened inspection (9.4).
public struct SwitchingState: Sendable, Hashable {
  public static let formatVersion: UInt8 = 1

  public struct Lot: Sendable, Hashable {
    public var isAccepted: Bool
    public var plan: SamplingPlan
    public var nonconforming: Int
    /// The acceptance number of the plan one AQL step tighter; `nil` when none is known: the score is then 0.
    public var tighterAcceptance: Int?

    public init(plan: SamplingPlan, nonconforming: Int, tighterAcceptance: Int? = nil) {
      isAccepted = plan.decision(nonconforming: nonconforming) == .accepted
      self.plan = plan
      self.nonconforming = nonconforming
      self.tighterAcceptance = tighterAcceptance
    }
  }

  public private(set) var severity: InspectionSeverity = .normal
  public private(set) var score = 0
  /// Acceptance is stopped until the supplier has mended its process; then `resume`.
  public private(set) var isDiscontinued = false
  /// Whether a plan for reduced inspection exists and is wanted.
  public let allowsReduced: Bool
  /// The last lots on original inspection at this severity, newest in bit 0, set where rejected; at most five.
  private var history: UInt8 = 0
  private var historyCount = 0
  /// Lots rejected in all since tightened inspection began.
  private var rejectedTightened = 0

  public init(allowsReduced: Bool = false) { self.allowsReduced = allowsReduced }

  /// Takes the result of a lot on original inspection; resubmitted lots do not count.
  ///
  /// - Returns: a sentence when the severity changes or acceptance is discontinued.
  public mutating func observe(_ lot: Lot, isProductionSteady: Bool = true) -> String? {
    guard !isDiscontinued else { return nil }
    history = (history << 1 | (lot.isAccepted ? 0 : 1)) & 0b1_1111
    historyCount = min(5, historyCount + 1)
    switch severity {
    case .normal: return afterNormal(lot, isProductionSteady)
    case .tightened: return afterTightened(lot)
    case .reduced:
      guard !lot.isAccepted || !isProductionSteady else { return nil }
      change(to: .normal)
      return lot.isAccepted
        ? "Production is not steady: back to normal inspection."
        : "A lot was rejected on reduced inspection: back to normal inspection."
    }
  }

  private mutating func afterNormal(_ lot: Lot, _ isSteady: Bool) -> String? {
    if history.nonzeroBitCount >= 2 {
      change(to: .tightened)
      return "Two of five lots or fewer were rejected: tightened inspection from the next lot on."
    }
    if lot.plan.acceptance >= 2 {
      let passes = lot.tighterAcceptance.map { lot.nonconforming <= $0 } ?? false
      score = lot.isAccepted && passes ? score + 3 : 0
    } else {
      score = lot.isAccepted ? score + 2 : 0
    }
    guard score >= 30, allowsReduced, isSteady else { return nil }
    change(to: .reduced)
    return "The switching score reached 30: reduced inspection from the next lot on."
  }

  private mutating func afterTightened(_ lot: Lot) -> String? {
    if !lot.isAccepted { rejectedTightened += 1 }
    if rejectedTightened >= 5 {
      isDiscontinued = true
      return "Five lots were rejected on tightened inspection: acceptance is discontinued."
    }
    guard historyCount == 5, history == 0 else { return nil }
    change(to: .normal)
    return "Five lots in a row were accepted on tightened inspection: back to normal."
  }

  private mutating func change(to next: InspectionSeverity) {
    severity = next
    score = 0
    history = 0
    historyCount = 0
    rejectedTightened = 0
  }

  /// After the process was mended: inspection goes on tightened (9.4).
  public mutating func resume() {
    isDiscontinued = false
    change(to: .tightened)
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.byte(severity.rawValue)
    writer.byte((isDiscontinued ? 1 : 0) | (allowsReduced ? 2 : 0))
    writer.varint(UInt64(score))
    writer.byte(history)
    writer.varint(UInt64(historyCount))
    writer.varint(UInt64(rejectedTightened))
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion,
      let severity = InspectionSeverity(rawValue: try reader.byte())
    else { throw ByteReader.Truncated() }
    self.severity = severity
    let flags = try reader.byte()
    isDiscontinued = flags & 1 != 0
    allowsReduced = flags & 2 != 0
    score = Int(truncatingIfNeeded: try reader.varint())
    history = try reader.byte() & 0b1_1111
    historyCount = Int(truncatingIfNeeded: try reader.varint())
    rejectedTightened = Int(truncatingIfNeeded: try reader.varint())
  }
}
