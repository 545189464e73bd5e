import Telemetry

/// What rules did: to be stored and delivered by whoever drives the engine.
public struct RuleOutput: Hashable, Sendable {
  /// In the order in which they happened.
  public var transitions: [AlarmTransition] = []
  public var effects: [RuleEffect] = []
  public var floods: [FloodNotice] = []

  public init() {}

  public var isEmpty: Bool { transitions.isEmpty && effects.isEmpty && floods.isEmpty }

  public mutating func removeAll() {
    transitions.removeAll(keepingCapacity: true)
    effects.removeAll(keepingCapacity: true)
    floods.removeAll(keepingCapacity: true)
  }
}

/// A signal that a rule cannot use at one of its devices.
public struct RuleProblem: Hashable, Sendable {
  public var key: AlarmKey
  /// `device/metric`.
  public var series: String
  public var message: String
}

/// One alarm as it stands.
public struct AlarmView: Hashable, Sendable {
  public var key: AlarmKey
  public var state: AlarmState
  public var priority: AlarmPriority
  public var console: String
  public var device: String
  public var asset: String
  /// The condition holds.
  public var isActive: Bool
  public var isLatched: Bool
  /// Of the last transition.
  public var since: Timestamp?
  /// Elapsed time at which it leaves the shelf; `nil`: it is on none.
  public var shelvedUntil: Int64?
  public var isInputStale: Bool
  public var isUncertain: Bool
  /// Its condition has held for more than 24 h.
  public var isStanding: Bool
  public var value: Double?
  public var unit: String
  public var statistics: AlarmStatistics
}

/// An alarm of the engine.
struct AlarmRecord: Hashable, Sendable {
  var machine: AlarmMachine
  var statistics = AlarmStatistics()
  /// `Int64.max`: not on the shelf.
  var shelvedUntil = Int64.max
  var isInputStale = false
  var isChattering = false
  var since = Int64.min
  var console: Int32

  init(machine: AlarmMachine, console: Int32) {
    self.machine = machine
    self.console = console
  }

  func encode(into out: inout ByteWriter) {
    out.fixed(machine.code)
    statistics.encode(into: &out)
    out.fixed(shelvedUntil)
    out.byte((isInputStale ? 1 : 0) | (isChattering ? 2 : 0))
    out.fixed(since)
  }

  mutating func decode(_ reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard
      let machine = AlarmMachine(
        code: try reader.fixed(UInt16.self), isLatched: machine.isLatched,
        needsAcknowledgement: machine.needsAcknowledgement)
    else { throw ByteReader.Truncated() }
    self.machine = machine
    statistics = try AlarmStatistics(from: &reader)
    shelvedUntil = try reader.fixed(Int64.self)
    let flags = try reader.byte()
    isInputStale = flags & 1 != 0
    isChattering = flags & 2 != 0
    since = try reader.fixed(Int64.self)
  }
}
