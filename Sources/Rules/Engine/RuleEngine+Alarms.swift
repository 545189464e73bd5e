import Telemetry

/// Alarms of the engine: commands, transitions, figures.
extension RuleEngine {
  /// Carries out what an operator commands.
  ///
  /// - Returns: why it was refused; `nil`: it was done.
  public mutating func command(
    _ command: AlarmCommand, at moment: RecordMoment, by principal: String, remark: String = "",
    into output: inout RuleOutput
  ) -> AlarmRefusal? {
    begin(moment, &output)
    guard let found = instanceOfKey[command.alarm], instances[Int(found)].alarm >= 0 else {
      return .unknownAlarm(command.alarm)
    }
    let index = Int(found)
    let by = Command(principal: principal, remark: remark)
    switch command.action {
    case .acknowledge: return drive(index, .acknowledge, .acknowledged, moment, &output, by)
    case .reset: return drive(index, .reset, .reset, moment, &output, by)
    case .shelve(let span):
      return shelve(index, span.microseconds, moment, &output, by)
    case .unshelve: return drive(index, .unshelve, .unshelved, moment, &output, by)
    case .suppress: return drive(index, .suppress, .suppressed, moment, &output, by)
    case .unsuppress: return drive(index, .unsuppress, .unsuppressed, moment, &output, by)
    case .takeOutOfService:
      return drive(index, .takeOutOfService, .outOfService, moment, &output, by)
    case .returnToService:
      return drive(index, .returnToService, .returnedToService, moment, &output, by)
    }
  }

  struct Command {
    var principal = ""
    var remark = ""
  }

  private mutating func shelve(
    _ index: Int, _ span: Int64, _ moment: RecordMoment, _ output: inout RuleOutput, _ by: Command
  ) -> AlarmRefusal? {
    let longest = rules.rules[Int(instances[index].rule)].shelveMaxMicroseconds
    guard span > 0, span <= longest else { return .shelfTime(maximum: .microseconds(longest)) }
    if let refusal = drive(index, .shelve, .shelved, moment, &output, by, isAlwaysTold: true) {
      return refusal
    }
    let until = moment.elapsedMicroseconds + span
    alarmRecords[Int(instances[index].alarm)].shelvedUntil = until
    instances[index].deadline = min(instances[index].deadline, until)
    schedule(index)
    return nil
  }

  /// Gives the alarm of an instance an input, and tells of it when its state changed.
  mutating func drive(
    _ index: Int, _ input: AlarmMachine.Input, _ cause: AlarmCause, _ moment: RecordMoment,
    _ output: inout RuleOutput, _ by: Command = Command(), isAlwaysTold: Bool = false
  ) -> AlarmRefusal? {
    let alarm = Int(instances[index].alarm)
    let from = alarmRecords[alarm].machine.state
    if let refusal = alarmRecords[alarm].machine.take(input) { return refusal }
    if !alarmRecords[alarm].machine.isShelved { alarmRecords[alarm].shelvedUntil = .max }
    let to = alarmRecords[alarm].machine.state
    guard from != to || isAlwaysTold else { return nil }
    if alarmRecords[alarm].machine.isActive, to.isAnnunciated,
      !from.isAnnunciated
        || (to == .unacknowledged && from != .unacknowledged)
    {
      announce(index, moment, &output)
    }
    emit(index, from: from, to: to, cause, moment, &output, by)
    return nil
  }

  private mutating func announce(
    _ index: Int, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    let alarm = Int(instances[index].alarm)
    alarmRecords[alarm].statistics.announcements += 1
    let console = Int(alarmRecords[alarm].console)
    let priority = rules.rules[Int(instances[index].rule)].priority
    guard priority != .journal,
      let change = consoles[console].announced(priority, at: moment.elapsedMicroseconds)
    else { return }
    output.floods.append(
      FloodNotice(
        console: consoles[console].name, isBeginning: change == .began, time: moment.wall,
        count: consoles[console].recent.count))
  }

  mutating func emit(
    _ index: Int, from: AlarmState, to: AlarmState, _ cause: AlarmCause, _ moment: RecordMoment,
    _ output: inout RuleOutput, _ by: Command = Command()
  ) {
    let alarm = Int(instances[index].alarm)
    let rule = rules.rules[Int(instances[index].rule)]
    transitions += 1
    if from != to { alarmRecords[alarm].since = moment.wall.microseconds }
    let facts = self.facts(index, moment, state: to)
    output.transitions.append(
      AlarmTransition(
        key: keys[index], number: transitions, from: from, to: to, cause: cause,
        time: moment.wall, elapsedMicroseconds: moment.elapsedMicroseconds, priority: rule.priority,
        console: rule.console, device: facts.device, asset: facts.asset, value: facts.value,
        unit: facts.unit, values: signalValues(index), principal: by.principal, remark: by.remark,
        isInputStale: alarmRecords[alarm].isInputStale,
        isUncertain: instances[index].isUncertain, text: facts.text(rule.text),
        textPT: rule.textPT.map { facts.text($0) } ?? "",
        isChattering: alarmRecords[alarm].isChattering))
  }

  // MARK: - Reading

  /// All alarms, also normal ones, in order of their rules and devices.
  public var alarms: [AlarmView] {
    instances.indices.filter { instances[$0].alarm >= 0 }.map { view($0) }
  }

  public func alarm(_ key: AlarmKey) -> AlarmView? {
    guard let index = instanceOfKey[key], instances[Int(index)].alarm >= 0 else { return nil }
    return view(Int(index))
  }

  private func view(_ index: Int) -> AlarmView {
    let record = alarmRecords[Int(instances[index].alarm)]
    let rule = rules.rules[Int(instances[index].rule)]
    let value = instances[index].value
    return AlarmView(
      key: keys[index], state: record.machine.state, priority: rule.priority, console: rule.console,
      device: deviceID(index), asset: asset(index), isActive: record.machine.isActive,
      isLatched: rule.isLatched,
      since: record.since == .min ? nil : Timestamp(microseconds: record.since),
      shelvedUntil: record.shelvedUntil == .max ? nil : record.shelvedUntil,
      isInputStale: record.isInputStale, isUncertain: instances[index].isUncertain,
      isStanding: record.statistics.isStanding(at: instances[index].now),
      value: value.isNaN ? nil : value, unit: rule.program.valueUnit, statistics: record.statistics)
  }

  /// Alarms whose condition has held for more than 24 h, the longest first.
  public func standingAlarms(at moment: RecordMoment) -> [AlarmView] {
    alarms.filter { $0.statistics.isStanding(at: moment.elapsedMicroseconds) }
      .sorted {
        ($0.statistics.activeSince ?? 0, $0.key) < ($1.statistics.activeSince ?? 0, $1.key)
      }
  }

  /// The alarms that were announced most often, the worst first.
  public func badActors(count: Int = 10) -> [AlarmView] {
    Array(
      alarms.filter { $0.statistics.announcements > 0 }
        .sorted {
          $0.statistics.announcements != $1.statistics.announcements
            ? $0.statistics.announcements > $1.statistics.announcements : $0.key < $1.key
        }
        .prefix(count))
  }

  /// The figures of each console since the first record.
  public func consoleReports(at moment: RecordMoment) -> [ConsoleReport] {
    consoles.map {
      $0.report(since: began ?? moment.elapsedMicroseconds, at: moment.elapsedMicroseconds)
    }
  }
}
