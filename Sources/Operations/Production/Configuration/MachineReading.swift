import Devices
import Telemetry

/// Reads one entry of `machines:`.
///
/// ```yaml
/// - device: press1                # or `asset: acme/linz/hall1/line1/press1` of one device
///   id: press1                    # default: the device's id
///   calendar: two_shifts          # default: planned to work always
///   state: state                  # metric of the state; default `state`
///   states:                       # what its values stand for; any other value means unknown
///     running: running            # running | idle | setup | planned_stop | break | not_scheduled |
///     fault: {state: unplanned_stop, reason: breakdown}    # unplanned_stop | starved | blocked | unknown
///   reason: stop_reason           # metric with codes of `reasons:`
///   product: program              # metric that names the product
///   order: order                  # metric that names the order
///   counters: {total: cycles, good: good, scrap: scrap, rework: rework}
///   ideal_cycle: 6 s              # where the product has none for this machine
///   micro_stop: 300 s             # shorter stops stay in production time
///   start_up: 10 min              # rejects this soon after setup or shift start; default 0
///   telemetry_timeout: 60 s       # unknown without a sign of life for longer; default 300 s
///   external: [starved, blocked]  # left out of "OEE without line losses"
///   factors: {setup: availability}  # state → outside | availability | production
/// ```
struct MachineReading {
  let map: YAMLMap
  let devices: DeviceConfiguration?
  let reasons: StopReasons
  let calendars: [String]

  func machine() -> MachineDefinition? {
    guard let device = device() else {
      _ = (map.value("id"), map.value("calendar"))
      return nil
    }
    var machine = MachineDefinition(
      id: map.optional("id", .name()) ?? device.id, device: device.id, asset: device.asset,
      profile: device.profile)
    machine.calendar = calendar()
    machine.states = states(device)
    machine.stateSeries =
      machine.states.isEmpty
      ? nil
      : series("state", device)
        ?? SeriesKey(
          device: device.id, metric: "state")
    machine.reasonSeries = series("reason", device)
    machine.productSeries = series("product", device)
    machine.orderSeries = series("order", device)
    machine.counters = counters(device)
    machine.idealCycle = map.optional("ideal_cycle", .idealCycle)
    machine.factors = factors()
    machine.startUpMicroseconds = map.optional("start_up", .duration)?.microseconds ?? 0
    if let timeout = map.optional("telemetry_timeout", .duration) {
      machine.telemetryTimeoutMicroseconds = max(1, timeout.microseconds)
      if timeout == .zero {
        map.value("telemetry_timeout")?.report("`telemetry_timeout` must be above zero")
      }
    }
    map.refuseUnknownKeys()
    return machine
  }

  // MARK: - References

  private func device() -> DeclaredDevice? {
    let id = map.optional("device", .name())
    let asset = map.optional("asset", .name(bytesMax: 1_024))
    guard let devices else { return DeclaredDevice(id: id ?? asset ?? "", asset: asset ?? "") }
    if let id {
      if let device = devices.device(id) { return device }
      map.value("device")?.report(
        "unknown device `\(id)`" + suggestion(id, devices.devices.map(\.id)))
      return nil
    }
    guard let asset else {
      map.report("a machine needs `device` or `asset`")
      return nil
    }
    let placed = devices.devices.filter { $0.asset == asset }
    if placed.isEmpty {
      map.value("asset")?.report(
        "no device is declared at `\(asset)`"
          + suggestion(asset, devices.devices.map(\.asset).filter { !$0.isEmpty }))
    } else if placed.count > 1 {
      map.value("asset")?.report(
        "\(placed.map { "`\($0.id)`" }.joined(separator: ", ")) are at `\(asset)`: name one with"
          + " `device`")
    }
    return placed.first
  }

  private func calendar() -> String {
    guard let id = map.optional("calendar", .name()) else { return "" }
    if !calendars.contains(id) {
      map.value("calendar")?.report("unknown calendar `\(id)`" + suggestion(id, calendars))
    }
    return id
  }

  private func profile(of device: DeclaredDevice) -> Profile? { devices?.profile(device.profile) }

  /// A metric of the machine's device, or `other_device/metric`.
  private func series(_ key: String, _ device: DeclaredDevice) -> SeriesKey? {
    guard let value = map.value(key), !value.isNull, let name = value.read(.name(bytesMax: 384))
    else {
      return nil
    }
    return series(name, at: value, device)
  }

  private func series(_ name: String, at value: YAMLValue, _ device: DeclaredDevice) -> SeriesKey {
    if let key = SeriesKey(name), devices?.device(key.device) != nil { return key }
    if let profile = profile(of: device), profile.metric(name) == nil {
      value.report(
        "`\(name)` is no metric of the profile `\(profile.id)`"
          + suggestion(name, profile.metrics.map(\.name)), severity: .warning)
    }
    return SeriesKey(device: device.id, metric: name)
  }

  // MARK: - States

  private func states(_ device: DeclaredDevice) -> [MachineDefinition.MappedState] {
    guard let states = map.optional("states", .map) else {
      if map.value("state") != nil {
        map.report("`states` is missing: what the values of `state` stand for")
      }
      return []
    }
    let metric = map.optional("state", .name(bytesMax: 384)) ?? "state"
    let words = profile(of: device)?.metric(metric)?.values?.words.map(\.word)
    var mapped: [MachineDefinition.MappedState] = []
    for entry in states.entries {
      if let words, !words.contains(entry.key) {
        entry.name.report("`\(metric)` is never `\(entry.key)`" + suggestion(entry.key, words))
      }
      if let state = mappedState(entry) { mapped.append(state) }
    }
    for word in words ?? [] where states.entries.allSatisfy({ $0.key != word }) {
      map.value("states")?.report(
        "`\(word)` of `\(metric)` is not listed and means unknown", severity: .warning)
    }
    return mapped
  }

  private func mappedState(_ entry: YAMLMap.Entry) -> MachineDefinition.MappedState? {
    guard !entry.value.isScalar else {
      return entry.value.read(.machineState).map {
        MachineDefinition.MappedState(value: entry.key, state: $0)
      }
    }
    guard let details = entry.value.read(.map) else { return nil }
    let state = details.required("state", .machineState)
    let code = details.optional("reason", .name())
    details.refuseUnknownKeys()
    guard let state else { return nil }
    if let code { check(code, of: state, at: details.value("reason")) }
    return MachineDefinition.MappedState(value: entry.key, state: state, reason: code)
  }

  private func check(_ code: String, of state: MachineState, at value: YAMLValue?) {
    guard let reason = reasons[code] else {
      value?.report(reasons.refusal(of: code))
      return
    }
    guard state.isStop || state == .setup else {
      value?.report("`\(state.name)` is no stop and has no reason")
      return
    }
    if reason.state(from: state) != state {
      value?.report(
        "the reason `\(code)` makes it `\(reason.state(from: state).name)`, not `\(state.name)`",
        severity: .warning)
    }
  }

  private func factors() -> StateFactors {
    var factors = StateFactors()
    for entry in map.optional("factors", .map)?.entries ?? [] {
      guard let state = entry.name.read(.machineState), let factor = entry.value.read(.timeFactor)
      else { continue }
      if state == .unknown, factor == .production {
        entry.value.report("unknown time is never production time")
      } else if state == .running, factor != .production {
        entry.value.report("running is always production time")
      } else {
        factors[state] = factor
      }
    }
    if let states = map.optional("external", .list(of: .machineState)) {
      factors.setExternal(states)
    }
    if let microStop = map.optional("micro_stop", .duration) {
      factors.microStopMicroseconds = microStop.microseconds
    }
    return factors
  }

  // MARK: - Counters

  private func counters(_ device: DeclaredDevice) -> MachineDefinition.Counters {
    var counters = MachineDefinition.Counters()
    guard let map = map.optional("counters", .map) else { return counters }
    counters.total = counter("total", in: map, device)
    counters.good = counter("good", in: map, device)
    counters.scrap = counter("scrap", in: map, device)
    counters.rework = counter("rework", in: map, device)
    map.refuseUnknownKeys()
    if counters.total == nil, counters.good == nil {
      map.report("`counters` needs `total` or `good`")
    }
    return counters
  }

  private func counter(
    _ key: String, in map: YAMLMap, _ device: DeclaredDevice
  ) -> MachineDefinition.CounterSource? {
    guard let value = map.value(key), !value.isNull, let name = value.read(.name(bytesMax: 384))
    else {
      return nil
    }
    let series = series(name, at: value, device)
    let owner = devices?.device(series.device) ?? device
    let metric = profile(of: owner)?.metric(series.metric)
    if let metric, metric.kind != .counter {
      value.report(
        "`\(series.metric)` is a \(metric.kind.name), not a counter, in the profile"
          + " `\(owner.profile)`")
    }
    return MachineDefinition.CounterSource(series: series, rollover: metric?.rollover)
  }
}
