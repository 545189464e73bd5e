import Foundation
import Operations
import Statistics
import Storage
import Synchronization
import Telemetry

/// Energy as it stands in the store: what a meter counted over any stretch of time, what it cost, and what was made
/// with it.
public final class EnergyFloor: Sendable {
  /// Longer stretches would load too much at once.
  public static let daysMax = ProductionFloor.daysMax

  /// The series named for degree days is none, or measures something else.
  public struct NoTemperature: Error {
    public var key: SeriesKey
  }

  private let queries: Queries
  private let production: ProductionFloor
  private let configured: Mutex<EnergyConfiguration>

  init(queries: Queries, production: ProductionFloor, configuration: EnergyConfiguration) {
    self.queries = queries
    self.production = production
    configured = Mutex(configuration)
  }

  public var configuration: EnergyConfiguration { configured.withLock { $0 } }

  func reconfigure(_ new: EnergyConfiguration) { configured.withLock { $0 = new } }

  /// Zone of the tariff; days and quarters are cut there. UTC without one.
  public var timeZone: String { configuration.tariff?.timeZone ?? "UTC" }

  /// The curve of a meter from the readings of the span, the last one before and the first one after it.
  public func fetchCurve(of meter: EnergyMeter, over span: Span) async throws -> EnergyCurve {
    let key = SeriesKey(device: meter.device, metric: meter.source.metric)
    let samples = try await queries.fetch { reader in
      var samples: [MeterSample] = []
      try SpanReading(reader: reader, span: span).forEach(key, endsAfter: true) {
        time, value, quality in
        guard case .number(let number) = value else { return }
        samples.append(MeterSample(time: time, value: number, quality: quality))
      }
      return samples
    }
    return meter.curve(samples)
  }

  /// Everything that is told of a meter over `span`.
  public func fetchReport(
    of meter: EnergyMeter, over span: Span, now: Timestamp
  ) async throws -> EnergyReport {
    let configuration = configuration
    let zone = SystemZone(configuration.tariff?.timeZone ?? "UTC")
    let curve = try await fetchCurve(of: meter, over: span)
    let quarters = curve.demand(in: span, zone: zone)
    let ledgers = try await fetchLedgers(of: meter, over: span, now: now)
    return EnergyReport(
      meter: meter, span: span, curve: curve, quarters: quarters, ledgers: ledgers,
      cost: configuration.tariff.map {
        EnergyCost(quarters, tariff: $0, emissions: configuration.emissions, zone: zone)
      },
      emissions: configuration.emissions, zone: zone)
  }

  /// Machines that hang on a meter: its own device, or those it covers by id or below an asset.
  public func machines(of meter: EnergyMeter) -> [MachineDefinition] {
    let covered = meter.covers.isEmpty ? [meter.device] : meter.covers
    return production.configuration.machines.filter { machine in
      covered.contains { place in
        place == machine.device || place == machine.id || place == machine.asset
          || machine.asset.hasPrefix(place + "/")
      }
    }
  }

  private func fetchLedgers(
    of meter: EnergyMeter, over span: Span, now: Timestamp
  ) async throws -> [MachineLedger] {
    var ledgers: [MachineLedger] = []
    for machine in machines(of: meter) {
      ledgers.append(try await production.fetchLedger(of: machine, over: span, now: now))
    }
    return ledgers
  }

  // MARK: - Baseline

  /// Days with their consumption and drivers: parts made, whether it was a weekend, degree days where a temperature
  /// is named. Days that are not wholly within the span or were measured by less than 80 % are left out.
  public func fetchDays(
    of meter: EnergyMeter, over span: Span, temperature: SeriesKey?, now: Timestamp
  ) async throws -> (drivers: [String], days: [EnergyObservation]) {
    let zone = SystemZone(timeZone)
    let curve = try await fetchCurve(of: meter, over: span)
    let ledgers = try await fetchLedgers(of: meter, over: span, now: now)
    var warmth: [(time: Timestamp, value: Double)]?
    if let temperature { warmth = try await fetchTemperatures(temperature, over: span) }
    var drivers: [String] = []
    if !ledgers.isEmpty { drivers.append("parts") }
    drivers.append("weekend")
    if warmth != nil { drivers += ["heating_degree_days", "cooling_degree_days"] }
    var days: [EnergyObservation] = []
    for (date, day) in Self.days(in: span, zone) {
      let amount = curve.energy(in: day)
      guard amount.coverage >= DemandInterval.coverageMin else { continue }
      var values: [Double] = []
      if !ledgers.isEmpty {
        values.append(ledgers.reduce(0) { $0 + $1.result(over: day).partsMade })
      }
      values.append(date.weekday == .sat || date.weekday == .sun ? 1 : 0)
      if let warmth {
        let readings = warmth.filter { day.contains($0.time) }
        guard !readings.isEmpty else { continue }
        let mean = readings.reduce(0) { $0 + $1.value } / Double(readings.count)
        values += [DegreeDays.heating(meanCelsius: mean), DegreeDays.cooling(meanCelsius: mean)]
      }
      days.append(
        EnergyObservation(
          period: date.description, kilowattHours: amount.kilowattHours, drivers: values))
    }
    return (drivers, days)
  }

  private func fetchTemperatures(
    _ key: SeriesKey, over span: Span
  ) async throws -> [(time: Timestamp, value: Double)] {
    try await queries.fetch { reader in
      var readings: [(time: Timestamp, value: Double)] = []
      let samples = try SpanReading(reader: reader, span: span)
      guard let unit = samples.unit(of: key), let celsius = Unit("Cel"),
        let conversion = Unit.conversion(from: unit, to: celsius)
      else { throw NoTemperature(key: key) }
      try samples.forEach(key, startsBefore: false) { time, value, quality in
        guard case .number(let number) = value, number.isFinite, quality.severity != .bad,
          !quality.contains(.stale)
        else { return }
        readings.append((time, conversion.apply(number)))
      }
      return readings
    }
  }

  /// Whole local days within the span.
  private static func days(in span: Span, _ zone: SystemZone) -> [(date: LocalDate, span: Span)] {
    var days: [(date: LocalDate, span: Span)] = []
    var date = zone.local(at: span.from).date
    while true {
      let next = date.adding(days: 1)
      let begin = zone.moment(of: LocalTime(date: date, second: 0))
      let end = zone.moment(of: LocalTime(date: next, second: 0))
      guard begin < span.to else { return days }
      if begin >= span.from, end <= span.to { days.append((date, Span(begin..<end))) }
      date = next
    }
  }
}
