import Telemetry

/// Devices, series and words as they become known, and the instances that come of them.
extension RuleEngine {
  public mutating func define(device: DeviceDefinition) {
    let index = Int(device.index)
    if index < devices.count {
      let before = devices[index]
      devices[index] = device
      if before.id != device.id || before.profile != device.profile || before.asset != device.asset
      {
        needsRebuild = true
      }
      return
    }
    while devices.count < index { append(Catalog.lostDevice(devices.count)) }
    append(device)
  }

  private mutating func append(_ device: DeviceDefinition) {
    devices.append(device)
    isOffline.append(false)
    instancesOfDevice.append([])
    guard !needsRebuild else { return }
    resolve(with: device)
    if !needsRebuild { place(device) }
  }

  public mutating func define(series definition: SeriesDefinition) {
    let index = Int(definition.index)
    if index < series.count {
      let before = series[index]
      series[index] = definition
      if before.device != definition.device || before.metric != definition.metric
        || before.unit != definition.unit
      {
        needsRebuild = true
      }
      return
    }
    while series.count < index {
      series.append(Catalog.lostSeries(series.count))
      heads.append(-1)
    }
    series.append(definition)
    heads.append(-1)
    if !needsRebuild { bind(definition) }
  }

  /// A word of the store's dictionary.
  public mutating func define(word id: UInt32, text: String) {
    while words.count <= Int(id) { words.append("") }
    words[Int(id)] = text
    for place in wordPlaces[text] ?? [] { pool.code[Int(place)].x = Double(id) }
  }

  /// Applies an item of a batch that defines something; anything else is left to its own verb.
  public mutating func define(_ item: Item) {
    switch item {
    case .device(let device): define(device: device)
    case .series(let series): define(series: series)
    case .word(let id, let text): define(word: id, text: text)
    default: break
    }
  }

  // MARK: - Rules into instances

  /// Makes everything anew from rules and definitions, without state.
  mutating func compile() {
    isCompiling = true
    defer { isCompiling = false }
    compiled = []
    hashes = rules.rules.map(\.conditionHash)
    started = 0
    matchers = rules.rules.map { ScopeMatcher($0.scope) }
    instances = []
    keys = []
    instanceOfKey = [:]
    instancesOfDevice = Array(repeating: [], count: devices.count)
    causes = []
    lastEvents = []
    dependents = []
    heads = Array(repeating: -1, count: series.count)
    bindings = []
    awaiting = [:]
    unresolved = []
    resolvedBelow = []
    eventInputs = [:]
    wordPlaces = [:]
    openings = Array(repeating: ScheduleOpening(), count: rules.rules.count)
    pool = RulePool()
    alarmRecords = []
    heap = []
    problems = []
    needsRebuild = false
    var registers = 0
    for rule in rules.rules {
      compiled.append(CompiledRule(rule, codeAt: pool.code.count))
      for word in rule.program.words {
        wordPlaces[word.text, default: []].append(Int32(pool.code.count) + word.instruction)
      }
      pool.code += rule.program.instructions
      registers = max(registers, rule.program.instructions.count)
      if !consoles.contains(where: { $0.name == rule.console }) {
        consoles.append(AlarmConsole(name: rule.console))
      }
    }
    pool.cells = Array(repeating: Cell(0), count: registers)
    for (id, text) in words.enumerated() {
      for place in wordPlaces[text] ?? [] { pool.code[Int(place)].x = Double(id) }
    }
    for (index, rule) in rules.rules.enumerated() where rule.watch == .signals {
      addInstance(rule: index, device: -1, source: "")
    }
    for device in devices { place(device) }
    for definition in series { bind(definition) }
  }

  /// Finds the rules for a new device.
  private mutating func place(_ device: DeviceDefinition) {
    let first = instances.count
    for index in rules.rules.indices {
      let watch = rules.rules[index].watch
      guard watch != .signals,
        rules.rules[index].isCommunication
          || matchers[index].matches(
            device: device.id, profile: device.profile, asset: device.asset)
      else { continue }
      if watch == .devices {
        if hasSignals(of: rules.rules[index], device) {
          addInstance(rule: index, device: Int32(device.index), source: device.id)
        }
      } else {
        for asset in matchers[index].assets(of: device.asset)
        where instanceOfKey[AlarmKey(rule: rules.rules[index].id, source: asset)] == nil {
          addInstance(rule: index, device: -1, source: asset)
        }
      }
    }
    for index in first..<instances.count { linkCauses(of: index) }
  }

  /// A device whose profile is declared without a metric of the rule will never have it.
  private func hasSignals(of rule: Rule, _ device: DeviceDefinition) -> Bool {
    guard rules.profiles.contains(device.profile) else { return true }
    return rule.program.inputs.allSatisfy { input in
      guard input.reference.place == .own, input.event == nil else { return true }
      let key = RuleSet.MetricKey(profile: device.profile, metric: input.reference.metric)
      // A metric that no profile declares may come all the same.
      return rules.metrics[key] != nil
        || !rules.profiles.contains {
          rules.metrics[RuleSet.MetricKey(profile: $0, metric: input.reference.metric)] != nil
        }
    }
  }

  private mutating func addInstance(rule index: Int, device: Int32, source: String) {
    let rule = rules.rules[index]
    let number = Int32(instances.count)
    var alarm: Int32 = -1
    if rule.hasAlarm {
      alarm = Int32(alarmRecords.count)
      let console = consoles.firstIndex { $0.name == rule.console } ?? 0
      alarmRecords.append(
        AlarmRecord(
          machine: AlarmMachine(
            isLatched: rule.isLatched, needsAcknowledgement: rule.priority != .journal),
          console: Int32(console)))
    }
    instances.append(
      RuleInstance(
        rule: Int32(index), device: device, firstInput: Int32(pool.inputs.count),
        firstMemory: Int32(pool.memories.count), firstWindow: Int32(pool.windows.count),
        alarm: alarm))
    let key = AlarmKey(rule: rule.id, source: source)
    keys.append(key)
    instanceOfKey[key] = number
    if device >= 0 { instancesOfDevice[Int(device)].append(number) }
    causes.append([])
    lastEvents.append("")
    dependents.append([])
    pool.memories += Array(repeating: MemoryState(), count: rule.program.memories)
    pool.windows += rule.program.windows.map { Window($0) }
    for (offset, input) in rule.program.inputs.enumerated() {
      pool.inputs.append(InputState(seen: .min))
      let place = InputPlace(instance: number, input: Int32(offset))
      if let event = input.event {
        eventInputs[event, default: []].append(place)
      } else {
        seek(input.reference, place)
      }
    }
  }

  private mutating func seek(_ reference: Reference, _ place: InputPlace) {
    let device = instances[Int(place.instance)].device
    switch reference.place {
    case .own: wait(for: reference.metric, of: UInt32(device), place)
    case .device(let id):
      if let found = devices.first(where: { $0.id == id }) {
        wait(for: reference.metric, of: found.index, place)
      } else {
        unresolved.append(place)
      }
    case .below(let path):
      let asset = keys[Int(place.instance)].source
      let found =
        devices.first { $0.asset == asset + "/" + path }
        ?? devices.first { $0.profile == path && isBelow($0.asset, asset) }
      if let found {
        wait(for: reference.metric, of: found.index, place)
        resolvedBelow.append(place)
      } else {
        unresolved.append(place)
      }
    }
  }

  private func isBelow(_ path: String, _ asset: String) -> Bool {
    path == asset || path.hasPrefix(asset + "/")
  }

  private func reference(_ place: InputPlace) -> Reference {
    let rule = Int(instances[Int(place.instance)].rule)
    return rules.rules[rule].program.inputs[Int(place.input)].reference
  }

  /// A new device may be the one that signals wait for.
  private mutating func resolve(with device: DeviceDefinition) {
    // One that stands where another was taken for its profile: what holds is decided anew.
    for place in resolvedBelow where fits(device, place) {
      needsRebuild = true
      return
    }
    var open: [InputPlace] = []
    for place in unresolved {
      if fits(device, place) {
        wait(for: reference(place).metric, of: device.index, place)
        if case .below = reference(place).place { resolvedBelow.append(place) }
      } else {
        open.append(place)
      }
    }
    unresolved = open
  }

  private func fits(_ device: DeviceDefinition, _ place: InputPlace) -> Bool {
    switch reference(place).place {
    case .own: return false
    case .device(let id): return device.id == id
    case .below(let path):
      let asset = keys[Int(place.instance)].source
      return device.asset == asset + "/" + path
        || (device.profile == path && isBelow(device.asset, asset))
    }
  }

  // MARK: - Series into inputs

  private mutating func wait(for metric: String, of device: UInt32, _ place: InputPlace) {
    awaiting[SignalKey(device: device, metric: metric), default: []].append(place)
    // A device that is being defined has no series yet, and compiling binds them all afterwards.
    guard !isCompiling, instances[Int(place.instance)].device != Int32(device) else { return }
    for definition in series
    where definition.device == device && definition.metric == metric
      && !isConnected(place, definition)
    {
      connect(place, to: definition)
    }
  }

  private mutating func bind(_ definition: SeriesDefinition) {
    let key = SignalKey(device: definition.device, metric: definition.metric)
    for place in awaiting[key] ?? [] where !isConnected(place, definition) {
      connect(place, to: definition)
    }
  }

  private func isConnected(_ place: InputPlace, _ definition: SeriesDefinition) -> Bool {
    var binding = heads[Int(definition.index)]
    while binding >= 0 {
      let known = bindings[Int(binding)]
      if known.instance == place.instance, known.input == place.input { return true }
      binding = known.next
    }
    return false
  }

  private mutating func connect(_ place: InputPlace, to definition: SeriesDefinition) {
    let instance = instances[Int(place.instance)]
    let rule = rules.rules[Int(instance.rule)]
    let spec = rule.program.inputs[Int(place.input)]
    let input = Int(instance.firstInput + place.input)
    guard let conversion = conversion(spec, definition, place) else { return }
    pool.inputs[input].conversion = conversion
    pool.inputs[input].isPulse = definition.kind == .event
    pool.inputs[input].holds = definition.kind == .state || definition.kind == .event
    let device = Int(definition.device)
    if device < devices.count {
      let key = RuleSet.MetricKey(profile: devices[device].profile, metric: definition.metric)
      let interval = rules.metrics[key]?.intervalMicroseconds ?? 0
      pool.inputs[input].declaredLimit =
        interval > 0 ? max(InputState.declaredLimitMin, 3 * interval) : 0
    }
    for (offset, window) in rule.program.windows.enumerated()
    where window.input == Int(place.input) && definition.kind == .counter {
      pool.windows[Int(instance.firstWindow) + offset].isCounter = true
    }
    append(Binding(instance: place.instance, input: place.input, next: -1), to: definition.index)
  }

  private mutating func append(_ binding: Binding, to series: UInt32) {
    let number = Int32(bindings.count)
    bindings.append(binding)
    var last = heads[Int(series)]
    guard last >= 0 else {
      heads[Int(series)] = number
      return
    }
    while bindings[Int(last)].next >= 0 { last = bindings[Int(last)].next }
    bindings[Int(last)].next = number
  }

  /// How values of a series become those of the rule; `nil` after noting why they cannot.
  private mutating func conversion(
    _ spec: InputSpec, _ definition: SeriesDefinition, _ place: InputPlace
  ) -> Int32? {
    if let kind = spec.kind, kind != Operand.Kind(definition.type) {
      note(place, definition, "the rule takes it for \(kind), but it is \(definition.type.name)")
      return nil
    }
    guard definition.type == .number else { return InputState.wordConversion }
    guard let code = spec.unit, code != definition.unit else { return -1 }
    guard let target = Unit(code), let source = Unit(definition.unit),
      let conversion = Unit.conversion(from: source, to: target)
    else {
      let unit = definition.unit.isEmpty ? "has no unit" : "is in \(definition.unit)"
      note(place, definition, "the rule takes it in \(code), but the series \(unit)")
      return nil
    }
    if conversion.isIdentity { return -1 }
    if let known = pool.conversions.firstIndex(of: conversion) { return Int32(known) }
    pool.conversions.append(conversion)
    return Int32(pool.conversions.count - 1)
  }

  private mutating func note(
    _ place: InputPlace, _ definition: SeriesDefinition, _ message: String
  ) {
    guard problems.count < 1_000 else { return }
    let device = Int(definition.device)
    let id = device < devices.count ? devices[device].id : ""
    problems.append(
      RuleProblem(
        key: keys[Int(place.instance)], series: "\(id)/\(definition.metric)",
        message: "\(id)/\(definition.metric): \(message); the condition stays unknown"))
  }

  // MARK: - Causes

  /// A rule is silenced by others at the same device, at an asset above it, or without a place.
  private mutating func linkCauses(of index: Int) {
    let rule = rules.rules[Int(instances[index].rule)]
    guard !rule.suppressedBy.isEmpty else { return }
    var sources = [keys[index].source, ""]
    let path = asset(index)
    for end in path.indices where path[end] == "/" { sources.append(String(path[..<end])) }
    if !path.isEmpty { sources.append(path) }
    for cause in rule.suppressedBy {
      for source in sources {
        guard let found = instanceOfKey[AlarmKey(rule: cause, source: source)],
          Int(found) != index, !causes[index].contains(found)
        else { continue }
        causes[index].append(found)
        dependents[Int(found)].append(Int32(index))
      }
    }
  }
}
