/// Where an alarm stands (ISA-18.2 / IEC 62682, alarm state transition diagram; the letters are
/// its).
public enum AlarmState: UInt8, Sendable, Hashable, CaseIterable {
  /// A: nothing to tell.
  case normal
  /// B: the condition holds and nobody has seen it.
  case unacknowledged
  /// C: the condition holds, an operator knows.
  case acknowledged
  /// D: the condition is gone, nobody has seen that it was there.
  case returnedUnacknowledged
  /// E: the condition is gone; a latched alarm that nobody has seen.
  case latchedUnacknowledged
  /// F: the condition is gone; a latched alarm that waits for its reset.
  case latchedAcknowledged
  /// G: silenced by an operator for a time.
  case shelved
  /// H: suppressed by design: by its rule or by an operator's command.
  case suppressed
  /// I: taken out of service, for maintenance.
  case outOfService

  public var name: String {
    [
      "normal", "unacknowledged", "acknowledged", "returned_unacknowledged",
      "latched_unacknowledged", "latched_acknowledged", "shelved", "suppressed", "out_of_service",
    ][Int(rawValue)]
  }

  /// An operator is told of it.
  public var isAnnunciated: Bool {
    switch self {
    case .normal, .shelved, .suppressed, .outOfService: false
    default: true
    }
  }
}

/// How urgent an alarm is.
public enum AlarmPriority: String, Sendable, Hashable, CaseIterable {
  case critical, high, medium, low
  /// Written down only: it wants no acknowledgement.
  case journal

  /// As stored.
  public var rank: UInt8 { UInt8(AlarmPriority.allCases.firstIndex(of: self) ?? 0) }
}

/// Why an alarm changed.
public enum AlarmCause: UInt8, Sendable, Hashable, CaseIterable {
  case condition, acknowledged, reset, shelved, unshelved, shelfTimeOver, suppressed, unsuppressed
  case outOfService, returnedToService, schedule, ruleChanged, ruleRemoved, inputLost, inputBack
  /// The device or asset is no longer in the scope of the rule.
  case scopeChanged

  public var name: String {
    [
      "condition", "acknowledged", "reset", "shelved", "unshelved", "shelf_time_over", "suppressed",
      "unsuppressed", "out_of_service", "returned_to_service", "schedule", "rule_changed",
      "rule_removed", "input_lost", "input_back", "scope_changed",
    ][Int(rawValue)]
  }
}
