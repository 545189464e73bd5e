import Telemetry

/// What an operator does with an alarm.
public struct AlarmCommand: Hashable, Sendable {
  public enum Action: Hashable, Sendable {
    case acknowledge
    /// Of a latched alarm whose condition is gone.
    case reset
    /// Silences it for a time, at most `shelve_max` of its rule; again while shelved: a new time.
    case shelve(Duration)
    case unshelve
    /// By an operator who knows the cause; until `unsuppress`.
    case suppress
    case unsuppress
    case takeOutOfService
    case returnToService
  }

  public var alarm: AlarmKey
  public var action: Action

  public init(_ action: Action, alarm: AlarmKey) {
    self.action = action
    self.alarm = alarm
  }
}

/// Names one alarm: a rule and the device or asset it watches.
public struct AlarmKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Id of the rule.
  public var rule: String
  /// Device id or asset path; empty for a rule that watches single signals by name.
  public var source: String

  public init(rule: String, source: String) {
    self.rule = rule
    self.source = source
  }

  public var description: String { source.isEmpty ? rule : "\(rule)@\(source)" }

  public static func < (a: AlarmKey, b: AlarmKey) -> Bool {
    (a.rule, a.source) < (b.rule, b.source)
  }
}

/// Why a command was not carried out; nothing changed.
public enum AlarmRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  case unknownAlarm(AlarmKey)
  case isNormal
  case isAcknowledgedAlready
  case mustBeAcknowledgedFirst
  case isNotLatched
  case conditionHolds
  case isNotShelved
  case shelfTime(maximum: Duration)
  case isSuppressedAlready
  case isSuppressedByDesign
  case isNotSuppressed
  case isOutOfService
  case isNotOutOfService
  /// Shelved, suppressed or out of service: nobody is told of it, so there is nothing to
  /// acknowledge.
  case isSilent(AlarmState)

  /// For programs.
  public var code: String {
    switch self {
    case .unknownAlarm: "unknown_alarm"
    case .isNormal: "is_normal"
    case .isAcknowledgedAlready: "is_acknowledged"
    case .mustBeAcknowledgedFirst: "must_be_acknowledged"
    case .isNotLatched: "is_not_latched"
    case .conditionHolds: "condition_holds"
    case .isNotShelved: "is_not_shelved"
    case .shelfTime: "shelf_time"
    case .isSuppressedAlready, .isSuppressedByDesign: "is_suppressed"
    case .isNotSuppressed: "is_not_suppressed"
    case .isOutOfService: "is_out_of_service"
    case .isNotOutOfService: "is_not_out_of_service"
    case .isSilent: "is_silent"
    }
  }

  public var description: String {
    switch self {
    case .unknownAlarm(let key): "There is no alarm \(key)."
    case .isNormal: "The alarm is normal: there is nothing to acknowledge or reset."
    case .isAcknowledgedAlready: "The alarm is acknowledged already."
    case .mustBeAcknowledgedFirst: "The alarm must be acknowledged before it is reset."
    case .isNotLatched: "The alarm is not latched: it returns to normal by itself."
    case .conditionHolds:
      "The condition of the alarm still holds; it can be reset when that is gone."
    case .isNotShelved: "The alarm is not shelved."
    case .shelfTime(let maximum):
      "An alarm is shelved for more than 0 s and at most \(durationText(maximum.microseconds))."
    case .isSuppressedAlready: "The alarm is suppressed already."
    case .isSuppressedByDesign:
      "The alarm is suppressed by its rule, not by a command: it comes back when the cause is gone."
    case .isNotSuppressed: "The alarm is not suppressed."
    case .isOutOfService: "The alarm is out of service; return it to service first."
    case .isNotOutOfService: "The alarm is not out of service."
    case .isSilent(let state):
      "The alarm is \(state.name.replacing("_", with: " ")) and is not announced; bring it back first."
    }
  }
}

/// `90 s`, `5 min`, `8 h`: the largest unit that leaves a whole number.
func durationText(_ microseconds: Int64) -> String {
  for (unit, scale) in [
    ("d", Int64(86_400_000_000)), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000),
    ("ms", 1_000),
  ] where microseconds >= scale && microseconds % scale == 0 {
    return "\(microseconds / scale) \(unit)"
  }
  return microseconds == 0 ? "0 s" : "\(microseconds) µs"
}
