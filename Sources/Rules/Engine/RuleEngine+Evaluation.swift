import Telemetry

/// One look at one instance, and what follows from it.
extension RuleEngine {
  mutating func evaluate(
    _ index: Int, at time: Int64, _ trigger: UInt64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    let rule = compiled[Int(instances[index].rule)]
    let now = max(time, instances[index].now)
    instances[index].now = now
    var isOpen = true
    var deadline = Int64.max
    if rule.isCommunication {
      instances[index].condition = isOffline[Int(instances[index].device)] ? .yes : .no
    } else {
      pool.run(rule, instances[index], at: now, trigger: trigger)
      deadline = pool.deadline
      let cell = pool.cells[Int(rule.when)]
      instances[index].condition = cell.verdict
      instances[index].isUncertain = cell.flags & Cell.uncertain != 0
      if rule.value >= 0 {
        let value = pool.cells[Int(rule.value)]
        instances[index].value = value.isKnown ? value.value : .nan
      }
    }
    if rule.hasSchedule {
      let wall = moment.wall.microseconds - (moment.elapsedMicroseconds - now)
      isOpen = isScheduleOpen(Int(instances[index].rule), wall: wall)
      let until = openings[Int(instances[index].rule)].until
      deadline = min(deadline, now + max(1, until - wall))
    }
    if rule.hasSuppression { updateSuppression(index, rule, moment, &output) }
    step(index, rule, isOpen: isOpen, now, moment, &output)
    finish(index, rule, deadline, now, isTriggered: trigger != 0, moment, &output)
  }

  private mutating func finish(
    _ index: Int, _ rule: CompiledRule, _ deadline: Int64, _ now: Int64, isTriggered: Bool,
    _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    var deadline = deadline
    let instance = instances[index]
    if instance.phase == .waiting, instance.since != .min {
      deadline = min(deadline, instance.since + rule.onDelay - instance.waited)
    } else if instance.phase == .leaving, instance.since != .min {
      deadline = min(deadline, instance.since + rule.offDelay - instance.waited)
    }
    if instance.alarm >= 0 {
      let until = alarmRecords[Int(instance.alarm)].shelvedUntil
      if until <= now {
        _ = drive(index, .shelfTimeOver, .shelfTimeOver, moment, &output)
      } else {
        deadline = min(deadline, until)
      }
    }
    instances[index].deadline = deadline == .max ? .max : max(deadline, now + 1)
    var soft = Int64.max
    // Windows that know nothing learn nothing while nothing comes: no ticks for a silent device.
    let isBlind = !isTriggered && instances[index].condition == .unknown && !rule.countsSamples
    if rule.windowStep < .max, !isBlind { soft = now + rule.windowStep }
    if rule.hasFreeAge { soft = min(soft, now + 1_000_000) }
    instances[index].softDeadline = soft
  }

  // MARK: - Suppression

  private mutating func updateSuppression(
    _ index: Int, _ rule: CompiledRule, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    var isSuppressed = false
    if rule.suppress >= 0 {
      switch pool.cells[Int(rule.suppress)].verdict {
      case .yes: isSuppressed = true
      case .no: break
      case .unknown: isSuppressed = instances[index].isSuppressed && causes[index].isEmpty
      }
    }
    if rule.watchesAbsence, instances[index].device >= 0, isOffline[Int(instances[index].device)] {
      isSuppressed = true
    }
    for cause in causes[index] where isActive(Int(cause)) { isSuppressed = true }
    guard isSuppressed != instances[index].isSuppressed else { return }
    instances[index].isSuppressed = isSuppressed
    guard instances[index].alarm >= 0 else { return }
    // The condition first: an alarm whose cause goes with it must not be announced on the way.
    if !isSuppressed { settleBeforeReturn(index, rule, moment, &output) }
    _ = drive(
      index, isSuppressed ? .suppressByDesign : .unsuppressByDesign,
      isSuppressed ? .suppressed : .unsuppressed, moment, &output)
  }

  /// A condition that is gone without delay is gone before the suppression ends.
  private mutating func settleBeforeReturn(
    _ index: Int, _ rule: CompiledRule, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    guard instances[index].phase == .active, rule.offDelay == 0, clearing(index, rule) == .yes
    else { return }
    deactivate(index, .condition, instances[index].now, moment, &output)
  }

  func isActive(_ index: Int) -> Bool {
    instances[index].phase == .active || instances[index].phase == .leaving
  }

  // MARK: - Phases

  /// Whether an active rule is to be cleared.
  private func clearing(_ index: Int, _ rule: CompiledRule) -> Verdict {
    if rule.clear >= 0 { return pool.cells[Int(rule.clear)].verdict }
    switch instances[index].condition {
    case .yes: return .no
    case .no: return .yes
    case .unknown: return .unknown
    }
  }

  private mutating func step(
    _ index: Int, _ rule: CompiledRule, isOpen: Bool, _ now: Int64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    guard isOpen else {
      if isActive(index) { deactivate(index, .schedule, now, moment, &output) }
      instances[index].phase = .idle
      return
    }
    if isActive(index) {
      stepActive(index, rule, now, moment, &output)
    } else {
      stepIdle(index, rule, now, moment, &output)
    }
  }

  private mutating func stepIdle(
    _ index: Int, _ rule: CompiledRule, _ now: Int64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    markInput(index, isStale: instances[index].condition == .unknown, moment, &output)
    switch instances[index].condition {
    case .no: instances[index].phase = .idle
    case .unknown: rest(index, now)
    case .yes:
      startWait(index, .waiting, now)
      guard now - instances[index].since + instances[index].waited >= rule.onDelay else { return }
      activate(index, now, moment, &output)
    }
  }

  private mutating func stepActive(
    _ index: Int, _ rule: CompiledRule, _ now: Int64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    let verdict = clearing(index, rule)
    markInput(index, isStale: verdict == .unknown, moment, &output)
    switch verdict {
    case .no: instances[index].phase = .active
    case .unknown: rest(index, now)
    case .yes:
      startWait(index, .leaving, now)
      guard now - instances[index].since + instances[index].waited >= rule.offDelay else { return }
      deactivate(index, .condition, now, moment, &output)
    }
  }

  private mutating func startWait(_ index: Int, _ phase: RuleInstance.Phase, _ now: Int64) {
    if instances[index].phase != phase {
      instances[index].phase = phase
      instances[index].since = now
      instances[index].waited = 0
    } else if instances[index].since == .min {
      instances[index].since = now
    }
  }

  /// While nobody knows, a wait neither goes on nor starts anew.
  private mutating func rest(_ index: Int, _ now: Int64) {
    let phase = instances[index].phase
    guard phase == .waiting || phase == .leaving, instances[index].since != .min else { return }
    instances[index].waited += now - instances[index].since
    instances[index].since = .min
  }

  private mutating func activate(
    _ index: Int, _ now: Int64, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    instances[index].phase = .active
    let alarm = Int(instances[index].alarm)
    if alarm >= 0 {
      alarmRecords[alarm].isChattering = alarmRecords[alarm].statistics.activated(
        at: now, wall(at: now, moment))
      _ = drive(index, .activate, .condition, moment, &output)
    }
    let isAnnounced =
      alarm >= 0
      ? alarmRecords[alarm].machine.state.isAnnunciated : !instances[index].isSuppressed
    if isAnnounced { runActions(index, isRaised: true, now, moment, &output) }
    tellDependents(index, now, moment, &output)
  }

  private mutating func deactivate(
    _ index: Int, _ cause: AlarmCause, _ now: Int64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    instances[index].phase = .idle
    let alarm = Int(instances[index].alarm)
    var isAnnounced = !instances[index].isSuppressed
    if alarm >= 0 {
      isAnnounced = alarmRecords[alarm].machine.state.isAnnunciated
      alarmRecords[alarm].statistics.cleared(at: now)
      _ = drive(index, .clear, cause, moment, &output)
    }
    if isAnnounced { runActions(index, isRaised: false, now, moment, &output) }
    tellDependents(index, now, moment, &output)
  }

  private mutating func tellDependents(
    _ index: Int, _ now: Int64, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    guard !dependents[index].isEmpty else { return }
    // Registers belong to the instance that is being looked at: it is looked at again afterwards.
    let cells = pool.cells
    let deadline = pool.deadline
    for dependent in dependents[index] {
      evaluate(Int(dependent), at: now, 0, moment, &output)
      schedule(Int(dependent))
    }
    pool.cells = cells
    pool.deadline = deadline
  }

  /// The alarm holds its state while nobody knows its condition; operators are told when it
  /// matters.
  private mutating func markInput(
    _ index: Int, isStale: Bool, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    let alarm = Int(instances[index].alarm)
    guard alarm >= 0, alarmRecords[alarm].isInputStale != isStale else { return }
    alarmRecords[alarm].isInputStale = isStale
    let state = alarmRecords[alarm].machine.state
    guard state.isAnnunciated, alarmRecords[alarm].machine.isActive else { return }
    emit(index, from: state, to: state, isStale ? .inputLost : .inputBack, moment, &output)
  }

  /// The wall clock at an elapsed time of this record.
  func wall(at now: Int64, _ moment: RecordMoment) -> Timestamp {
    moment.wall.advanced(byMicroseconds: now - moment.elapsedMicroseconds)
  }
}

/// Whether a rule's schedules are open, and for how long that is known.
struct ScheduleOpening: Sendable {
  var isOpen = true
  /// Wall time in µs between which it holds.
  var from = Int64.max
  var until = Int64.min
}

extension RuleEngine {
  mutating func isScheduleOpen(_ rule: Int, wall: Int64) -> Bool {
    let known = openings[rule]
    if wall >= known.from, wall < known.until { return known.isOpen }
    let now = Timestamp(microseconds: wall)
    let offset = Int64(zone(now))
    let local = wall.flooredQuotient(1_000_000) + offset
    var opening = ScheduleOpening()
    opening.isOpen = rules.rules[rule].schedules.contains { $0.contains(localSeconds: local) }
    opening.from = wall
    let boundary =
      rules.rules[rule].schedules.map { $0.nextBoundary(afterLocalSeconds: local) }.min() ?? local
    let due = (boundary - offset) * 1_000_000
    opening.until = clockChange(from: wall, offset, to: due) ?? due
    openings[rule] = opening
    return opening.isOpen
  }

  /// The moment until `end` at which local time jumps; `nil`: it does not.
  private func clockChange(from start: Int64, _ offset: Int64, to end: Int64) -> Int64? {
    let differs = { (wall: Int64) in Int64(zone(Timestamp(microseconds: wall))) != offset }
    guard end > start, differs(end) else { return nil }
    var (same, other) = (start, end)
    while other - same > 1 {
      let middle = same + (other - same) / 2
      if differs(middle) { other = middle } else { same = middle }
    }
    return other
  }
}
