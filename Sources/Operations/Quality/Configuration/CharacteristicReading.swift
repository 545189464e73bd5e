import Devices
import Telemetry

/// Reads one entry of `quality.characteristics`; the form is drawn at `QualityConfiguration`.
struct CharacteristicReading {
  let map: YAMLMap
  let devices: DeviceConfiguration?

  func characteristic() -> Characteristic? {
    let id = map.required("id", .name())
    let type = map.required(
      "chart", .choice(of: ChartType.allCases.map(\.rawValue)) { ChartType(rawValue: $0) })
    let description = map.optional("description", .string) ?? ""
    let (device, profile) = owner()
    let metric = metric(device, profile)
    let unit = unit(metric, device, profile)
    let limits = limits()
    guard let id, let type else {
      // Asked for, so that they are not called unknown.
      for key in [
        "subgroup", "rules", "baseline", "ewma", "cusum", "opportunities", "sampling", "alarm",
      ] {
        _ = map.value(key)
      }
      map.refuseUnknownKeys()
      return nil
    }
    var chart = ChartSettings(type, rules: rules(type), baseline: baseline(type))
    chart.target = type == .ewma || type == .cusum ? limits.target : nil
    readEWMA(&chart)
    readCUSUM(&chart)
    let subgrouping = subgrouping(type)
    let opportunities = attributeOnly("opportunities", type, .int(in: 1...1_000_000)) ?? 1
    let sampling = attributeOnly("sampling", type, .map).map(sampling)
    let alarm = map.optional("alarm", .choice(of: Characteristic.priorities + ["none"]) { $0 })
    map.refuseUnknownKeys()
    if type.isAttribute {
      for key in ["unit", "lower", "upper", "target", "metric"]
      where map.value(key)?.isNull == false {
        map.value(key)?.report(
          "`\(key)` is for measured values, but chart `\(type.rawValue)` counts")
      }
    }
    return Characteristic(
      id: id, description: description, device: device, profile: profile,
      source: metric.map { .metric($0) } ?? .events, unit: unit, limits: limits, chart: chart,
      subgrouping: subgrouping, sampling: sampling, opportunitiesPerUnit: opportunities,
      alarmPriority: alarm == "none" ? nil : alarm ?? Characteristic.standardPriority)
  }

  // MARK: - References

  private func owner() -> (device: String?, profile: String?) {
    let device = map.optional("device", .name())
    let profile = map.optional("profile", .name())
    if device != nil, profile != nil {
      map.value("profile")?.report("give `device` or `profile`, not both")
    }
    guard let devices else { return (device, profile) }
    if let device, devices.device(device) == nil {
      map.value("device")?.report(
        "unknown device `\(device)`" + didYouMean(device, among: devices.devices.map(\.id)))
    }
    if let profile, devices.profile(profile) == nil {
      map.value("profile")?.report(
        "unknown profile `\(profile)`" + didYouMean(profile, among: devices.profiles.map(\.id)))
    }
    return (device, profile)
  }

  private func known(_ device: String?, _ profile: String?) -> Profile? {
    guard let devices else { return nil }
    return devices.profile(profile ?? device.flatMap { devices.device($0)?.profile } ?? "")
  }

  private func metric(_ device: String?, _ profile: String?) -> String? {
    guard let value = map.value("metric"), let name = map.optional("metric", .name(bytesMax: 256))
    else { return nil }
    if device == nil, profile == nil {
      value.report("a metric needs `device` or `profile`: whose metric is it?")
    }
    if let known = known(device, profile), known.metric(name) == nil {
      value.report(
        "`\(name)` is no metric of the profile `\(known.id)`"
          + didYouMean(name, among: known.metrics.map(\.name)), severity: .warning)
    }
    return name
  }

  private func unit(_ metric: String?, _ device: String?, _ profile: String?) -> Unit? {
    let declared = metric.flatMap { known(device, profile)?.metric($0)?.unit }
    guard let unit = map.optional("unit", .unit) else { return declared }
    if let declared, Unit.conversion(from: declared, to: unit) == nil {
      map.value("unit")?.report(
        "the metric is in `\(declared.code)`, which does not convert to `\(unit.code)`")
    }
    return unit
  }

  // MARK: - Limits and chart

  private func limits() -> SpecificationLimits {
    let lower = map.optional("lower", .double)
    let upper = map.optional("upper", .double)
    let target = map.optional("target", .double)
    guard let limits = SpecificationLimits(lower: lower, upper: upper, target: target) else {
      map.value("upper")?.report("`upper` must be above `lower`")
      return .none
    }
    if let target, !limits.accepts(target) {
      map.value("target")?.report(
        "`target` is outside the specification limits", severity: .warning)
    }
    return limits
  }

  private func rules(_ type: ChartType) -> RunRules {
    guard let value = map.value("rules"), !value.isNull else { return .nelson }
    if type == .ewma || type == .cusum {
      value.report("chart `\(type.rawValue)` has its own decision: `rules` do not apply")
    }
    if value.isList {
      return RunRules(
        value.read(.list(of: .choice(of: RunRule.allCases.map(\.name)) { RunRule(name: $0) })) ?? []
      )
    }
    let sets: [String: RunRules] = [
      "nelson": .nelson, "western_electric": .westernElectric, "limits": .limitsOnly,
    ]
    return value.read(.choice(of: ["nelson", "western_electric", "limits"]) { sets[$0] }) ?? .nelson
  }

  private func baseline(_ type: ChartType) -> ChartSettings.Baseline {
    guard let map = map.optional("baseline", .map) else { return .first(25) }
    defer { map.refuseUnknownKeys() }
    if map.value("subgroups") != nil {
      let count = map.optional("subgroups", .int(in: 2...500)) ?? 25
      if map.value("center") != nil || map.value("sigma") != nil {
        map.report("give `subgroups`, or `center` and `sigma`, not both")
      }
      return .first(count)
    }
    let center = map.required("center", .double) ?? 0
    guard !type.isAttribute else {
      if map.value("sigma") != nil {
        map.value("sigma")?.report("the spread of chart `\(type.rawValue)` follows from its centre")
      }
      let most = type == .p || type == .np ? 1 : Double.infinity
      if center < 0 || center > most {
        map.value("center")?.report(
          "`center` must be \(most == 1 ? "a share from 0 to 1" : "0 or more")")
      }
      return .declared(ChartParameters(center: center))
    }
    let sigma = map.required("sigma", .double) ?? 1
    if sigma <= 0 { map.value("sigma")?.report("`sigma` must be above 0") }
    return .declared(ChartParameters(center: center, sigma: sigma))
  }

  private func readEWMA(_ chart: inout ChartSettings) {
    guard let map = only("ewma", chart.type == .ewma, "is for chart `ewma`") else { return }
    chart.lambda = map.optional("lambda", .double) ?? chart.lambda
    chart.width = positive("width", in: map) ?? chart.width
    if chart.lambda <= 0 || chart.lambda > 1 {
      map.value("lambda")?.report("`lambda` must be above 0 and at most 1")
      chart.lambda = 0.3
    }
    map.refuseUnknownKeys()
  }

  private func readCUSUM(_ chart: inout ChartSettings) {
    guard let map = only("cusum", chart.type == .cusum, "is for chart `cusum`") else { return }
    chart.allowance = positive("allowance", in: map) ?? chart.allowance
    chart.decision = positive("decision", in: map) ?? chart.decision
    map.refuseUnknownKeys()
  }

  private func positive(_ key: String, in map: YAMLMap) -> Double? {
    guard let number = map.optional(key, .double) else { return nil }
    guard number > 0 else {
      map.value(key)?.report("`\(key)` must be above 0")
      return nil
    }
    return number
  }

  private func only(_ key: String, _ isFitting: Bool, _ reason: String) -> YAMLMap? {
    guard let value = map.value(key), !value.isNull else { return nil }
    if !isFitting { value.report("`\(key)` \(reason)") }
    return value.read(.map)
  }

  private func subgrouping(_ type: ChartType) -> Subgrouping {
    guard let value = map.value("subgroup"), !value.isNull else {
      if type == .xbarR || type == .xbarS {
        map.report("`subgroup` is missing: chart `\(type.rawValue)` needs subgroups")
      }
      return type.isAttribute ? .each : .size(1)
    }
    guard value.isMap else {
      _ = value.read(.choice(of: ["each"]) { $0 })
      return .each
    }
    guard let map = value.read(.map) else { return .each }
    defer { map.refuseUnknownKeys() }
    let sizes = type.isAttribute ? 1...1_000_000_000 : type.subgroupSizes
    let size = map.optional("size", .int(in: sizes))
    let order = map.optional("order", .int(in: sizes))
    let time = map.optional("time", .duration)
    if [size != nil, order != nil, time != nil].count(where: { $0 }) > 1 {
      map.report("give one of `size`, `order` and `time`")
    }
    if type.needsOneSize, size == nil {
      map.report("chart `\(type.rawValue)` needs samples of one size: give `size`, or use p or u")
    }
    if type == .individuals, order != nil || time != nil {
      map.report("chart `i_mr` takes single values: leave `subgroup` out")
    }
    if let size { return .size(size) }
    if let order { return .order(max: order) }
    if let time {
      if time == .zero { map.value("time")?.report("`time` must be above zero") }
      return .time(microseconds: max(1, time.microseconds))
    }
    if map.entries.isEmpty { map.report("give one of `size`, `order` and `time`") }
    return .each
  }

  // MARK: - Attributes

  private func attributeOnly<Value>(
    _ key: String, _ type: ChartType, _ yaml: YAMLType<Value>
  ) -> Value? {
    guard let value = map.value(key), !value.isNull else { return nil }
    if !type.isAttribute {
      value.report("`\(key)` is for charts p, np, c and u, not `\(type.rawValue)`")
    }
    return value.read(yaml)
  }

  private func sampling(_ map: YAMLMap) -> SamplingSettings {
    var settings = SamplingSettings()
    settings.aql = map.optional("aql", .double)
    settings.normal = plan("normal", in: map)
    settings.tightened = plan("tightened", in: map)
    settings.reduced = plan("reduced", in: map)
    map.refuseUnknownKeys()
    let levels = SamplingTable.acceptableQualityLevels
    if let aql = settings.aql, settings.normal == nil, !levels.contains(aql) {
      let list = levels.map { "\($0)" }.joined(separator: ", ")
      map.value("aql")?.report("the table has AQL \(list) percent; give `normal` for another")
    }
    if settings.aql == nil, settings.normal == nil { map.report("give `aql` or `normal`") }
    if settings.normal == nil, settings.tightened != nil {
      map.value("tightened")?.report("`tightened` needs `normal` beside it")
    }
    return settings
  }

  private func plan(_ key: String, in map: YAMLMap) -> SamplingPlan? {
    guard let map = map.optional(key, .map) else { return nil }
    let sample = map.required("sample", .int(in: 1...1_000_000))
    let accept = map.required("accept", .int(in: 0...1_000_000))
    map.refuseUnknownKeys()
    guard let sample, let accept else { return nil }
    guard let plan = SamplingPlan(sampleSize: sample, acceptance: accept) else {
      map.value("accept")?.report("`accept` must be below `sample`")
      return nil
    }
    return plan
  }
}
