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
/// Rows are read by row id, so that neither a broken index nor a broken page stops the copy: from the
/// front to the first break, from the back to the last, and between them by leaps that double.
struct Salvage {
  typealias Put = (_ table: String, _ rows: [Row]) throws -> Void

  /// What the store needs to go on: few rows.
  static let definitions = [
    "meta", "device", "series", "word", "current", "quarantine", "loss", "configuration", "cursor",
    "state", "answer",
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
  mutating func run(_ tables: [String] = Self.tables) throws {
    for (place, table) in tables.enumerated() {
      progress("repair \(table)", place, tables.count)
      var (saved, gaps) = (0, 0)
      do {
        (saved, gaps) = try Self.keyed.contains(table) ? copyKeyed(table) : copyByRowID(table)
      } catch let error as DatabaseError where error.isDamage || error.resultCode == .SQLITE_ERROR {
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
    } catch let error as DatabaseError where error.isDamage {
      gaps = 1
    }
    try handOn(rows, of: table)
    return (rows.count, gaps)
  }

  private mutating func copyByRowID(_ table: String) throws -> (saved: Int, gaps: Int) {
    let (head, isWhole) = try copy(table, from: .min, through: .max, isBackward: false)
    if isWhole { return (head.count, 0) }
    let (tail, _) = try copy(
      table, from: (head.last ?? .min + 1) + 1, through: .max, isBackward: true)
    var (saved, gaps) = (head.count + tail.count, 1)
    guard let end = tail.last else { return (saved, gaps) }
    // Between the two breaks: leap until something can be read again.
    var place = (head.last ?? 0) &+ 1
    var leap: Int64 = 1
    while place < end {
      let (middle, isRead) = try copy(table, from: place, through: end - 1, isBackward: false)
      saved += middle.count
      if isRead { break }
      if let last = middle.last {
        place = last + 1
        leap = 1
        gaps += 1
      } else {
        let (next, isOver) = place.addingReportingOverflow(leap)
        if isOver { break }
        place = next
        leap *= 2
      }
    }
    return (saved, gaps)
  }

  /// Copies rows until the end or a break; says which ids, in the order read, and whether it was the end.
  private mutating func copy(
    _ table: String, from: Int64, through: Int64, isBackward: Bool
  ) throws -> (ids: [Int64], isWhole: Bool) {
    var ids: [Int64] = []
    var low = from
    var high = through
    while low <= high {
      let (rows, isWhole) = try page(of: table, from: low, through: high, isBackward: isBackward)
      try handOn(rows, of: table)
      ids += rows.map { $0["rowid_"] as Int64 }
      guard isWhole else { return (ids, false) }
      guard let last = ids.last, rows.count == Self.pageCount else { break }
      if isBackward { high = last - 1 } else { low = last + 1 }
    }
    return (ids, true)
  }

  private static let pageCount = 200

  private func page(
    of table: String, from: Int64, through: Int64, isBackward: Bool
  ) throws -> (rows: [Row], isWhole: Bool) {
    var rows: [Row] = []
    do {
      try source.read { db in
        let cursor = try Row.fetchCursor(
          db,
          sql: """
            SELECT *, rowid AS rowid_ FROM \(table) NOT INDEXED WHERE rowid BETWEEN ? AND ?
            ORDER BY rowid \(isBackward ? "DESC" : "ASC") LIMIT \(Self.pageCount)
            """, arguments: [from, through])
        while let row = try cursor.next() { rows.append(row.copy()) }
      }
      return (rows, true)
    } catch let error as DatabaseError where error.isDamage {
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
    if let blob = row["blob"] as Data?,
      (try? blob.withUnsafeBytes({ try decoder.decode($0, into: &columns) })) != nil
    {
      return true
    }
    let count = row["count"] as Int? ?? 0
    report.damagedChunks += 1
    report.lostSamples += count
    let t0 = row["t0"] as Int64? ?? 0
    let t1 = max(t0, row["t1"] as Int64? ?? t0)
    losses.append(
      LossEntry(
        cause: .damage, series: (row["series"] as Int64?).map { UInt32(truncatingIfNeeded: $0) },
        span: Timestamp(microseconds: t0)...Timestamp(microseconds: t1), count: count,
        bytes: (row["blob"] as Data?)?.count ?? 0,
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
    let file = try StoreDatabase.setAside(
      directory: directory, stamp: SetAsideName.next(in: directory))
    let target = try StoreDatabase.open(directory: directory)
    var salvage: Salvage
    do {
      let source = try StoreDatabase.openReadOnly(path: file)
      salvage = Salvage(source: source, setAside: file, progress: progress) { table, rows in
        try target.write { db in try Salvage.insert(rows, into: table, db) }
      }
      try salvage.run()
      let losses = salvage.losses
      try target.write { db in for entry in losses { try entry.insert(db, time: now) } }
    } catch let error as DatabaseError where error.isDamage {
      // Not even the head of the file can be read: only the journal is left.
      try target.write { db in
        try LossEntry(cause: .damage, detail: "nothing of \(file) could be read").insert(
          db, time: now)
      }
      try target.close()
      return SalvageReport(
        setAside: file, tables: Salvage.tables.map { .init(table: $0, saved: 0, gaps: 1) })
    }
    try target.writeWithoutTransaction { db in
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    try target.close()
    return salvage.report
  }
}
