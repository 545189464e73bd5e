import Foundation
import Operations
import Storage
import Synchronization
import Telemetry

/// Production as it stands in the store: figures of machines and lines over any stretch of time.
///
/// Computed when asked, by one code path; nothing is kept, so late samples and corrections count at once.
public final class ProductionFloor: Sendable {
  /// Longer stretches would load too much at once.
  public static let daysMax = 31
  /// Reports that one answer reads at most.
  public static let reportsMax = 5_000

  let queries: Queries
  private let configured: Mutex<ProductionConfiguration>

  init(queries: Queries, configuration: ProductionConfiguration) {
    self.queries = queries
    configured = Mutex(configuration)
  }

  public var configuration: ProductionConfiguration { configured.withLock { $0 } }

  func reconfigure(_ new: ProductionConfiguration) { configured.withLock { $0 = new } }

  /// The shift of a machine that is under way; `nil` outside shifts, and without a calendar.
  public func shift(of machine: MachineDefinition, at moment: Timestamp) -> Shift? {
    guard let calendar = configuration.calendar(machine.calendar) else { return nil }
    return calendar.shift(at: moment, zone: SystemZone(calendar.timeZone))
  }

  /// The zone of the machine's calendar; UTC without one.
  public func zone(of machine: MachineDefinition) -> some ZoneRules {
    SystemZone(configuration.calendar(machine.calendar)?.timeZone ?? "UTC")
  }

  /// A machine over `span`, as far as it is known at `now`.
  /// - Parameter further: an edit that is not made yet, to see what it would do.
  public func fetchLedger(
    of machine: MachineDefinition, over span: Span, now: Timestamp, adding further: StopEdit? = nil
  ) async throws -> MachineLedger {
    let configuration = configuration
    return try await queries.fetch { reader in
      try Self.ledger(of: machine, over: span, now: now, adding: further, configuration, reader)
    }
  }

  /// Reports of closed shifts that end in `span`, by subject and shift, oldest first.
  /// - Parameter allVersions: also those that were superseded.
  public func fetchReports(
    kind: String?, subject: String?, over span: Span, allVersions: Bool
  ) async throws -> [ProductionReport] {
    var filter = EventFilter()
    filter.names = [ProductionCommands.shiftReported]
    // Anybody may send events of this name: those of the stages count.
    filter.isDerivedOnly = true
    if kind == "machine" { filter.device = subject.flatMap { configuration.machine($0)?.device } }
    (filter.from, filter.to) = (span.from, span.to)
    filter.limit = Self.reportsMax
    let reports = try await queries.fetchEvents(filter).reversed().compactMap { row in
      // Written by the stages: always a report.
      (try? JSONReader.read(Array(row.event.properties.utf8))).flatMap(ProductionReport.init(json:))
    }.filter {
      (kind == nil || $0.kind == kind) && (subject == nil || $0.subject == subject)
    }
    guard !allVersions else { return reports }
    return reports.filter { report in
      !reports.contains {
        ($0.kind, $0.subject, $0.part) == (report.kind, report.subject, report.part)
          && $0.version > report.version
      }
    }
  }

  /// A line over `span`: its figures, where it is held up, and the ledgers of its machines.
  public func fetchLine(
    _ line: LineDefinition, over span: Span, now: Timestamp
  ) async throws -> (result: LineResult, bottleneck: Bottleneck, ledgers: [MachineLedger]) {
    let configuration = configuration
    return try await queries.fetch { reader in
      let ledgers = try line.machines.compactMap { configuration.machine($0) }.map {
        try Self.ledger(of: $0, over: span, now: now, configuration, reader)
      }
      let (result, bottleneck) = Self.result(of: line, ledgers, over: span, configuration)
      return (result, bottleneck, ledgers)
    }
  }

  static func result(
    of line: LineDefinition, _ ledgers: [MachineLedger], over span: Span,
    _ configuration: ProductionConfiguration
  ) -> (result: LineResult, bottleneck: Bottleneck) {
    let result = LineResult(
      line: line,
      machines: ledgers.map {
        LineResult.Machine(definition: $0.machine, result: $0.result(over: span))
      }, products: configuration.products)
    let bottleneck = Bottleneck(
      ledgers.map { (machine: $0.machine.id, timeline: $0.timeline) }, within: SpanSet(span))
    return (result, bottleneck)
  }

  static func ledger(
    of machine: MachineDefinition, over span: Span, now: Timestamp, adding further: StopEdit? = nil,
    _ configuration: ProductionConfiguration, _ reader: StoreReader
  ) throws -> MachineLedger {
    let schedule =
      configuration.calendar(machine.calendar).map {
        $0.schedule(over: span, zone: SystemZone($0.timeZone))
      } ?? .always(over: span)
    var record = try MachineLoading(reader: reader, span: schedule.span).record(of: machine)
    record.edits = try StopEdits.stored(of: machine, from: schedule.span.from, reader)
    if let further { record.edits.append(further) }
    return MachineLedger(
      machine: machine, record: record, schedule: schedule, products: configuration.products,
      reasons: configuration.reasons, until: now)
  }
}

/// The rules of a time zone as this machine's zone files have them.
struct SystemZone: ZoneRules {
  private let zone: TimeZone

  /// Checked when the configuration was read; a name that is gone since then counts as UTC.
  init(_ name: String) { zone = TimeZone(identifier: name) ?? .gmt }

  func offsetSeconds(at moment: Timestamp) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.microseconds) / 1e6))
  }
}

/// Reads what production needs of one machine: each series over the span, and its last sample before.
private struct MachineLoading {
  let stretch: SpanReading

  init(reader: StoreReader, span: Span) throws {
    stretch = try SpanReading(reader: reader, span: span)
  }

  func record(of machine: MachineDefinition) throws -> MachineRecord {
    var record = MachineRecord()
    if let key = machine.stateSeries {
      try stretch.forEach(key) { time, value, quality in
        let mapped = machine.mapped(value)
        record.states.append(
          StateSample(
            time: time, state: mapped?.state ?? .unknown, reason: mapped?.reason, quality: quality))
      }
    }
    record.total = try counter(machine.counters.total)
    record.good = try counter(machine.counters.good)
    record.scrap = try counter(machine.counters.scrap)
    record.rework = try counter(machine.counters.rework)
    record.products = try words(machine.productSeries)
    record.orders = try words(machine.orderSeries)
    record.reasons = try words(machine.reasonSeries)
    record.signsOfLife =
      (record.total + record.good + record.scrap + record.rework).map(\.time)
      + (record.products + record.orders + record.reasons).map(\.time)
    return record
  }

  private func counter(_ source: MachineDefinition.CounterSource?) throws -> [CounterSample] {
    guard let source else { return [] }
    var samples: [CounterSample] = []
    try stretch.forEach(source.series) { time, value, quality in
      guard case .number(let number) = value else { return }
      samples.append(CounterSample(time: time, value: number, quality: quality))
    }
    return samples
  }

  private func words(_ key: SeriesKey?) throws -> [WordSample] {
    guard let key else { return [] }
    var samples: [WordSample] = []
    try stretch.forEach(key) { time, value, quality in
      let word: String
      switch value {
      case .text(let text): word = text
      case .boolean(let flag): word = flag ? "true" : "false"
      case .number(let number): word = JSONText.number(number)
      }
      samples.append(WordSample(time: time, word: word, quality: quality))
    }
    return samples
  }
}
