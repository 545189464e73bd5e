import Telemetry

/// One rule, checked and compiled.
public struct Rule: Hashable, Sendable {
  public var id: String
  public var description: String
  public var scope: RuleScope
  /// As written, for people.
  public var when: String
  /// The condition must hold for so long, in µs.
  public var onDelayMicroseconds: Int64 = 0
  /// And be gone for so long before the rule is cleared.
  public var offDelayMicroseconds: Int64 = 0
  /// Effects of one instance are at least so far apart; 0: each counts.
  public var throttleMicroseconds: Int64 = 0
  /// Watched while one of them is open; empty: always.
  public var schedules: [RuleSchedule] = []
  /// Rules whose activity explains this one.
  public var suppressedBy: [String] = []
  public var priority = AlarmPriority.medium
  public var isLatched = false
  public var shelveMaxMicroseconds: Int64 = 28_800_000_000
  /// Share of a window that must be covered by good data, 0 to 1.
  public var minimumCoverage = 0.8
  /// Operator console that is told.
  public var console = "main"
  public var text: Template?
  public var textPT: Template?
  public var hasAlarm = true
  public var actions: [RuleAction] = []
  /// The built-in rule that tells of devices that went offline.
  public var isCommunication = false
  var program = Program()
  /// The clearing expression as written; empty: none.
  var clear = ""
  var suppressWhen = ""
  var deadband = ""

  init(id: String, description: String = "", scope: RuleScope = RuleScope(), when: String = "") {
    self.id = id
    self.description = description
    self.scope = scope
    self.when = when
  }

  /// All its texts.
  var templates: [Template] {
    [text, textPT].compactMap { $0 } + actions.flatMap(\.kind.templates)
  }

  /// What its instances stand for.
  public enum Watch: String, Hashable, Sendable { case devices, assets, signals }

  public var watch: Watch {
    if isCommunication { return .devices }
    var watch = Watch.signals
    for input in program.inputs {
      switch input.reference.place {
      case .below: return .assets
      case .own: watch = .devices
      case .device: break
      }
    }
    return watch
  }

  /// Bytes of state that one instance holds, at most.
  public var stateBytes: Int {
    program.stateBytes + (hasAlarm ? MemoryLayout<AlarmRecord>.stride : 0)
  }

  /// Of all that decides when it is active: state and alarms are kept over a change of the rules
  /// when it is the same.
  public var conditionHash: UInt64 {
    var text = "\(scope.device ?? "")\u{0}\(scope.profile ?? "")\u{0}\(scope.asset ?? "")\u{0}"
    for part in [when, clear, suppressWhen, deadband] {
      text += part.split(whereSeparator: \.isWhitespace).joined(separator: " ") + "\u{0}"
    }
    text += "\(onDelayMicroseconds) \(offDelayMicroseconds) \(isLatched) \(hasAlarm) "
    text += "\(minimumCoverage) \(priority == .journal) \(isCommunication)"
    for schedule in schedules {
      text += " \(schedule.days):\(schedule.fromMinute):\(schedule.toMinute)"
    }
    for input in program.inputs { text += "\u{0}\(input.unit ?? "")" }
    var hash = Hash64.hash(text)
    for instruction in program.instructions {
      hash = Hash64.mix(hash, UInt64(instruction.operation.rawValue))
      hash = Hash64.mix(hash, UInt64(UInt32(bitPattern: instruction.a)))
      hash = Hash64.mix(hash, UInt64(UInt32(bitPattern: instruction.b)))
      hash = Hash64.mix(hash, instruction.x.bitPattern)
    }
    return hash
  }
}

/// All rules in force, with what is known of the metrics they may meet.
public struct RuleSet: Hashable, Sendable {
  /// In the order of the files; the built-in rule for communication last, when it is on.
  public internal(set) var rules: [Rule] = []
  /// Declared intervals by profile and metric, in µs, and roll-overs.
  var metrics: [MetricKey: MetricFact] = [:]

  struct MetricKey: Hashable, Sendable {
    var profile: String
    var metric: String
  }

  struct MetricFact: Hashable, Sendable {
    var intervalMicroseconds: Int64
    var unit: String
  }

  /// Profiles whose metrics are declared.
  var profiles: Set<String> = []

  /// No rules at all, not even that for communication.
  public init() {}

  public func rule(_ id: String) -> Rule? { rules.first { $0.id == id } }
}
