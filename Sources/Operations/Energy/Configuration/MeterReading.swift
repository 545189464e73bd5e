import Devices
import Telemetry

/// Reads one entry of `energy.meters`; the form is drawn at `EnergyConfiguration`.
struct MeterReading {
  let map: YAMLMap
  let devices: DeviceConfiguration?

  func meter() -> EnergyMeter? {
    let id = map.required("id", .name())
    let description = map.optional("description", .string) ?? ""
    let device = device()
    let energy = metric("energy", device)
    let power = metric("power", device)
    let declared = (energy ?? power).flatMap { name in
      profile(device)?.metric(name)
    }
    if energy == nil, power == nil {
      map.report("a meter needs `energy`, the metric of its counter, or `power`")
    } else if energy != nil, power != nil {
      map.value("power")?.report("give `energy` or `power`, not both: the counter is more exact")
    }
    let unit = unit(declared?.unit, isCounter: energy != nil)
    let rollover = map.optional("rollover", .double) ?? declared?.rollover
    if let rollover, rollover <= 0 { map.value("rollover")?.report("`rollover` must be above 0") }
    if energy == nil, map.value("rollover")?.isNull == false {
      map.value("rollover")?.report("`rollover` is for counters")
    }
    let covers = map.optional("covers", .list(of: .name(bytesMax: 1_024))) ?? []
    for name in covers { check(name) }
    let gapMax = map.optional("gap_max", .duration) ?? .seconds(energy != nil ? 3_600 : 300)
    map.refuseUnknownKeys()
    guard let id, let device, let metric = energy ?? power, let unit else { return nil }
    return EnergyMeter(
      id: id, description: description, device: device,
      source: energy != nil
        ? .counter(metric: metric, rollover: rollover) : .power(metric: metric), unit: unit,
      covers: covers, gapMax: gapMax)
  }

  private func device() -> String? {
    guard let name = map.required("device", .name()) else { return nil }
    if let devices, devices.device(name) == nil {
      map.value("device")?.report(
        "unknown device `\(name)`" + didYouMean(name, among: devices.devices.map(\.id)))
    }
    return name
  }

  private func profile(_ device: String?) -> Profile? {
    guard let devices, let device else { return nil }
    return devices.profile(devices.device(device)?.profile ?? "")
  }

  private func metric(_ key: String, _ device: String?) -> String? {
    guard let name = map.optional(key, .name(bytesMax: 256)) else { return nil }
    guard let profile = profile(device) else { return name }
    guard let metric = profile.metric(name) else {
      map.value(key)?.report(
        "`\(name)` is no metric of the profile `\(profile.id)`"
          + didYouMean(name, among: profile.metrics.map(\.name)), severity: .warning)
      return name
    }
    if key == "energy", metric.kind != .counter {
      map.value(key)?.report("`\(name)` is a \(metric.kind.name), not a counter: is it `power`?")
    }
    return name
  }

  private func unit(_ declared: Unit?, isCounter: Bool) -> Unit? {
    let standard = Unit(isCounter ? "kW.h" : "kW")
    let stated = map.optional("unit", .unit)
    guard let unit = stated ?? declared ?? standard, let standard else { return nil }
    if Unit.conversion(from: unit, to: standard) == nil {
      let place = map.value("unit") ?? map.value(isCounter ? "energy" : "power")
      place?.report("`\(unit.code)` is no unit of \(isCounter ? "energy" : "power")")
      return nil
    }
    return unit
  }

  /// An asset covers all below it: any prefix of a declared path will do.
  private func check(_ name: String) {
    guard let devices, devices.device(name) == nil else { return }
    let assets = devices.devices.map(\.asset).filter { !$0.isEmpty }
    guard !assets.contains(where: { $0 == name || $0.hasPrefix(name + "/") }) else { return }
    map.value("covers")?.report(
      "`\(name)` is neither a device nor an asset"
        + didYouMean(name, among: devices.devices.map(\.id) + assets))
  }
}

extension Tariff {
  init?(reading map: YAMLMap, isKnownTimeZone: (String) -> Bool) {
    let currency = map.required("currency", .name(bytesMax: 3))
    let zone = map.optional("time_zone", .name()) ?? "UTC"
    if !isKnownTimeZone(zone) {
      map.value("time_zone")?.report(
        "unknown time zone `\(zone)`: give an IANA name such as `Europe/Vienna`")
    }
    let price = map.required("price_per_kwh", .double)
    let periods = (map.optional("periods", .list(of: .map)) ?? []).compactMap {
      Period(reading: $0)
    }
    let demand = Self.amount("demand_charge_per_kw", in: map)
    let fixed = Self.amount("fixed_per_month", in: map)
    map.refuseUnknownKeys()
    guard let currency, let price else { return nil }
    self.init(
      currency: currency, timeZone: zone, pricePerKilowattHour: price, periods: periods,
      demandChargePerKilowatt: demand, fixedPerMonth: fixed)
  }

  private static func amount(_ key: String, in map: YAMLMap) -> Double {
    let amount = map.optional(key, .double) ?? 0
    if amount < 0 { map.value(key)?.report("`\(key)` must not be negative") }
    return amount
  }
}

extension Tariff.Period {
  fileprivate init?(reading map: YAMLMap) {
    let name = map.required("name", .name())
    let days = map.optional("days", .list(of: .choice)) ?? Weekday.allCases
    let from = map.required("from", .timeOfDay)
    let to = map.required("to", .timeOfDay)
    let price = map.required("price_per_kwh", .double)
    if map.value("days") != nil, days.isEmpty {
      map.value("days")?.report("`days` names no day: the period never holds")
    }
    if let from, from == to {
      map.value("to")?.report("`to` is `from`: for the whole day write 00:00 to 24:00")
    }
    map.refuseUnknownKeys()
    guard let name, let from, let to, let price else { return nil }
    self.init(name: name, days: days, from: from, to: to, pricePerKilowattHour: price)
  }
}

extension EmissionFactor {
  init?(reading map: YAMLMap) {
    let factor = map.required("factor", .double)
    let unit = map.required("unit", .unit)
    let source = map.optional("source", .string) ?? ""
    map.refuseUnknownKeys()
    guard let factor, let unit else { return nil }
    if factor < 0 { map.value("factor")?.report("`factor` must not be negative") }
    guard let standard = Unit("kg/kWh"),
      let conversion = Unit.conversion(from: unit, to: standard)
    else {
      map.value("unit")?.report("`\(unit.code)` is no mass for an energy such as `kg/kWh`")
      return nil
    }
    self.init(kilogramsPerKilowattHour: conversion.apply(factor), source: source)
  }
}
