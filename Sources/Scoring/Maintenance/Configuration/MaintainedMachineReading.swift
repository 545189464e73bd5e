import Devices
import Statistics
import Telemetry

/// Reads one entry of `maintenance.machines`; the form is drawn at `MaintenanceConfiguration`.
struct MaintainedMachineReading {
  let map: YAMLMap
  let devices: DeviceConfiguration?
  let currency: String?

  func machine() -> MaintainedMachine? {
    guard let subject = subject() else {
      return nil
    }
    let profile = profile(of: subject)
    var machine = MaintainedMachine(subject)
    machine.component = map.optional("component", .name()) ?? ""
    machine.installed = map.optional("installed", .day)
    machine.running = running(profile)
    machine.signals = signals(profile)
    machine.severity = severity(profile)
    machine.usage = usage(profile, machine.running)
    machine.prior = prior()
    machine.services = services(machine)
    machine.costs = costs()
    machine.leadMicroseconds = map.optional("lead_time", .duration)?.microseconds
    if let period = map.optional("period", .duration)?.microseconds {
      if period < 60_000_000 { map.value("period")?.report("`period` must be at least 1 min") }
      machine.periodMicroseconds = max(60_000_000, period)
    }
    machine.actions = actions(machine)
    if let detectors = map.optional("detectors", .map) {
      machine.learnsProducts = detectors.optional("learn_products", .bool) ?? true
      machine.resetsAfterSetup = detectors.optional("reset_after_setup", .bool) ?? false
      detectors.refuseUnknownKeys()
    }
    map.refuseUnknownKeys()
    return machine
  }

  // MARK: - References

  private func subject() -> MaintainedMachine.Subject? {
    let device = map.optional("device", .name())
    let asset = map.optional("asset", .name(bytesMax: 1_024))
    let profile = map.optional("profile", .name())
    guard [device, asset, profile].count(where: { $0 != nil }) == 1 else {
      map.report("give one of `device`, `asset` and `profile`")
      return nil
    }
    if let device {
      if let devices, devices.device(device) == nil {
        map.value("device")?.report(
          "unknown device `\(device)`" + didYouMean(device, among: devices.devices.map(\.id)))
        return nil
      }
      return .device(device)
    }
    if let profile {
      if let devices, devices.profile(profile) == nil {
        map.value("profile")?.report(
          "unknown profile `\(profile)`" + didYouMean(profile, among: devices.profiles.map(\.id)))
        return nil
      }
      return .profile(profile)
    }
    guard let asset, let devices else { return nil }
    let placed = devices.devices.filter { $0.asset == asset }
    guard placed.count == 1 else {
      map.value("asset")?.report(
        placed.isEmpty
          ? "no device is declared at `\(asset)`"
            + didYouMean(asset, among: devices.devices.map(\.asset).filter { !$0.isEmpty })
          : "\(placed.map { "`\($0.id)`" }.joined(separator: ", ")) are at `\(asset)`: name one with"
            + " `device`")
      return nil
    }
    return .device(placed[0].id)
  }

  private func profile(of subject: MaintainedMachine.Subject) -> Profile? {
    guard let devices else { return nil }
    switch subject {
    case .device(let id): return devices.profile(devices.device(id)?.profile ?? "")
    case .profile(let id): return devices.profile(id)
    }
  }

  /// Reports a metric that the profile does not have, or that is no number.
  private func check(_ name: String, at value: YAMLValue?, _ profile: Profile?, isNumber: Bool) {
    guard let profile else { return }
    guard let metric = profile.metric(name) else {
      value?.report(
        "`\(name)` is no metric of the profile `\(profile.id)`"
          + didYouMean(name, among: profile.metrics.map(\.name)), severity: .warning)
      return
    }
    if isNumber, metric.type != .number {
      value?.report("`\(name)` is a \(metric.type.name), and a number is needed here")
    }
  }

  // MARK: - What is watched

  private func running(_ profile: Profile?) -> MaintainedMachine.Running? {
    guard let map = map.optional("running", .map) else { return nil }
    let metric = map.optional("metric", .name(bytesMax: 256)) ?? "state"
    let values = map.optional("values", .list(of: .name(bytesMax: 256))) ?? ["running"]
    let timeout = map.optional("timeout", .duration)?.microseconds ?? 300_000_000
    map.refuseUnknownKeys()
    check(metric, at: map.value("metric"), profile, isNumber: false)
    if let words = profile?.metric(metric)?.values?.words.map(\.word) {
      for value in values where !words.contains(value) {
        (map.value("values") ?? map.value("metric"))?.report(
          "`\(value)` is no value of `\(metric)`" + didYouMean(value, among: words),
          severity: .warning)
      }
    }
    if timeout == 0 { map.value("timeout")?.report("`timeout` must be above zero") }
    return .init(metric: metric, values: values, timeoutMicroseconds: max(1, timeout))
  }

  private func signals(_ profile: Profile?) -> [Feature] {
    var signals: [Feature] = []
    for value in map.optional("signals", .list(of: YAMLType<YAMLValue> { $0 })) ?? [] {
      guard let name = value.read(.name(bytesMax: 256)) else { continue }
      check(name, at: value, profile, isNumber: true)
      if signals.contains(where: { $0.name == name }) {
        value.report("`\(name)` is listed twice")
        continue
      }
      if signals.count == 32 { value.report("a machine has at most 32 signals") }
      signals.append(Feature(name, unit: profile?.metric(name)?.unit?.code ?? "1"))
    }
    return signals
  }

  private func severity(_ profile: Profile?) -> MaintainedMachine.Severity? {
    guard let map = map.optional("zones", .map) else { return nil }
    defer { map.refuseUnknownKeys() }
    let hold = map.optional("hold", .duration)?.microseconds ?? 60_000_000
    let stated = map.optional("unit", .unit)
    let limits = map.value("limits")
    guard let metric = map.required("metric", .name(bytesMax: 256)) else { return nil }
    check(metric, at: map.value("metric"), profile, isNumber: true)
    guard let limits, !limits.isNull else {
      map.report("`limits` is missing: a name such as iso10816-3/2/rigid, or three numbers")
      return nil
    }
    let own = profile?.metric(metric)?.unit
    var values: [Double]
    var unit = stated ?? own
    if limits.isList {
      values = limits.read(.list(of: .double)) ?? []
    } else {
      let names = SeverityZones.exampleNames
      guard let zones = limits.read(.choice(of: names) { SeverityZones.example($0) }) else {
        return nil
      }
      values = zones.limits
      unit = Unit(zones.unit)
      if let stated, stated != unit {
        map.value("unit")?.report("the limits of `\(names[0])` and its like are in mm/s")
      }
    }
    if let unit, let own, unit != own {
      guard let conversion = Unit.conversion(from: unit, to: own) else {
        (map.value("unit") ?? limits).report(
          "the metric is in `\(own.code)`, the limits are in `\(unit.code)`: these do not convert")
        return nil
      }
      values = values.map { conversion.apply($0) }
    }
    guard values.count == 3,
      let zones = SeverityZones(
        aToB: values[0], bToC: values[1], cToD: values[2], unit: (own ?? unit)?.code ?? "1")
    else {
      limits.report("`limits` are three rising numbers above 0: the first values of B, C and D")
      return nil
    }
    if hold == 0 { map.value("hold")?.report("`hold` must be above zero") }
    return .init(metric: metric, zones: zones, holdMicroseconds: max(1, hold))
  }

  // MARK: - Usage and lives

  private func usage(
    _ profile: Profile?, _ running: MaintainedMachine.Running?
  ) -> MaintainedMachine.Usage {
    var usage = MaintainedMachine.Usage(source: .calendarHours, unit: "h")
    guard let map = map.optional("usage", .map) else {
      if running != nil { usage.source = .runningHours }
      return usage
    }
    defer { map.refuseUnknownKeys() }
    usage.initial = amount("initial", in: map)
    usage.perDay = amount("per_day", in: map)
    let counter = map.optional("counter", .name(bytesMax: 256))
    let hours = map.optional("hours", .choice(of: ["running", "calendar"]) { $0 })
    let unit = map.optional("unit", .name(bytesMax: 32))
    if (counter == nil) == (hours == nil) {
      if map.value("hours") == nil || counter != nil {
        map.report("`usage` has either `counter`, a metric, or `hours: running | calendar`")
      }
      return usage
    }
    if let counter {
      check(counter, at: map.value("counter"), profile, isNumber: true)
      let metric = profile?.metric(counter)
      if let metric, metric.kind != .counter {
        map.value("counter")?.report("`\(counter)` is a \(metric.kind.name), not a counter")
      }
      usage.source = .counter(metric: counter, rollover: metric?.rollover)
      usage.unit = unit ?? counter
      return usage
    }
    if let unit, unit != "h" { map.value("unit")?.report("hours are in `h`, not `\(unit)`") }
    usage.source = hours == "running" ? .runningHours : .calendarHours
    if hours == "running", running == nil {
      map.value("hours")?.report("running hours need `running`, which says when the machine runs")
    }
    return usage
  }

  private func amount(_ key: String, in map: YAMLMap) -> Double? {
    guard let amount = map.optional(key, .double) else { return nil }
    if amount < 0 { map.value(key)?.report("`\(key)` must not be negative") }
    return max(0, amount)
  }

  private func prior() -> Weibull? {
    guard let map = map.optional("prior", .map) else { return nil }
    let shape = map.required("shape", .double)
    let scale = map.required("scale", .double)
    map.refuseUnknownKeys()
    guard let shape, let scale else { return nil }
    if shape <= 0 || shape > 50 { map.value("shape")?.report("`shape` is above 0 and at most 50") }
    if scale <= 0 { map.value("scale")?.report("`scale` must be above 0, in the usage unit") }
    guard shape > 0, scale > 0 else { return nil }
    return Weibull(shape: shape, scale: scale)
  }

  private func services(_ machine: MaintainedMachine) -> [MaintainedMachine.Service] {
    var services: [MaintainedMachine.Service] = []
    for map in map.optional("services", .list(of: .map)) ?? [] {
      let every = map.required("every", .string)
      let text = map.optional("text", .string)
      let id = map.optional("id", .name()) ?? every ?? ""
      let component = map.optional("component", .name()) ?? ""
      let portuguese = map.optional("text_pt", .string)
      map.refuseUnknownKeys()
      guard let every, let interval = interval(every, at: map.value("every"), machine) else {
        continue
      }
      if services.contains(where: { $0.id == id }) {
        map.report("there are two services `\(id)`: give each an `id` of its own")
      }
      services.append(
        .init(
          id: id, interval: interval, every: every,
          text: Phrase(text ?? "Service \(id)", portuguese ?? text ?? "Serviço \(id)"),
          component: component))
    }
    return services
  }

  /// `250 h`, `90 d`, `2 w`, `50,000 cycles`.
  private func interval(
    _ text: String, at value: YAMLValue?, _ machine: MaintainedMachine
  ) -> MaintainedMachine.Service.Interval? {
    let digits = text.prefix { $0.isNumber || ".,_".contains($0) }
    let unit = text[digits.endIndex...].drop { $0 == " " }
    let plain = digits.filter { $0 != "," && $0 != "_" }
    guard let number = Double(plain), number > 0 else {
      value?.report("`\(text)` is no interval: write 250 h, 90 d or 50000 \(machine.usage.unit)")
      return nil
    }
    let isCounter = if case .counter = machine.usage.source { true } else { false }
    switch unit {
    case "d": return .days(number)
    case "w": return .days(7 * number)
    case "h":
      if machine.running == nil {
        value?.report("`h` are running hours and need `running`; for calendar time write days: `d`")
      }
      return .runningHours(number)
    case _ where isCounter && unit == machine.usage.unit: return .usage(number)
    default:
      let known = ["h", "d", "w"] + (isCounter ? [machine.usage.unit] : [])
      value?.report(
        "`\(unit)` is not one of \(known.map { "`\($0)`" }.joined(separator: ", "))"
          + didYouMean(String(unit), among: known))
      return nil
    }
  }

  // MARK: - Costs and actions

  private func costs() -> MaintainedMachine.Costs? {
    guard let map = map.optional("costs", .map) else { return nil }
    _ = map.required("failure", .double)
    _ = map.required("planned", .double)
    let failure = amount("failure", in: map) ?? 0
    let planned = amount("planned", in: map) ?? 0
    let perHour = amount("downtime_per_hour", in: map)
    let failureHours = amount("failure_hours", in: map)
    let plannedHours = amount("planned_hours", in: map)
    map.refuseUnknownKeys()
    if perHour == nil, failureHours != nil || plannedHours != nil {
      map.report("`failure_hours` and `planned_hours` need `downtime_per_hour`")
    }
    guard let currency else {
      map.report("costs need a `currency` under `maintenance`")
      return nil
    }
    let costs = MaintainedMachine.Costs(
      currency: currency, failure: failure + (perHour ?? 0) * (failureHours ?? 0),
      planned: planned + (perHour ?? 0) * (plannedHours ?? 0))
    if costs.failure < costs.planned {
      map.report(
        "a failure costs less than planned work: then there is no reason to plan any",
        severity: .warning)
    }
    return costs
  }

  private func actions(
    _ machine: MaintainedMachine
  ) -> [MaintainedMachine.Occasion: MaintainedMachine.Action] {
    var actions: [MaintainedMachine.Occasion: MaintainedMachine.Action] = [:]
    let names = MaintainedMachine.Occasion.allCases.map(\.rawValue)
    for entry in map.optional("actions", .map)?.entries ?? [] {
      guard let occasion = MaintainedMachine.Occasion(rawValue: entry.key) else {
        entry.name.report(
          "`\(entry.key)` is not one of \(names.map { "`\($0)`" }.joined(separator: ", "))"
            + didYouMean(entry.key, among: names))
        continue
      }
      guard let map = entry.value.read(.map) else { continue }
      let code = map.required("code", .name(bytesMax: 64))
      let text = map.required("text", .string)
      let portuguese = map.optional("text_pt", .string)
      map.refuseUnknownKeys()
      if occasion != .failure, machine.severity == nil {
        entry.name.report("zone \(entry.key) needs `zones`", severity: .warning)
      }
      if let code, let text {
        actions[occasion] = .init(code: code, text: Phrase(text, portuguese))
      }
    }
    return actions
  }
}

extension SeverityZones {
  /// The names that `example` knows.
  public static let exampleNames = [
    "iso10816-1/I", "iso10816-1/II", "iso10816-3/1/rigid", "iso10816-3/1/flexible",
    "iso10816-3/2/rigid", "iso10816-3/2/flexible",
  ]
}

extension YAMLType where Value == Timestamp {
  /// A date such as `2024-03-01`: its beginning in UTC.
  fileprivate static var day: YAMLType {
    YAMLType<String>.string.map { text, value in
      if text.utf8.count == 10, let day = Timestamp(rfc3339: text + "T00:00:00Z") { return day }
      value.report("`\(text)` is no date such as 2024-03-01")
      return nil
    }
  }
}

/// `, did you mean …?`, or nothing.
private func didYouMean(_ text: String, among names: [String]) -> String {
  nearestName(to: text, among: names).map { ", did you mean `\($0)`?" } ?? ""
}
