import Telemetry

/// True, false, or nobody knows.
enum Verdict: UInt8, Sendable, Hashable {
  case no = 0
  case yes = 1
  case unknown = 2
}

/// One rule at one device or asset: numbers only, so that a pass over many touches no reference.
struct RuleInstance: Hashable, Sendable {
  enum Phase: UInt8, Sendable, Hashable { case idle, waiting, active, leaving }

  /// Into the compiled rules.
  let rule: Int32
  /// Index of the device; −1: it stands for an asset or for single signals.
  let device: Int32
  let firstInput: Int32
  let firstMemory: Int32
  let firstWindow: Int32
  /// Into the alarms; −1: the rule has none.
  let alarm: Int32

  // State:

  /// Elapsed time up to which it was evaluated.
  var now = Int64.min
  var phase = Phase.idle
  /// Start of the present wait; `Int64.min`: the wait rests.
  var since = Int64.min
  /// Waited before it rested, µs.
  var waited: Int64 = 0
  var condition = Verdict.unknown
  var isUncertain = false
  var isSuppressed = false
  /// What `{value}` shows; NaN: not known.
  var value = Double.nan
  var lastEffect = Int64.min
  var leftOut: UInt32 = 0

  // Derived from state:

  /// When something happens by itself at exactly this time.
  var deadline = Int64.max
  /// When windows are to be looked at again.
  var softDeadline = Int64.max
  /// Where it stands in the heap of deadlines; −1: not in it.
  var heapPlace: Int32 = -1

  init(
    rule: Int32, device: Int32, firstInput: Int32, firstMemory: Int32, firstWindow: Int32,
    alarm: Int32
  ) {
    self.rule = rule
    self.device = device
    self.firstInput = firstInput
    self.firstMemory = firstMemory
    self.firstWindow = firstWindow
    self.alarm = alarm
  }

  var nextDeadline: Int64 { min(deadline, softDeadline) }

  func encode(into out: inout ByteWriter) {
    out.fixed(now)
    out.byte(phase.rawValue)
    out.fixed(since)
    out.zigzag(waited)
    out.byte(condition.rawValue)
    out.byte((isUncertain ? 1 : 0) | (isSuppressed ? 2 : 0))
    out.double(value)
    out.fixed(lastEffect)
    out.varint(UInt64(leftOut))
    out.fixed(deadline)
    out.fixed(softDeadline)
  }

  mutating func decode(_ reader: inout ByteReader) throws(ByteReader.Truncated) {
    now = try reader.fixed(Int64.self)
    guard let phase = Phase(rawValue: try reader.byte()) else { throw ByteReader.Truncated() }
    self.phase = phase
    since = try reader.fixed(Int64.self)
    waited = try reader.zigzag()
    guard let verdict = Verdict(rawValue: try reader.byte()) else { throw ByteReader.Truncated() }
    condition = verdict
    let flags = try reader.byte()
    isUncertain = flags & 1 != 0
    isSuppressed = flags & 2 != 0
    value = try reader.double()
    lastEffect = try reader.fixed(Int64.self)
    leftOut = UInt32(clamping: try reader.varint())
    deadline = try reader.fixed(Int64.self)
    softDeadline = try reader.fixed(Int64.self)
  }
}

/// What of a rule a pass needs, without references.
struct CompiledRule: Sendable {
  var code: Range<Int32>
  var when: Int32
  var clear: Int32
  var suppress: Int32
  var value: Int32
  var onDelay: Int64
  var offDelay: Int64
  var coverage: Double
  var inputs: Int32
  var memories: Int32
  var windows: Int32
  var isCommunication: Bool
  var hasPulses: Bool
  var watchesAbsence: Bool
  var hasFreeAge: Bool
  var hasSchedule: Bool
  /// Something may silence it.
  var hasSuppression: Bool
  var isAsset: Bool
  /// A text tells of the event that came.
  var showsEvent: Bool
  /// A window over the number of samples becomes known by time alone.
  var countsSamples: Bool
  /// µs between looks at windows when no sample comes.
  var windowStep: Int64

  init(_ rule: Rule, codeAt start: Int) {
    let program = rule.program
    code = Int32(start)..<Int32(start + program.instructions.count)
    when = program.when
    clear = program.clear
    suppress = program.suppress
    value = program.value
    onDelay = rule.onDelayMicroseconds
    offDelay = rule.offDelayMicroseconds
    coverage = rule.minimumCoverage
    inputs = Int32(program.inputs.count)
    memories = Int32(program.memories)
    windows = Int32(program.windows.count)
    isCommunication = rule.isCommunication
    hasPulses = program.hasPulses
    watchesAbsence = program.watchesAbsence
    hasFreeAge = program.hasFreeAge
    hasSchedule = !rule.schedules.isEmpty
    hasSuppression =
      program.suppress >= 0 || program.watchesAbsence || !rule.suppressedBy.isEmpty
    isAsset = rule.watch == .assets
    showsEvent = rule.templates.contains(where: \.showsEvent)
    countsSamples = program.windows.contains { $0.function == .count }
    let spans = program.windows.map(\.microseconds).filter { $0 > 0 }
    windowStep = spans.min().map { max(1_000_000, $0 / Int64(WindowSpec.bucketsMax)) } ?? .max
  }
}
