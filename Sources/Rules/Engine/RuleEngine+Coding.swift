import Telemetry

/// State as bytes, and how it survives a change of the rules.
///
/// ```
/// version u8 = 3 · began i64 (min: never) · transitions varint · late varint
/// consoles: count varint, each AlarmConsole
/// offline devices: count varint, indexes varint
/// instances: count varint, each
///   rule text · source text · hash u64 · state u8 · priority u8 · machine u16 · shelved until i64
/// · event properties text · length varint · instance bytes
/// ```
/// Definitions are not in it: they come again from the catalog, before `restore`.
extension RuleEngine {
  static let version: UInt8 = 3

  public func encode(into out: inout ByteWriter) {
    out.byte(Self.version)
    out.fixed(began ?? .min)
    out.varint(transitions)
    out.varint(lateSamples)
    out.varint(UInt64(consoles.count))
    for console in consoles { console.encode(into: &out) }
    out.varint(UInt64(offlineCount))
    for index in isOffline.indices where isOffline[index] { out.varint(UInt64(index)) }
    let known = instances.indices.filter { $0 < started }
    out.varint(UInt64(known.count))
    var body = ByteWriter()
    for index in known { encode(index, into: &out, body: &body) }
  }

  private func encode(_ index: Int, into out: inout ByteWriter, body: inout ByteWriter) {
    let instance = instances[index]
    let rule = compiled[Int(instance.rule)]
    out.text(keys[index].rule)
    out.text(keys[index].source)
    out.fixed(hashes[Int(instance.rule)])
    let alarm = instance.alarm >= 0 ? alarmRecords[Int(instance.alarm)] : nil
    out.byte(alarm?.machine.state.rawValue ?? 0)
    out.byte(rules.rules[Int(instance.rule)].priority.rank)
    out.fixed(alarm?.machine.code ?? 0)
    out.fixed(alarm?.shelvedUntil ?? .max)
    out.text(lastEvents[index])
    body.removeAll()
    instance.encode(into: &body)
    for input in 0..<Int(rule.inputs) {
      pool.inputs[Int(instance.firstInput) + input].encode(into: &body)
    }
    for memory in 0..<Int(rule.memories) {
      pool.memories[Int(instance.firstMemory) + memory].encode(into: &body)
    }
    for window in 0..<Int(rule.windows) {
      pool.windows[Int(instance.firstWindow) + window].encode(into: &body)
    }
    alarm?.encode(into: &body)
    out.varint(UInt64(body.count))
    out.raw(body.bytes)
  }

  /// Takes up saved state; call it after all definitions. Alarms of rules that changed or are gone
  /// end.
  ///
  /// - Throws: `Truncated` when the bytes are damaged or of another version; then nothing has
  ///   changed.
  public mutating func restore(
    from reader: inout ByteReader, at moment: RecordMoment, into output: inout RuleOutput
  ) throws(ByteReader.Truncated) {
    var restored = self
    var ended = RuleOutput()
    try restored.take(&reader, at: moment, &ended)
    self = restored
    output.transitions += ended.transitions
  }

  /// Puts other rules in force. State and alarms of a rule stay when its id and all that decides
  /// when it is active are the same.
  public mutating func replace(
    rules: RuleSet, zone: LocalOffset? = nil, at moment: RecordMoment,
    into output: inout RuleOutput
  ) {
    begin(moment, &output)
    // What is saved speaks of the rules until now, which may be more.
    let saved = self.saved
    self.rules = rules
    if let zone { self.zone = zone }
    rebuild(from: saved, at: moment, &output)
  }

  /// Makes instances anew and gives each its state back.
  mutating func rebuild(at moment: RecordMoment, _ output: inout RuleOutput) {
    rebuild(from: saved, at: moment, &output)
  }

  private var saved: [UInt8] {
    var out = ByteWriter()
    encode(into: &out)
    return Array(out.bytes)
  }

  private mutating func rebuild(
    from saved: [UInt8], at moment: RecordMoment, _ output: inout RuleOutput
  ) {
    saved.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      do throws(ByteReader.Truncated) {
        try take(&reader, at: moment, &output)
      } catch {
        preconditionFailure("state that was just written cannot be read")
      }
    }
  }

  private struct Entry {
    var hash: UInt64
    var state: AlarmState
    var priority: AlarmPriority
    var machine: UInt16
    var shelvedUntil: Int64
    var event: String
    var body: UnsafeRawBufferPointer
  }

  private mutating func take(
    _ reader: inout ByteReader, at moment: RecordMoment, _ output: inout RuleOutput
  ) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.version else { throw ByteReader.Truncated() }
    let began = try reader.fixed(Int64.self)
    self.began = began == .min ? nil : began
    transitions = try reader.varint()
    lateSamples = try reader.varint()
    consoles = []
    for _ in 0..<(try reader.varint()) { consoles.append(try AlarmConsole(from: &reader)) }
    isOffline = Array(repeating: false, count: devices.count)
    offlineCount = 0
    for _ in 0..<(try reader.varint()) {
      let index = try reader.varint()
      guard index < UInt64(isOffline.count) else { continue }
      isOffline[Int(index)] = true
      offlineCount += 1
    }
    compile()
    var isRestored = [Bool](repeating: false, count: instances.count)
    for _ in 0..<(try reader.varint()) {
      let key = AlarmKey(rule: try reader.text(), source: try reader.text())
      let entry = try readEntry(&reader)
      guard let found = instanceOfKey[key] else {
        let isKnownRule = rules.rules.contains { $0.id == key.rule }
        end(key, entry, to: .normal, isKnownRule ? .scopeChanged : .ruleRemoved, moment, &output)
        continue
      }
      let index = Int(found)
      guard entry.hash == hashes[Int(instances[index].rule)] else {
        change(index, entry, moment, &output)
        continue
      }
      var body = ByteReader(entry.body)
      try decode(index, &body)
      lastEvents[index] = entry.event
      isRestored[index] = true
    }
    for index in instances.indices {
      if isRestored[index] {
        schedule(index)
      } else {
        start(index, at: moment.elapsedMicroseconds)
      }
    }
    started = instances.count
  }

  private func readEntry(_ reader: inout ByteReader) throws(ByteReader.Truncated) -> Entry {
    let hash = try reader.fixed(UInt64.self)
    let (state, rank) = (try reader.byte(), Int(try reader.byte()))
    let machine = try reader.fixed(UInt16.self)
    let shelvedUntil = try reader.fixed(Int64.self)
    let event = try reader.text()
    let body = try reader.slice(try reader.length())
    guard let state = AlarmState(rawValue: state), rank < AlarmPriority.allCases.count else {
      throw ByteReader.Truncated()
    }
    return Entry(
      hash: hash, state: state, priority: AlarmPriority.allCases[rank], machine: machine,
      shelvedUntil: shelvedUntil, event: event, body: body)
  }

  private mutating func decode(
    _ index: Int, _ body: inout ByteReader
  ) throws(ByteReader.Truncated) {
    let instance = instances[index]
    let rule = compiled[Int(instance.rule)]
    try instances[index].decode(&body)
    for input in 0..<Int(rule.inputs) {
      try pool.inputs[Int(instance.firstInput) + input].decode(&body)
    }
    for memory in 0..<Int(rule.memories) {
      pool.memories[Int(instance.firstMemory) + memory] = try MemoryState(from: &body)
    }
    for window in 0..<Int(rule.windows) {
      try pool.windows[Int(instance.firstWindow) + window].decode(&body)
    }
    if instance.alarm >= 0 { try alarmRecords[Int(instance.alarm)].decode(&body) }
  }

  /// A changed rule starts anew; what an operator decided of the alarm stays.
  private mutating func change(
    _ index: Int, _ entry: Entry, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    let alarm = Int(instances[index].alarm)
    guard alarm >= 0 else {
      return end(keys[index], entry, to: .normal, .ruleChanged, moment, &output)
    }
    let rule = rules.rules[Int(instances[index].rule)]
    let kept = entry.machine & AlarmMachine.operatorBits
    if let machine = AlarmMachine(
      code: kept, isLatched: rule.isLatched, needsAcknowledgement: rule.priority != .journal)
    {
      alarmRecords[alarm].machine = machine
      if machine.isShelved { alarmRecords[alarm].shelvedUntil = entry.shelvedUntil }
    }
    let to = alarmRecords[alarm].machine.state
    end(keys[index], entry, to: to, .ruleChanged, moment, &output)
  }

  private mutating func end(
    _ key: AlarmKey, _ entry: Entry, to: AlarmState, _ cause: AlarmCause, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    guard entry.state != to else { return }
    transitions += 1
    let rule = rules.rule(key.rule)
    let device = devices.first { $0.id == key.source }
    output.transitions.append(
      AlarmTransition(
        key: key, number: transitions, from: entry.state, to: to, cause: cause, time: moment.wall,
        elapsedMicroseconds: moment.elapsedMicroseconds, priority: entry.priority,
        console: rule?.console ?? "main", device: device?.id ?? "",
        asset: device?.asset ?? key.source, value: nil, unit: "", values: [], principal: "",
        remark: "", isInputStale: false, isUncertain: false, text: "", textPT: "",
        isChattering: false))
  }
}
