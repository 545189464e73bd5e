import Operations
import Storage
import Telemetry

extension ProductionFloor {
  /// How each hour of a machine went under a set-point: one product, the mean of the metric while it was made, and good
  /// parts in an hour of planned time. Hours with several products, none, or without a planned minute are left out.
  public func fetchObservations(
    of machine: MachineDefinition, setting metric: String, over span: Span, now: Timestamp
  ) async throws -> [SettingObservation] {
    let ledger = try await fetchLedger(of: machine, over: span, now: now)
    let hours = ledger.hours(in: span, zone: zone(of: machine))
    let means = try await fetchMeans(
      of: SeriesKey(device: machine.device, metric: metric), over: hours.compactMap(\.set.bounds),
      now: now)
    var observations: [SettingObservation] = []
    for (hour, mean) in zip(hours, means) {
      let figures = ledger.result(over: hour.set).figures
      let planned = Double(figures.time.plannedBusyTime) / 3.6e9
      let made = figures.products.filter { ($0.made?.number ?? 0) > 0 }
      guard let mean, made.count == 1, let product = made[0].product,
        let good = made[0].goodMade, planned >= 1.0 / 60
      else { continue }
      observations.append(
        SettingObservation(
          product: product, setting: metric, value: mean, outcome: good.number / planned))
    }
    return observations
  }

  /// The mean of a metric over each of the spans; `nil` without a sample.
  private func fetchMeans(
    of key: SeriesKey, over spans: [Span], now: Timestamp
  ) async throws -> [Double?] {
    try await queries.fetch { reader in
      try spans.map { span in
        var sum = 0.0
        var count = 0
        try SpanReading(reader: reader, span: span).forEach(key) { _, value, quality in
          guard case .number(let number) = value, number.isFinite, quality.severity != .bad else {
            return
          }
          sum += number
          count += 1
        }
        return count > 0 ? sum / Double(count) : nil
      }
    }
  }
}
