import Payloads
import Telemetry

extension Resolver {
  static let metricBytesMax = 256

  /// The series of a field: the one met at this position last time when the name is the same, else by
  /// name, else a new one.
  @inline(__always)
  mutating func series(
    _ name: UnsafeRawBufferPointer, of device: UInt32, at position: Int, _ field: Field,
    _ pass: MessagePass, _ outcome: inout Outcome, _ batch: inout Batch
  ) throws(Refused) -> UInt32 {
    let slot = Int(device) * Resolver.expectedMax + position
    if position < Resolver.expectedMax {
      let guess = expected[slot]
      if guess != .max, isNamed(name, series: Int(guess)) { return guess }
    }
    let found: UInt32
    if let known = metricNames.value(name, salt: device) {
      found = UInt32(known)
    } else {
      found = try findSeries(name, of: device, field, pass, &outcome, &batch)
    }
    if position < Resolver.expectedMax { expected[slot] = found }
    return found
  }

  @inline(__always)
  private func isNamed(_ name: UnsafeRawBufferPointer, series: Int) -> Bool {
    let offset = Int(seriesPlans[series].nameOffset)
    return Int(seriesPlans[series].nameCount) == name.count
      && seriesNames.withUnsafeBytes { areEqual($0, at: offset, name) }
  }

  @inline(never)
  private mutating func findSeries(
    _ name: UnsafeRawBufferPointer, of device: UInt32, _ field: Field, _ pass: MessagePass,
    _ outcome: inout Outcome, _ batch: inout Batch
  ) throws(Refused) -> UInt32 {
    let metric = String(decoding: name, as: UTF8.self)
    let index: UInt32
    if let known = registry.seriesIndex(device: device, metric: metric) {
      index = known
    } else {
      index = try defineSeries(metric, of: device, field, pass, &batch)
      outcome.newSeries += 1
    }
    prepare(index)
    if metricNames.isFull(for: name) { metricNames.removeAll() }
    metricNames.insert(name, salt: device, value: Int(index))
    return index
  }

  private mutating func defineSeries(
    _ metric: String, of device: UInt32, _ field: Field, _ pass: MessagePass, _ batch: inout Batch
  ) throws(Refused) -> UInt32 {
    let key = SeriesKey(device: registry.devices[Int(device)].id, metric: metric)
    if metric.isEmpty || metric.utf8.count > Resolver.metricBytesMax
      || metric.utf8.contains(where: { $0 < 32 || $0 == 127 })
    {
      throw Refused(
        code: "bad_metric_name",
        detail:
          "a metric name has 1 to \(Resolver.metricBytesMax) bytes and no control characters: "
          + "`\(String(metric.prefix(40)).printable)` of `\(key.device)`")
    }
    if let refusal = registry.refusalOfSeries(key) { throw refusal }
    let definition = newSeries(key, of: device, field, pass)
    define(.series(definition), in: &batch)
    return definition.index
  }

  /// By the profile where it lists the metric, else as announced, else as its family's table says, else
  /// guessed from the first value.
  private func newSeries(
    _ key: SeriesKey, of device: UInt32, _ field: Field, _ pass: MessagePass
  ) -> SeriesDefinition {
    var profiled = metricProfile(key.metric, of: device)
    if profiled == nil, plans[pass.plan].family == .tasmota {
      profiled = AnnouncedMetric(tasmota: key.metric).flatMap(MetricProfile.init)
    }
    let guessedType: ValueType =
      switch field.value {
      case .number: .number
      case .boolean: .boolean
      case .text: .text
      }
    let type = profiled?.type ?? guessedType
    var definition = SeriesDefinition(
      index: UInt32(registry.series.count), device: device, metric: key.metric, type: type,
      kind: profiled?.kind ?? guessedKind(key.metric, type))
    let said = unitBytes(of: field, pass).map { String(decoding: $0, as: UTF8.self) } ?? ""
    if type == .number {
      definition.unit = (profiled?.unit ?? Telemetry.Unit(said))?.code ?? ""
    }
    var source: [String] = []
    if let mapped = mappedPath(of: key.metric, pass) { source.append("from `\(mapped)`") }
    if !said.isEmpty, said != definition.unit { source.append("sent in `\(said.prefix(64))`") }
    definition.description = source.joined(separator: ", ")
    return definition
  }

  /// Where the route's mapping takes the metric from, when that is not its name.
  private func mappedPath(of metric: String, _ pass: MessagePass) -> String? {
    let route = plans[pass.plan].route
    guard route >= 0 else { return nil }
    return configuration.routes[route].mapping.metrics.first { $0.name == metric }?.path
  }

  /// The field's own unit, else the one the mapping gives to the metric.
  func unitBytes(of field: Field, _ pass: MessagePass) -> UnsafeRawBufferPointer? {
    field.unit.flatMap { $0.count > 0 ? pass.bytes($0) : nil }
  }

  /// The profile's entry for a metric of a device, by linear search; what it leaves open, or all of it
  /// where there is none, is as announced.
  func metricProfile(_ metric: String, of device: UInt32) -> MetricProfile? {
    let definition = registry.devices[Int(device)]
    let own = profileIndexes[definition.profile].flatMap {
      configuration.profiles[$0].metric(metric)
    }
    let announced = announcedMetric(metric, of: device).flatMap(MetricProfile.init)
    return own?.completed(by: announced) ?? announced
  }

  /// What a device said of a metric, under the id it has or one it had: it may not know of a new one.
  private func announcedMetric(_ metric: String, of device: UInt32) -> AnnouncedMetric? {
    let definition = registry.devices[Int(device)]
    return announcements.metric(metric, of: definition.id)
      ?? definition.was.lazy.compactMap { announcements.metric(metric, of: $0) }.first
  }

  mutating func prepare(_ index: UInt32) {
    while seriesPlans.count <= Int(index) { seriesPlans.append(SeriesPlan()) }
    guard !seriesPlans[Int(index)].isReady else { return }
    let definition = registry.series[Int(index)]
    var plan = SeriesPlan(
      definition, metric: metricProfile(definition.metric, of: definition.device))
    let announced = announcedMetric(definition.metric, of: definition.device)
    if let unit = announced?.unit, !unit.isEmpty { plan.announced = unitReading(unit, of: index) }
    plan.nameOffset = Int32(seriesNames.count)
    plan.nameCount = Int32(definition.metric.utf8.count)
    seriesNames.append(contentsOf: definition.metric.utf8)
    seriesPlans[Int(index)] = plan
  }

  /// What a unit written in a payload means for a series, remembered by its bytes.
  mutating func unitReading(_ bytes: UnsafeRawBufferPointer, series: UInt32) -> UnitReading {
    if let known = unitNames.value(bytes, salt: series) { return conversions[known] }
    let reading = unitReading(String(decoding: bytes, as: UTF8.self), of: series)
    guard bytes.count <= 64 else { return reading }
    if unitNames.isFull(for: bytes) {
      unitNames.removeAll()
      conversions.removeAll()
    }
    unitNames.insert(bytes, salt: series, value: conversions.count)
    conversions.append(reading)
    return reading
  }
}

extension Resolver {
  private func unitReading(_ text: String, of series: UInt32) -> UnitReading {
    guard let source = Telemetry.Unit(text),
      let own = Telemetry.Unit(registry.series[Int(series)].unit)
    else { return .unknown }
    return Telemetry.Unit.conversion(from: source, to: own).map(UnitReading.converts)
      ?? .incompatible(source: text)
  }
}

/// `parts_total`, `cycle.count`, `goodCount` and `counter` count; everything else is a gauge or a state.
func guessedKind(_ metric: String, _ type: ValueType) -> MetricKind {
  guard type == .number else { return .state }
  let last = metric.split { "_./- ".contains($0) }.last.map(String.init) ?? ""
  let isCounter =
    ["total", "count", "counter"].contains(last.lowercased())
    || ["Total", "Count", "Counter"].contains { last.hasSuffix($0) }
  return isCounter ? .counter : .gauge
}
