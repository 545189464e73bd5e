/// The state machine of one alarm, without times and texts.
///
/// Beneath the suppressions runs the plain alarm; what an operator sees is the first that applies:
/// out of service, shelved,
/// suppressed, the alarm itself. When the last suppression ends while the condition holds, the
/// alarm is announced anew;
/// a latched alarm that was active meanwhile still wants its reset.
///
/// ```
/// A normal           ─condition→ B          B unacknowledged ─ack→ C    ─gone→ D (latched: E)
/// C acknowledged     ─gone→ A (latched: F)   D returned, unacknowledged   ─ack→ A   ─condition→ B
/// E latched, unack.  ─ack→ F  ─condition→ B  F latched, acknowledged      ─reset→ A ─condition→ B
/// ```
struct AlarmMachine: Hashable, Sendable {
  /// A to F.
  private(set) var alarm = AlarmState.normal
  private(set) var isShelved = false
  private(set) var isSuppressedByDesign = false
  private(set) var isSuppressedByCommand = false
  private(set) var isOutOfService = false
  /// The condition of the rule holds.
  private(set) var isActive = false
  /// A latched alarm was active and has not been reset.
  private(set) var isLatchHeld = false
  let isLatched: Bool
  let needsAcknowledgement: Bool

  enum Input: UInt8, CaseIterable, Sendable {
    case activate, clear, acknowledge, reset, shelve, unshelve, shelfTimeOver
    case suppressByDesign, unsuppressByDesign, suppress, unsuppress
    case takeOutOfService, returnToService
    /// The rule is gone or another one.
    case end
  }

  init(isLatched: Bool, needsAcknowledgement: Bool = true) {
    self.isLatched = isLatched
    self.needsAcknowledgement = needsAcknowledgement
  }

  var state: AlarmState {
    if isOutOfService { return .outOfService }
    if isShelved { return .shelved }
    return isSuppressedByDesign || isSuppressedByCommand ? .suppressed : alarm
  }

  private var isSilent: Bool {
    isOutOfService || isShelved || isSuppressedByDesign || isSuppressedByCommand
  }

  /// - Returns: why it is refused; `nil`: it was taken, though nothing may have changed.
  mutating func take(_ input: Input) -> AlarmRefusal? {
    switch input {
    case .activate: activate()
    case .clear: clear()
    case .acknowledge: return acknowledge()
    case .reset: return reset()
    case .shelve:
      guard !isOutOfService else { return .isOutOfService }
      isShelved = true
    case .unshelve:
      guard isShelved else { return .isNotShelved }
      isShelved = false
      comeBack()
    case .shelfTimeOver:
      guard isShelved else { return nil }
      isShelved = false
      comeBack()
    case .suppressByDesign: isSuppressedByDesign = true
    case .unsuppressByDesign:
      guard isSuppressedByDesign else { return nil }
      isSuppressedByDesign = false
      comeBack()
    case .suppress:
      guard !isSuppressedByCommand else { return .isSuppressedAlready }
      isSuppressedByCommand = true
    case .unsuppress:
      guard isSuppressedByCommand else {
        return isSuppressedByDesign ? .isSuppressedByDesign : .isNotSuppressed
      }
      isSuppressedByCommand = false
      comeBack()
    case .takeOutOfService:
      guard !isOutOfService else { return .isOutOfService }
      isOutOfService = true
    case .returnToService:
      guard isOutOfService else { return .isNotOutOfService }
      isOutOfService = false
      comeBack()
    case .end:
      self = AlarmMachine(isLatched: isLatched, needsAcknowledgement: needsAcknowledgement)
    }
    return nil
  }

  private mutating func activate() {
    guard !isActive else { return }
    isActive = true
    if isLatched { isLatchHeld = true }
    if !isSilent { announce() }
  }

  private mutating func announce() {
    alarm = needsAcknowledgement ? .unacknowledged : .acknowledged
  }

  private mutating func clear() {
    guard isActive else { return }
    isActive = false
    guard !isSilent else { return }
    switch alarm {
    case .unacknowledged: alarm = isLatched ? .latchedUnacknowledged : .returnedUnacknowledged
    case .acknowledged: alarm = isLatched ? .latchedAcknowledged : .normal
    default: break
    }
  }

  private mutating func acknowledge() -> AlarmRefusal? {
    guard !isSilent else { return .isSilent(state) }
    switch alarm {
    case .unacknowledged: alarm = .acknowledged
    case .returnedUnacknowledged: alarm = .normal
    case .latchedUnacknowledged: alarm = .latchedAcknowledged
    case .normal: return .isNormal
    default: return .isAcknowledgedAlready
    }
    return nil
  }

  private mutating func reset() -> AlarmRefusal? {
    guard isLatched else { return .isNotLatched }
    guard !isSilent else { return .isSilent(state) }
    switch alarm {
    case .latchedAcknowledged:
      alarm = .normal
      isLatchHeld = false
      return nil
    case .latchedUnacknowledged: return .mustBeAcknowledgedFirst
    case .normal: return .isNormal
    default: return .conditionHolds
    }
  }

  private mutating func comeBack() {
    guard !isSilent else { return }
    if isActive {
      announce()
    } else if isLatchHeld {
      alarm = .latchedUnacknowledged
    } else {
      alarm = .normal
    }
  }

  /// Of `code`: what an operator decided.
  static let operatorBits: UInt16 = 1 << 8 | 1 << 10 | 1 << 11

  /// All of it in two bytes.
  var code: UInt16 {
    UInt16(alarm.rawValue) | (isShelved ? 1 << 8 : 0) | (isSuppressedByDesign ? 1 << 9 : 0)
      | (isSuppressedByCommand ? 1 << 10 : 0) | (isOutOfService ? 1 << 11 : 0)
      | (isActive ? 1 << 12 : 0) | (isLatchHeld ? 1 << 13 : 0)
  }

  /// - Returns: `nil` for a code that no machine has.
  init?(code: UInt16, isLatched: Bool, needsAcknowledgement: Bool) {
    self.init(isLatched: isLatched, needsAcknowledgement: needsAcknowledgement)
    guard let alarm = AlarmState(rawValue: UInt8(code & 0xFF)), alarm.rawValue <= 5 else {
      return nil
    }
    self.alarm = alarm
    isShelved = code & 1 << 8 != 0
    isSuppressedByDesign = code & 1 << 9 != 0
    isSuppressedByCommand = code & 1 << 10 != 0
    isOutOfService = code & 1 << 11 != 0
    isActive = code & 1 << 12 != 0
    isLatchHeld = code & 1 << 13 != 0
  }

  /// What must always hold.
  func checkInvariants() {
    precondition(alarm.rawValue <= 5, "the plain alarm is one of A to F")
    precondition(isLatched || !isLatchHeld, "only a latched alarm holds a latch")
    guard !isSilent else { return }
    switch alarm {
    case .normal: precondition(!isActive && !isLatchHeld, "a normal alarm has no condition")
    case .unacknowledged, .acknowledged: precondition(isActive, "its condition holds")
    case .returnedUnacknowledged: precondition(!isActive && !isLatched, "it has returned")
    default: precondition(!isActive && isLatchHeld, "a latch holds it")
    }
  }
}
