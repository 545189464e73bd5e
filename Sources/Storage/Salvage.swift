import Foundation
import GRDB
import Telemetry

/// What a repair saved and what it could not.
public struct SalvageReport: Sendable, Hashable {
  public struct TableCount: Sendable, Hashable {
    public var table: String
    public var saved: Int
    /// Places where reading failed; each may hide several rows.
    public var gaps: Int
  }

  /// The damaged file, which is kept.
  public var setAside: String
  public var tables: [TableCount] = []
  /// Chunks whose row could be read but whose samples could not.
  public var damagedChunks = 0
  public var lostSamples = 0
}

/// Reads every readable row of a damaged database and hands it on.
///
/// Rows are read by row id, so that neither a broken index nor a broken page stops the copy, and in its
/// order, so that the newer of two rows stays the newer. Over what cannot be read it leaps, ever further,
/// and then looks back for the first row that can.
struct Salvage {
  typealias Put = (_ table: String, _ rows: [Row]) throws -> Void

  /// What the store needs to go on: few rows.
  static let definitions = [
    "meta", "device", "series", "word", "current", "quarantine", "loss", "configuration", "cursor",
    "state", "answer", "memory", "standing",
  ]
  static let tables = definitions + ["chunk", "event"]
  /// Tables whose key is text and that have no row id; they fit on a page or two.
  private static let keyed: Set<String> = ["meta", "cursor"]

  let source: DatabaseQueue
  let progress: Doctor.Progress
  let put: Put
  /// What could not be read, for the loss ledger.
  private(set) var losses: [LossEntry] = []
  private(set) var report: SalvageReport
  private let decoder = ChunkDecoder()

  /// - Parameter put: gets the readable rows, some hundreds at a time.
  init(
    source: DatabaseQueue, setAside: String, progress: @escaping Doctor.Progress = { _, _, _ in },
    put: @escaping Put
  ) {
    self.source = source
    self.progress = progress
    self.put = put
    report = SalvageReport(setAside: setAside)
  }

  /// Goes through `tables`; what cannot be read is left out and booked in `losses`.
  /// - Parameter after: row ids through which a table was copied before.
  mutating func run(_ tables: [String] = Self.tables, after: [String: Int64] = [:]) throws {
    for (place, table) in tables.enumerated() {
      progress("repair \(table)", place, tables.count)
      var (saved, gaps) = (0, 0)
      do {
        (saved, gaps) =
          try Self.keyed.contains(table)
          ? copyKeyed(table) : copyByRowID(table, after: after[table])
      } catch let error as DatabaseError
        where error.isUnreadable || error.resultCode == .SQLITE_ERROR
      {
        gaps = 1
      }
      report.tables.append(.init(table: table, saved: saved, gaps: gaps))
      if gaps > 0 {
        losses.append(
          LossEntry(
            cause: .damage,
            detail: "table \(table): \(saved) rows saved, reading failed at \(gaps) places of "
              + report.setAside))
      }
    }
  }

  private mutating func copyKeyed(_ table: String) throws -> (saved: Int, gaps: Int) {
    var rows: [Row] = []
    var gaps = 0
    do {
      try source.read { db in
        let cursor = try Row.fetchCursor(db, sql: "SELECT * FROM \(table)")
        while let row = try cursor.next() { rows.append(row.copy()) }
      }
    } catch let error as DatabaseError where error.isUnreadable {
      gaps = 1
    }
    try handOn(rows, of: table)
    return (rows.count, gaps)
  }

  private mutating func copyByRowID(
    _ table: String, after: Int64?
  ) throws -> (saved: Int, gaps: Int) {
    var (saved, gaps) = (0, 0)
    var place = after.map { $0 == .max ? $0 : $0 + 1 } ?? Int64.min
    while true {
      let (rows, isRead) = try page(of: table, from: place, limit: Self.pageCount)
      try handOn(rows, of: table)
      saved += rows.count
      if let last = rows.last { place = Self.id(last) &+ 1 }
      if isRead {
        guard rows.count == Self.pageCount, place != .min else { return (saved, gaps) }
      } else {
        gaps += 1
        guard let next = try firstReadable(table, after: place) else { return (saved, gaps) }
        place = next
      }
    }
  }

  /// The first place after `broken` from which a row can be read, or the end be seen.
  private func firstReadable(_ table: String, after broken: Int64) throws -> Int64? {
    var low = max(broken, 0)
    var leap: Int64 = 1
    var high = low
    repeat {
      low = high
      let (next, isOver) = high.addingReportingOverflow(leap)
      if isOver { return nil }
      high = next
      leap = leap > .max / 2 ? .max : leap * 2
    } while try !page(of: table, from: high, limit: 1).isRead
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try page(of: table, from: middle, limit: 1).isRead { high = middle } else { low = middle }
    }
    return high
  }

  private static let pageCount = 200

  static func id(_ row: Row) -> Int64 { row.integer("rowid_") ?? 0 }

  private func page(
    of table: String, from: Int64, limit: Int
  ) throws -> (rows: [Row], isRead: Bool) {
    var rows: [Row] = []
    do {
      try source.read { db in
        let cursor = try Row.fetchCursor(
          db,
          sql: """
            SELECT *, rowid AS rowid_ FROM \(table) NOT INDEXED WHERE rowid >= ?
            ORDER BY rowid LIMIT \(limit)
            """, arguments: [from])
        while let row = try cursor.next() { rows.append(row.copy()) }
      }
      return (rows, true)
    } catch let error as DatabaseError where error.isUnreadable {
      return (rows, false)
    }
  }

  private mutating func handOn(_ rows: [Row], of table: String) throws {
    let kept = table == "chunk" ? rows.filter { isWhole($0) } : rows
    if !kept.isEmpty { try put(table, kept) }
  }

  /// Puts rows into the table of the same name; those that are there already stay.
  static func insert(_ rows: [Row], into table: String, _ db: Database) throws {
    guard let first = rows.first else { return }
    let columns = first.columnNames.filter { $0 != "rowid_" }
    let sql =
      "INSERT OR IGNORE INTO \(table) (\(columns.joined(separator: ", "))) VALUES "
      + "(\(columns.map { _ in "?" }.joined(separator: ", ")))"
    let statement = try db.cachedStatement(sql: sql)
    for row in rows {
      do {
        try statement.execute(
          arguments: StatementArguments(columns.map { row[$0] as DatabaseValue }))
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
        // A row that damage made impossible is not worth the others.
        continue
      }
    }
  }

  /// Whether the samples of a chunk's row can be read; if not they are booked.
  private mutating func isWhole(_ row: Row) -> Bool {
    var columns = ChunkColumns()
    let blob = Data.fromDatabaseValue(row["blob"]) ?? Data()
    // Why it does not decode makes no difference: it is booked as damaged.
    if (try? blob.withUnsafeBytes({ try decoder.decode($0, into: &columns) })) != nil {
      return true
    }
    let count = Int(clamping: row.integer("count") ?? 0)
    report.damagedChunks += 1
    report.lostSamples &+= count
    let t0 = row.integer("t0") ?? 0
    let t1 = max(t0, row.integer("t1") ?? t0)
    losses.append(
      LossEntry(
        cause: .damage, series: row.integer("series").map { UInt32(truncatingIfNeeded: $0) },
        span: Timestamp(microseconds: t0)...Timestamp(microseconds: t1), count: count,
        bytes: blob.count,
        detail: "chunk with a wrong checksum in \(report.setAside)"))
    return false
  }
}

extension Doctor {
  /// Sets the database aside and copies what is readable into a new one; the loss ledger says what is not.
  ///
  /// The caller holds the data directory's lock. The damaged file is kept, so nothing is made worse.
  public func repair(
    now: Timestamp, progress: @escaping Progress
  ) throws -> SalvageReport {
    var report = SalvageReport(setAside: "")
    report.setAside = try DatabaseReplacement.run(directory: directory) { target, source, file in
      report = try Salvage.fill(target, from: source, file: file, now: now, progress: progress)
    }
    return report
  }
}

extension Salvage {
  /// Copies `tables` into a new database and books what could not be read.
  static func fill(
    _ target: DatabaseQueue, from source: DatabaseQueue?, file: String,
    tables: [String] = Salvage.tables, now: Timestamp,
    progress: @escaping Doctor.Progress = { _, _, _ in }
  ) throws -> SalvageReport {
    guard let source else {
      try target.write { db in
        try LossEntry(cause: .damage, detail: "nothing of \(file) could be read").insert(
          db, time: now)
      }
      return SalvageReport(
        setAside: file, tables: tables.map { .init(table: $0, saved: 0, gaps: 1) })
    }
    var salvage = Salvage(source: source, setAside: file, progress: progress) { table, rows in
      try target.write { db in try Salvage.insert(rows, into: table, db) }
    }
    try salvage.run(tables)
    let losses = salvage.losses
    try target.write { db in for entry in losses { try entry.insert(db, time: now) } }
    try DatabaseReplacement.replayEverything(
      target, floor: DatabaseReplacement.highestSequence(source))
    return salvage.report
  }
}

extension Row {
  /// `nil` when the column holds no whole number: damage may have put anything there.
  func integer(_ column: String) -> Int64? { Int64.fromDatabaseValue(self[column]) }
  func text(_ column: String) -> String? { String.fromDatabaseValue(self[column]) }
}
