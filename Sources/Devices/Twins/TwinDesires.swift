import Telemetry

/// What persons desire of devices, and whether the devices got there.
///
/// A deterministic reducer: told about profiles, definitions, commands, samples and time in the order of the
/// journal, it says what is to be sent and what became of it. No clock, no randomness, no I/O. Only `command`,
/// with the name of who asks, ever makes a desire; nothing that is computed can. A command is made in the
/// record that asks for it or not at all: nothing is sent again by itself.
///
/// A sample of a series that nothing depends on costs one comparison.
public struct TwinDesires: Sendable {
  static let formatVersion: UInt8 = 1

  var catalog = Catalog()
  private(set) var profiles: [Profile] = []
  /// Index in `profiles` by index of device; -1: nothing of it can be set.
  private var plans: [Int32] = []
  var watches: [TwinWatch] = []
  /// Index in `watches` by index of series; -1: nothing depends on it.
  private var watchSlots: [Int32] = []
  var states: [DesiredState] = []
  /// Index in `states` by index of device; -1: nothing was ever desired of it.
  private var stateSlots: [Int32] = []
  /// Profiles or devices changed: `advance` looks for desires that nothing declares any more.
  private var isReconciled = true
  /// When something next happens by time alone, on the elapsed clock.
  private var soonest = Int64.max

  public init(profiles: [Profile] = []) { self.profiles = profiles }

  // MARK: - Definitions

  /// Puts other profiles in force. What is desired stays; what is no longer declared goes with the next `advance`.
  public mutating func configure(_ profiles: [Profile]) {
    self.profiles = profiles
    plans = catalog.devices.map { Self.plan(of: $0, profiles) }
    rewatch()
    isReconciled = false
  }

  /// Takes the definition of a device, a series or a word; other items say nothing.
  public mutating func define(_ item: Item) {
    catalog.apply(item)
    switch item {
    case .device(let device): define(device)
    case .series(let series): watch(series.index)
    default: break
    }
  }

  private mutating func define(_ device: DeviceDefinition) {
    // Where ids were lost with a damaged file the catalog fills the gap; so do we.
    while plans.count < catalog.devices.count {
      plans.append(Self.plan(of: catalog.devices[plans.count], profiles))
      stateSlots.append(-1)
    }
    let index = Int(device.index)
    guard index < plans.count else { return }
    let plan = Self.plan(of: device, profiles)
    guard plan != plans[index] else { return }
    plans[index] = plan
    rewatch()
    isReconciled = false
  }

  private static func plan(of device: DeviceDefinition, _ profiles: [Profile]) -> Int32 {
    guard !device.profile.isEmpty,
      let index = profiles.firstIndex(where: { $0.id == device.profile }),
      !profiles[index].desired.isEmpty
    else { return -1 }
    return Int32(index)
  }

  /// The profile of a device, if something of it can be set.
  func plan(ofDevice device: UInt32) -> Profile? {
    guard device < plans.count, plans[Int(device)] >= 0 else { return nil }
    return profiles[Int(plans[Int(device)])]
  }

  private mutating func rewatch() {
    let before = watches
    watches.removeAll()
    watchSlots = [Int32](repeating: -1, count: catalog.series.count)
    for series in catalog.series { watch(series.index) }
    for old in before {
      if let slot = watchSlot(ofSeries: old.series) { watches[slot].keep(old) }
    }
    for index in states.indices { link(index) }
    setDeadline()
  }

  private mutating func watch(_ series: UInt32) {
    // A number far beyond the others is damage; the catalog passes it over.
    guard series < catalog.series.count else { return }
    while watchSlots.count <= Int(series) { watchSlots.append(-1) }
    let definition = catalog.series[Int(series)]
    guard watchSlots[Int(series)] < 0, let profile = plan(ofDevice: definition.device),
      profile.desired.contains(where: { $0.depends(on: definition.metric) })
    else { return }
    let interval = profile.metric(definition.metric)?.interval?.microseconds ?? 0
    watchSlots[Int(series)] = Int32(watches.count)
    watches.append(
      TwinWatch(
        series: series, device: definition.device,
        ageLimit: interval > 0 ? max(1_000_000, 3 * interval) : 0))
    if let state = stateIndex(ofDevice: definition.device) { link(state) }
  }

  func watchSlot(ofSeries series: UInt32) -> Int? {
    guard series < watchSlots.count, watchSlots[Int(series)] >= 0 else { return nil }
    return Int(watchSlots[Int(series)])
  }

  /// The watch of a metric of a device; `nil`: it was not heard of yet.
  func watchSlot(ofDevice device: UInt32, metric: String) -> Int? {
    let series = catalog.series(ofDevice: device).last {
      catalog.series[Int($0)].metric == metric
    }
    return series.flatMap { watchSlot(ofSeries: $0) }
  }

  func stateIndex(ofDevice device: UInt32) -> Int? {
    guard device < stateSlots.count, stateSlots[Int(device)] >= 0 else { return nil }
    return Int(stateSlots[Int(device)])
  }

  /// The state of a device, made where there is none.
  mutating func openState(ofDevice device: UInt32) -> Int {
    if let index = stateIndex(ofDevice: device) { return index }
    states.append(DesiredState(device: device))
    stateSlots[Int(device)] = Int32(states.count - 1)
    return states.count - 1
  }

  /// Finds where the entries of a state are reported.
  func link(of entry: DesiredEntry, device: UInt32) -> DesiredLink? {
    guard let property = plan(ofDevice: device)?.desired.first(where: { $0.name == entry.property })
    else { return nil }
    guard let watch = watchSlot(ofDevice: device, metric: property.metric) else {
      return DesiredLink(watch: nil, property: property, conversion: nil)
    }
    let series = catalog.series[Int(watches[watch].series)]
    var conversion: Conversion? = .identity
    if let unit = property.unit, !series.unit.isEmpty {
      conversion = Telemetry.Unit(series.unit).flatMap {
        Telemetry.Unit.conversion(from: $0, to: unit)
      }
    }
    return DesiredLink(watch: watch, property: property, conversion: conversion)
  }

  private mutating func link(_ state: Int) {
    for index in states[state].entries.indices {
      states[state].entries[index].link = link(
        of: states[state].entries[index], device: states[state].device)
    }
  }

  // MARK: - Samples and time

  /// Takes a sample that was committed.
  public mutating func observe(
    _ sample: Sample, at moment: RecordMoment, into output: inout TwinOutput
  ) {
    guard sample.series < watchSlots.count, watchSlots[Int(sample.series)] >= 0 else { return }
    let slot = Int(watchSlots[Int(sample.series)])
    guard watches[slot].take(sample, at: moment), watches[slot].isTrusted,
      let state = stateIndex(ofDevice: watches[slot].device)
    else { return }
    judge(state, by: slot, at: moment, into: &output)
  }

  /// Some values of a device do not hold any more: they neither permit a command nor confirm one.
  public mutating func wentStale(_ staleness: Staleness) {
    for index in watches.indices where watches[index].device == staleness.device {
      guard staleness.series.isEmpty || staleness.series.contains(watches[index].series) else {
        continue
      }
      watches[index].lose(staleness.quality)
    }
  }

  /// Lets time pass: commands expire, desires time out. Call it once for each record, after its samples.
  public mutating func advance(to moment: RecordMoment, into output: inout TwinOutput) {
    if !isReconciled { withdraw(at: moment, into: &output) }
    guard moment.elapsedMicroseconds >= soonest else { return }
    for index in states.indices { expire(index, at: moment, into: &output) }
    setDeadline()
  }

  /// When `advance` next has something to do, on the elapsed clock; `nil`: never, as things stand.
  public var nextDeadline: Int64? { soonest == .max ? nil : soonest }

  mutating func setDeadline() {
    soonest = .max
    for state in states {
      for entry in state.entries { soonest = min(soonest, entry.next ?? .max) }
    }
  }

  /// The reported value in the unit of the desired one; `nil`: not known, not trusted or not comparable.
  func reported(_ link: DesiredLink?) -> Value? {
    guard let link, let slot = link.watch, watches[slot].isTrusted, let conversion = link.conversion
    else { return nil }
    let series = catalog.series[Int(watches[slot].series)]
    let value = catalog.value(watches[slot].bits, type: series.type)
    if case .number(let number) = value { return .number(conversion.apply(number)) }
    return value
  }

  private mutating func judge(
    _ state: Int, by slot: Int, at moment: RecordMoment, into output: inout TwinOutput
  ) {
    let first = output.events.count
    var isMoved = false
    for index in states[state].entries.indices {
      let entry = states[state].entries[index]
      guard let link = entry.link, link.watch == slot, let value = reported(link) else { continue }
      let isThere = link.property.isReached(entry.value, by: value)
      if entry.status != .converged {
        guard isThere else { continue }
        states[state].entries[index].status = .converged
        states[state].entries[index].awaySince = nil
        tell(.converged, state, index, at: moment, into: &output)
      } else if isThere == (entry.awaySince == nil) {
        continue
      } else {
        states[state].entries[index].awaySince = isThere ? nil : moment.elapsedMicroseconds
      }
      isMoved = true
    }
    if output.events.count > first { publish(state, at: moment, into: &output) }
    if isMoved { setDeadline() }
  }

  private mutating func expire(
    _ state: Int, at moment: RecordMoment, into output: inout TwinOutput
  ) {
    let first = output.events.count
    var isMoved = false
    for index in states[state].entries.indices {
      let entry = states[state].entries[index]
      guard let next = entry.next, moment.elapsedMicroseconds >= next else { continue }
      isMoved = true
      if entry.status == .converged {
        states[state].entries[index].status = .diverged
        tell(.diverged, state, index, at: moment, into: &output)
        continue
      }
      states[state].entries[index].isExpired = true
      guard moment.elapsedMicroseconds >= entry.deadline else { continue }
      states[state].entries[index].status = .timedOut
      tell(.timedOut, state, index, at: moment, into: &output)
    }
    if output.events.count > first {
      publish(state, at: moment, into: &output)
    } else if isMoved {
      output.standings.append(standing(of: state, at: moment))
    }
  }

  /// Desires of properties that are not declared any more, or in another unit, are taken back.
  private mutating func withdraw(at moment: RecordMoment, into output: inout TwinOutput) {
    isReconciled = true
    for state in states.indices {
      let first = output.events.count
      for index in states[state].entries.indices.reversed() {
        let entry = states[state].entries[index]
        if let property = entry.link?.property, (property.unit?.code ?? "") == entry.unit,
          property.type == entry.value.type
        {
          continue
        }
        states[state].version += output.events.count == first ? 1 : 0
        tell(.withdrawn, state, index, at: moment, into: &output)
        states[state].entries.remove(at: index)
      }
      if output.events.count > first { publish(state, at: moment, into: &output) }
    }
    setDeadline()
  }

  private func tell(
    _ kind: TwinEvent.Kind, _ state: Int, _ index: Int, at moment: RecordMoment,
    into output: inout TwinOutput
  ) {
    let entry = states[state].entries[index]
    var event = TwinEvent(
      kind, device: catalog.devices[Int(states[state].device)].id, property: entry.property,
      at: moment.wall)
    event.principal = entry.principal
    event.remark = entry.remark
    event.old = kind == .withdrawn ? entry.value : reported(entry.link)
    event.new = kind == .withdrawn ? nil : entry.value
    event.unit = entry.unit
    event.version = states[state].version
    event.id = entry.id
    if kind != .withdrawn {
      event.seconds = Double(moment.elapsedMicroseconds - entry.asked) / 1e6
    }
    output.events.append(event)
  }

  // MARK: - Saved state

  /// What a later record may depend on, but for definitions and profiles.
  public func encode(into out: inout ByteWriter) {
    out.byte(Self.formatVersion)
    out.byte(isReconciled ? 1 : 0)
    out.varint(UInt64(states.count))
    for state in states { state.encode(into: &out) }
    let known = watches.filter(\.isKnown)
    out.varint(UInt64(known.count))
    for watch in known { watch.encode(into: &out) }
  }

  /// Takes what `encode` wrote. Profiles and definitions are told before, as they were then.
  ///
  /// - Throws: when the bytes end early or are of another version; then nothing was taken.
  public mutating func restore(from input: inout ByteReader) throws(ByteReader.Truncated) {
    guard try input.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    let wasReconciled = try input.byte() != 0
    var saved: [DesiredState] = []
    for _ in 0..<(try input.length()) { saved.append(try DesiredState(from: &input)) }
    guard saved.allSatisfy({ $0.device < catalog.devices.count }) else {
      throw ByteReader.Truncated()
    }
    var known: [TwinWatch] = []
    for _ in 0..<(try input.length()) { known.append(try TwinWatch(from: &input)) }
    states = saved
    stateSlots = [Int32](repeating: -1, count: catalog.devices.count)
    for (index, state) in states.enumerated() { stateSlots[Int(state.device)] = Int32(index) }
    for watch in known {
      if let slot = watchSlot(ofSeries: watch.series) { watches[slot].keep(watch) }
    }
    isReconciled = wasReconciled
    for index in states.indices { link(index) }
    setDeadline()
  }
}

extension DesiredProperty {
  fileprivate func depends(on metric: String) -> Bool {
    self.metric == metric || permittedWhen.contains { $0.metric == metric }
  }
}
