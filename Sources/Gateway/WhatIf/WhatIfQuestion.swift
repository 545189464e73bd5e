import Operations
import Storage
import Telemetry

/// What would a signal do under other set-points: a model fitted to the history of a device, and run forward.
///
/// A projection of what the history shows; nothing is sent to the device.
public struct WhatIfQuestion: Sendable {
  public enum Model: String, Sendable, CaseIterable {
    /// A temperature that follows one driver with a delay.
    case thermal
    /// A signal that grows with one load.
    case wear
    /// Power by its drivers; projected as energy.
    case energy
  }

  public var signal: SeriesDefinition
  public var drivers: [SeriesDefinition]
  /// In the order of `drivers`, in their units.
  public var values: [Double]
  public var model: Model
  public var history: Range<Timestamp>
  public var horizonSeconds: Double
  public var everySeconds: Double

  public init(
    signal: SeriesDefinition, drivers: [SeriesDefinition], values: [Double], model: Model? = nil,
    history: Range<Timestamp>, horizonSeconds: Double, everySeconds: Double
  ) {
    precondition(drivers.count == values.count, "one value for each driver")
    self.signal = signal
    self.drivers = drivers
    self.values = values
    self.model = model ?? Self.model(for: signal)
    self.history = history
    self.horizonSeconds = horizonSeconds
    self.everySeconds = everySeconds
  }

  /// By the unit: temperatures have a delay, power has drivers, anything else wears.
  private static func model(for signal: SeriesDefinition) -> Model {
    switch Unit(signal.unit)?.dimension {
    case .temperature: .thermal
    case .power: .energy
    default: .wear
    }
  }

  /// Rows that a model is fitted to.
  private static let rows: Int64 = 1_000

  public struct Answer: Sendable {
    public var projection: Projection
    /// Name, value and unit of each fitted parameter.
    public var parameters: [(name: String, value: Double, unit: String)]
    /// Last mean of the signal; where the projection begins.
    public var start: Double
  }

  /// - Throws: `FitRefusal` when the history does not bear a model; errors of the store.
  func answer(from reader: StoreReader, now: Timestamp) throws -> Answer {
    let step = max(
      1_000_000, history.upperBound.microseconds(since: history.lowerBound) / Self.rows)
    let columns = try ([signal] + drivers).map { try means(of: $0, step, reader, now) }
    // Rows in which all have a value.
    var times: [Double] = []
    var rows = [[Double]](repeating: [], count: columns.count)
    for (start, value) in columns[0] {
      let row = [value] + columns.dropFirst().compactMap { $0[start] }
      guard row.count == columns.count else { continue }
      times.append(Double(start - history.lowerBound.microseconds) / 1e6)
      for (place, value) in row.enumerated() { rows[place].append(value) }
    }
    guard let start = rows[0].last else { throw FitRefusal.tooFew(0, needed: ThermalModel.rowsMin) }
    return try project(times, rows[0], Array(rows.dropFirst()), start)
  }

  private func means(
    of series: SeriesDefinition, _ step: Int64, _ reader: StoreReader, _ now: Timestamp
  ) throws -> OrderedMeans {
    var means = OrderedMeans()
    try reader.aggregate(
      series, range: history, stepMicroseconds: step,
      originMicroseconds: history.lowerBound.microseconds, now: now
    ) { bucket in
      if let mean = bucket.mean, mean.isFinite { means.append(bucket.start, mean) }
    }
    return means
  }

  private func project(
    _ times: [Double], _ truths: [Double], _ inputs: [[Double]], _ start: Double
  ) throws(FitRefusal) -> Answer {
    let unit = signal.unit
    let driverUnit = drivers.first?.unit ?? ""
    switch model {
    case .thermal:
      let fitted = try ThermalModel(times: times, temperatures: truths, powers: inputs[0])
      return Answer(
        projection: fitted.simulate(
          from: start, power: values[0], horizonSeconds: horizonSeconds, everySeconds: everySeconds),
        parameters: [
          ("time_constant", fitted.tauSeconds, "s"), ("gain", fitted.gain, "\(unit)/\(driverUnit)"),
          ("ambient", fitted.ambient, unit), ("settles_at", fitted.settled(power: values[0]), unit),
        ], start: start)
    case .wear:
      let fitted = try WearModel(times: times, signal: truths, loads: inputs[0])
      return Answer(
        projection: fitted.simulate(
          from: start, load: values[0], horizonSeconds: horizonSeconds, everySeconds: everySeconds),
        parameters: [
          ("rate", fitted.rate, "\(unit)/(\(driverUnit).s)"), ("idle", fitted.idle, "\(unit)/s"),
        ], start: start)
    case .energy:
      let named = zip(drivers, inputs).map { (name: $0.metric, values: $1) }
      let fitted = try EnergyModel(times: times, power: truths, drivers: named)
      let points = zip(drivers, values).map { (name: $0.metric, value: $1) }
      return Answer(
        projection: fitted.simulate(
          points, horizonSeconds: horizonSeconds, everySeconds: everySeconds),
        parameters: [("base", fitted.base, unit), ("power", fitted.power(points), unit)]
          + fitted.drivers.enumerated().map {
            ($1.name, $1.coefficient, "\(unit)/\(drivers[$0].unit)")
          }, start: 0)
    }
  }
}

/// Means by the start of their step, ascending.
private struct OrderedMeans: Sequence {
  private var entries: [(start: Int64, mean: Double)] = []

  mutating func append(_ start: Int64, _ mean: Double) { entries.append((start, mean)) }

  func makeIterator() -> Array<(start: Int64, mean: Double)>.Iterator { entries.makeIterator() }

  /// O(log n).
  subscript(start: Int64) -> Double? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].start < start { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].start == start ? entries[low].mean : nil
  }
}

extension Queries {
  /// - Throws: `FitRefusal` when the history does not bear a model.
  public func fetchAnswer(
    to question: WhatIfQuestion, now: Timestamp
  ) async throws -> WhatIfQuestion.Answer {
    try await fetch { reader in try question.answer(from: reader, now: now) }
  }
}
