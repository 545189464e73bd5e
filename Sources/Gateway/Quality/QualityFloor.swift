import Operations
import Storage
import Synchronization
import Telemetry

/// Quality as it stands in the store: charts, capability and yield of a characteristic over any stretch of time.
public final class QualityFloor: Sendable {
  /// Longer stretches would load too much at once.
  public static let daysMax = 92
  /// Inspection results that one answer reads at most.
  public static let resultsMax = 50_000

  private let queries: Queries
  private let configured: Mutex<QualityConfiguration>

  init(queries: Queries, configuration: QualityConfiguration) {
    self.queries = queries
    configured = Mutex(configuration)
  }

  public var configuration: QualityConfiguration { configured.withLock { $0 } }

  func reconfigure(_ new: QualityConfiguration) { configured.withLock { $0 = new } }

  /// - Parameters:
  ///   - device: empty: results that name none.
  ///   - limits: learned before the stretch began; `nil`: its first subgroups make them.
  public func fetchReport(
    of characteristic: Characteristic, device: String, over span: Span, limits: ChartParameters?
  ) async throws -> CharacteristicReport {
    var report = CharacteristicReport(characteristic, limits: limits)
    switch characteristic.source {
    case .metric(let metric):
      let key = SeriesKey(device: device, metric: metric)
      report = try await queries.fetch { [report] reader in
        var report = report
        let samples = try SpanReading(reader: reader, span: span)
        let conversion = characteristic.unit.flatMap { unit in
          samples.unit(of: key).flatMap { Unit.conversion(from: $0, to: unit) }
        }
        try samples.forEach(key, startsBefore: false) { time, value, quality in
          guard case .number(let number) = value, number.isFinite, quality.severity != .bad,
            !quality.contains(.stale)
          else { return }
          report.observe((conversion ?? .identity).apply(number), at: time)
        }
        return report
      }
    case .events:
      var filter = EventFilter()
      filter.names = [InspectionResult.eventName]
      (filter.from, filter.to) = (span.from, span.to)
      filter.limit = Self.resultsMax + 1
      let rows = try await queries.fetchEvents(filter)
      report.isPartial = rows.count > Self.resultsMax
      let events = rows.prefix(Self.resultsMax).map(\.event).sorted { $0.time < $1.time }
      for event in events {
        // What does not fit was refused when it came, and is told there.
        guard
          let result = try? InspectionResult(event, characteristics: [characteristic]),
          (result.device ?? "") == device
        else { continue }
        report.observe(result)
      }
    }
    report.close()
    return report
  }
}

/// One characteristic over a stretch of time, from its values and results in order of time.
public struct CharacteristicReport: Sendable {
  public let characteristic: Characteristic
  /// Limits of the chart come from before the stretch.
  public let hasLearnedLimits: Bool
  /// Some of the stretch was left out: the oldest results, or the latest samples.
  public var isPartial = false
  public private(set) var inspected = 0
  public private(set) var defective = 0
  private var defects: [DefectCount] = []
  private var builder: SubgroupBuilder
  private var subgroups: [Subgroup] = []
  /// Values of the subgroups, and of the one that is being gathered.
  private var values: [[Double]] = []
  private var pending: [Double] = []
  private let settings: ChartSettings

  init(_ characteristic: Characteristic, limits: ChartParameters?) {
    self.characteristic = characteristic
    var settings = characteristic.chart
    if case .first = settings.baseline, let limits { settings.baseline = .declared(limits) }
    hasLearnedLimits = limits != nil
    self.settings = settings
    builder = SubgroupBuilder(
      characteristic.subgrouping, sizeMax: characteristic.chart.type.subgroupSizes.upperBound)
  }

  /// Samples of a metric that one answer charts; what comes later in the stretch is left out.
  static let valuesMax = 200_000
  private var taken = 0

  mutating func observe(_ value: Double, at time: Timestamp) {
    taken += 1
    guard taken <= Self.valuesMax else {
      isPartial = true
      return
    }
    pending.append(value)
    take(builder.observe(value, at: time))
  }

  mutating func observe(_ result: InspectionResult) {
    let order = result.order ?? ""
    switch result.finding {
    case .measured(let measured):
      pending += measured
      inspected += measured.count
      defective += measured.count { !characteristic.limits.accepts($0) }
      take(builder.observe(measured, at: result.time, order: order))
    case .attributes(let inspected, let defective, let defects):
      self.inspected += inspected
      self.defective += defective
      self.defects += defects
      let named = defects.reduce(0) { $0 + $1.count }
      let type = settings.type
      let count = type == .p || type == .np ? defective : max(defective, named)
      take(builder.observe(count: count, inspected: inspected, at: result.time, order: order))
    }
  }

  /// Values leave in the order in which they came, as many as the subgroup has.
  private mutating func take(_ closed: [Subgroup]) {
    for group in closed {
      subgroups.append(group)
      guard !settings.type.isAttribute else { continue }
      let count = min(group.size, pending.count)
      values.append(Array(pending[..<count]))
      pending.removeFirst(count)
    }
  }

  /// Nothing follows: what is gathered of the last subgroup still counts for capability.
  mutating func close() {
    if !pending.isEmpty { values.append(pending) }
    pending = []
  }

  public var chart: ControlChart {
    ControlChart(id: characteristic.id, settings: settings, subgroups: subgroups)
  }

  /// - Throws: why there is no capability: attributes, no limits, too few values.
  public func capability(
    of chart: ControlChart
  ) throws(CapabilityStudy.Refusal) -> CapabilityStudy? {
    guard !settings.type.isAttribute else { return nil }
    return try CapabilityStudy(
      subgroups: values, limits: characteristic.limits, isOutOfControl: !chart.findings.isEmpty)
  }

  public var defectPareto: DefectPareto { DefectPareto(defects) }

  /// First-pass yield of the inspection: units that were not defective over those inspected; `nil` without any.
  public var firstPassYield: Double? {
    ProcessStep(
      name: characteristic.id, units: inspected, firstPass: max(0, inspected - defective))?.yield
  }

  /// Defects per million opportunities; a unit that failed without a defect named counts as one.
  public var defectsPerMillionOpportunities: Double? {
    YieldFigures.dpmo(
      defects: max(defective, defects.reduce(0) { $0 + $1.count }), units: inspected,
      opportunitiesPerUnit: characteristic.opportunitiesPerUnit)
  }
}
