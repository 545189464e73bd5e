import Telemetry

/// What a shift, an order or any stretch of time came to, as it is kept.
///
/// The content is a JSON value that depends on the data alone: no time of computing, no version. A closed shift is computed
/// again when late data or an edit comes; `superseded(by:…)` tells whether that made a difference.
public struct ProductionReport: Hashable, Sendable {
  /// `machine`, or `line`.
  public var kind: String
  /// More versions than anybody reads: what says so is no report.
  private static let versionMax = 1_000_000

  /// Id of the machine or line.
  public var subject: String
  /// Id of the shift or order, or empty for a stretch of time.
  public var part: String
  /// From 1; a higher one replaces those before it, which are kept.
  public var version: Int
  /// When this version was computed.
  public var computed: Timestamp
  public var content: JSONValue

  public init(
    kind: String, subject: String, part: String, version: Int = 1, computed: Timestamp,
    content: JSONValue
  ) {
    self.kind = kind
    self.subject = subject
    self.part = part
    self.version = version
    self.computed = computed
    self.content = content
  }

  /// The report of a machine over one shift.
  public init(shift: Shift, ledger: MachineLedger, reasons: StopReasons, computed: Timestamp) {
    let edits = ledger.audits.filter { $0.named.intersection(shift.span) != nil }
    let content = JSONValue.object([
      ("machine", .string(ledger.machine.id)), ("shift", shift.json),
      ("calendar", .string(ledger.machine.calendar)),
      ("result", ledger.result(over: shift.span).json(reasons)),
      ("edits", .array(edits.map(\.json))),
    ])
    self.init(
      kind: "machine", subject: ledger.machine.id, part: shift.id, computed: computed,
      content: content)
  }

  /// The report of a line over one shift.
  public init(
    shift: Shift, line: LineResult, bottleneck: Bottleneck?, reasons: StopReasons,
    computed: Timestamp
  ) {
    var members: [(String, JSONValue)] = [
      ("line", .string(line.line.id)), ("shift", shift.json), ("result", line.json(reasons)),
    ]
    if let bottleneck { members.append(("bottleneck", bottleneck.json)) }
    self.init(
      kind: "line", subject: line.line.id, part: shift.id, computed: computed,
      content: .object(members))
  }

  /// Members in any order, but the same names and digits.
  public func hasSameContent(as other: ProductionReport) -> Bool {
    (kind, subject, part) == (other.kind, other.subject, other.part) && content == other.content
  }

  /// The next version, when the content differs; `nil` when all is as stored.
  public func superseded(by recomputed: ProductionReport) -> ProductionReport? {
    precondition(
      (kind, subject, part) == (recomputed.kind, recomputed.subject, recomputed.part),
      "a report can only be superseded by one of the same thing")
    guard !hasSameContent(as: recomputed) else { return nil }
    var next = recomputed
    next.version = version + 1
    return next
  }

  public static func == (a: ProductionReport, b: ProductionReport) -> Bool {
    a.hasSameContent(as: b) && a.version == b.version && a.computed == b.computed
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(subject)
    hasher.combine(part)
    hasher.combine(version)
  }

  public var json: JSONValue {
    .object([
      ("kind", .string(kind)), ("subject", .string(subject)), ("part", .string(part)),
      ("version", .integer(version)), ("computed", .time(computed)), ("content", content),
    ])
  }

  /// Reads what `json` wrote; `nil` for anything else.
  public init?(json: JSONValue) {
    guard let kind = json["kind"]?.text, let subject = json["subject"]?.text,
      let part = json["part"]?.text, case .number(let digits)? = json["version"],
      let version = Int(digits), (1...Self.versionMax).contains(version),
      let computed = json["computed"]?.text.flatMap(Timestamp.init(rfc3339:)),
      let content = json["content"]
    else { return nil }
    self.init(
      kind: kind, subject: subject, part: part, version: version, computed: computed,
      content: content)
  }
}
