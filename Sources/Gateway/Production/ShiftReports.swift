import GRDB
import Operations
import Storage
import Telemetry

/// Reports of closed shifts as they are kept in the event log, and which of them are due.
struct ShiftReports {
  /// A shift is reported so long after its end: what was on its way has come.
  static let graceMicroseconds: Int64 = 120_000_000
  let reader: StoreReader
  let configuration: ProductionConfiguration
  let now: Timestamp
  let pass: Pass

  /// What a pass looks at.
  enum Pass {
    /// Shifts of the last day without a report, and those of machines whose stops were edited since.
    case due
    /// All closed shifts of the last week: finds what late data changed. Later ones stay as they are.
    case all

    var lookBackMicroseconds: Int64 { (self == .due ? 1 : 7) * 86_400_000_000 }
  }

  /// Reports to be kept: of shifts that have none, and next versions of those that came out otherwise.
  func made(isCancelled: () -> Bool) throws -> [ProductionReport] {
    let kept = try stored()
    var reports: [ProductionReport] = []
    for machine in configuration.machines {
      for shift in closedShifts(of: machine.calendar) where !isCancelled() {
        let known = kept[Key(kind: "machine", subject: machine.id, part: shift.id)]
        if pass == .due, let known, try !isEdited([machine], since: known.row, shift) { continue }
        guard let report = try report(machine, shift, isKnown: known != nil) else { continue }
        if let next = Self.next(report, after: known?.report) { reports.append(next) }
      }
    }
    for line in configuration.lines {
      let machines = line.machines.compactMap { configuration.machine($0) }
      guard let lead = line.constraint.flatMap({ configuration.machine($0) }) ?? machines.last
      else { continue }
      for shift in closedShifts(of: lead.calendar) where !isCancelled() {
        let known = kept[Key(kind: "line", subject: line.id, part: shift.id)]
        if pass == .due, let known, try !isEdited(machines, since: known.row, shift) { continue }
        guard let report = try report(line, machines, shift, isKnown: known != nil) else {
          continue
        }
        if let next = Self.next(report, after: known?.report) { reports.append(next) }
      }
    }
    return reports
  }

  private static func next(
    _ report: ProductionReport, after known: ProductionReport?
  ) -> ProductionReport? {
    known.map { $0.superseded(by: report) } ?? report
  }

  private func closedShifts(of calendar: String) -> [Shift] {
    guard let calendar = configuration.calendar(calendar) else { return [] }
    let from = now.advanced(byMicroseconds: -pass.lookBackMicroseconds)
    let closed = now.advanced(byMicroseconds: -Self.graceMicroseconds)
    return calendar.shifts(touching: Span(from..<now), SystemZone(calendar.timeZone))
      .filter { $0.span.from >= from && $0.span.to <= closed }
  }

  /// - Returns: `nil` for a shift in which nothing was heard of the machine, unless it was reported before.
  private func report(
    _ machine: MachineDefinition, _ shift: Shift, isKnown: Bool
  ) throws -> ProductionReport? {
    let ledger = try ProductionFloor.ledger(
      of: machine, over: shift.span, now: now, configuration, reader)
    guard isKnown || Self.isHeard(ledger, shift) else { return nil }
    return ProductionReport(
      shift: shift, ledger: ledger, reasons: configuration.reasons, computed: now)
  }

  private func report(
    _ line: LineDefinition, _ machines: [MachineDefinition], _ shift: Shift, isKnown: Bool
  ) throws -> ProductionReport? {
    let ledgers = try machines.map {
      try ProductionFloor.ledger(of: $0, over: shift.span, now: now, configuration, reader)
    }
    guard isKnown || ledgers.contains(where: { Self.isHeard($0, shift) }) else { return nil }
    let (result, bottleneck) = ProductionFloor.result(
      of: line, ledgers, over: shift.span, configuration)
    return ProductionReport(
      shift: shift, line: result, bottleneck: bottleneck, reasons: configuration.reasons,
      computed: now)
  }

  private static func isHeard(_ ledger: MachineLedger, _ shift: Shift) -> Bool {
    ledger.measuredSegments.contains {
      $0.state != .unknown && $0.span.intersection(shift.span) != nil
    }
  }

  // MARK: - The event log

  struct Key: Hashable {
    var kind: String
    var subject: String
    var part: String
  }

  /// The newest version of each report of the look-back, with its row.
  func stored() throws -> [Key: (report: ProductionReport, row: Int64)] {
    let from = now.advanced(byMicroseconds: -2 * pass.lookBackMicroseconds)
    return try reader.database.read { db in
      var found: [Key: (report: ProductionReport, row: Int64)] = [:]
      let rows = try Row.fetchCursor(
        db,
        sql:
          "SELECT id, properties FROM event WHERE name = ? AND time >= ? AND origin > 0 ORDER BY id",
        arguments: [ProductionCommands.shiftReported, from.microseconds])
      while let row = try rows.next() {
        let text: String = row[1]
        // Written by the stages: always a report.
        guard let json = try? JSONReader.read(Array(text.utf8)),
          let report = ProductionReport(json: json)
        else { continue }
        let key = Key(kind: report.kind, subject: report.subject, part: report.part)
        if let known = found[key], known.report.version > report.version { continue }
        found[key] = (report, row[0])
      }
      return found
    }
  }

  private func isEdited(
    _ machines: [MachineDefinition], since row: Int64, _ shift: Shift
  ) throws -> Bool {
    for machine in machines {
      let edits = try StopEdits.stored(of: machine, from: shift.span.from, reader, after: row)
      if edits.contains(where: { $0.stop.intersection(shift.span) != nil }) { return true }
    }
    return false
  }
}

/// What operators said of stops, from the event log.
enum StopEdits {
  /// Edits of stops that ended after `from`, in the order in which they were made.
  static func stored(
    of machine: MachineDefinition, from: Timestamp, _ reader: StoreReader, after row: Int64 = 0
  ) throws -> [StopEdit] {
    try reader.database.read { db in
      // A stop is edited after it began, so edits of later stops are not older than `from`.
      try String.fetchAll(
        db,
        sql: """
          SELECT properties FROM event
          WHERE name = ? AND device = ? AND time >= ? AND id > ? AND origin > 0 ORDER BY id
          """,
        arguments: [
          ProductionCommands.stopEdited, machine.device, from.microseconds, row,
        ]
      ).compactMap { text in
        // Written by the stages: always an edit.
        (try? JSONReader.read(Array(text.utf8))).flatMap(StopEdit.init(json:))
      }.filter { $0.machine == machine.id }
    }
  }
}
