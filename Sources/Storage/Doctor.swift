import Foundation
import GRDB
import Glibc
import Telemetry

/// Looks over the data directory of a store that no gateway holds, and says what it finds.
public struct Doctor: Sendable {
  /// One thing that was looked at.
  public struct Finding: Sendable, Hashable {
    public enum Severity: String, Sendable {
      case ok
      /// Worth knowing; nothing has to be done.
      case notice
      case problem
    }

    public var severity: Severity
    public var subject: String
    /// What was found and, for a problem, what to do.
    public var text: String

    public init(severity: Severity, subject: String, text: String) {
      self.severity = severity
      self.subject = subject
      self.text = text
    }

    init(_ severity: Severity, _ subject: String, _ text: String) {
      self.init(severity: severity, subject: subject, text: text)
    }
  }

  /// What is under way, with how much of how much is done.
  public typealias Progress = (_ step: String, _ done: Int, _ total: Int) -> Void

  public let directory: String

  public init(directory: String) { self.directory = directory }

  /// Reads everything, writes nothing. Takes as long as reading the database twice.
  public func examine(now: Timestamp, progress: Progress) -> [Finding] {
    guard access(StoreDatabase.path(in: directory), F_OK) == 0 else {
      return [
        Finding(.problem, "database", "\(directory) holds no store.sqlite: no gateway ran here")
      ]
    }
    var findings: [Finding] = []
    do {
      let queue = try StoreDatabase.openReadOnly(path: StoreDatabase.path(in: directory))
      findings += try queue.read { try examine($0, progress: progress) }
      findings.append(try diskUse(queue))
    } catch {
      findings.append(
        Finding(
          .problem, "database",
          "cannot be read (\(error)); `millwright doctor --repair` copies what is readable into a new one"
        ))
    }
    findings.append(journal(now: now, progress: progress))
    findings += setAsideFiles()
    return findings
  }

  private func examine(_ db: Database, progress: Progress) throws -> [Finding] {
    var findings = try quickCheck(db, progress: progress)
    findings.append(try checksums(db, progress: progress))
    findings.append(try ledger(db))
    let counts = try Row.fetchOne(
      db, sql: "SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM series)")
    if let counts {
      findings.append(
        Finding(.ok, "registry", "\(counts[0] as Int) devices, \(counts[1] as Int) series"))
    }
    return findings
  }

  private func quickCheck(_ db: Database, progress: Progress) throws -> [Finding] {
    let tables = Salvage.tables
    var problems: [String] = []
    for (place, table) in tables.enumerated() {
      progress("database", place, tables.count)
      do {
        for line in try String.fetchAll(db, sql: "PRAGMA quick_check('\(table)')")
        where line != "ok" {
          problems.append("\(table): \(line)")
        }
      } catch let error as DatabaseError where error.isDamage {
        problems.append("\(table): \(error.message ?? "damaged")")
      }
    }
    guard let first = problems.first else {
      return [Finding(.ok, "database", "\(tables.count) tables pass SQLite's quick_check")]
    }
    return [
      Finding(
        .problem, "database",
        "\(problems.count) faults, the first: \(first); `millwright doctor --repair` copies every "
          + "readable row into a new file")
    ]
  }

  private func checksums(_ db: Database, progress: Progress) throws -> Finding {
    let total = try Int.fetchOne(db, sql: "SELECT count(*) FROM chunk") ?? 0
    let decoder = ChunkDecoder()
    var columns = ChunkColumns()
    var (chunks, samples, bytes) = (0, 0, 0)
    var damaged: [Int64] = []
    let rows = try Row.fetchCursor(db, sql: "SELECT id, count, blob FROM chunk")
    do {
      while let row = try rows.next() {
        let blob: Data = row[2]
        columns.removeAll()
        do {
          try blob.withUnsafeBytes { try decoder.decode($0, into: &columns) }
          samples += columns.count
          bytes += blob.count
          if columns.count != row[1] as Int { damaged.append(row[0]) }
        } catch {
          damaged.append(row[0])
        }
        chunks += 1
        if chunks % 64 == 0 { progress("chunks", chunks, total) }
      }
    } catch let error as DatabaseError where error.isDamage {
      return Finding(
        .problem, "chunks",
        "reading stopped after \(chunks) of \(total) (\(error.message ?? "damaged")); "
          + "`millwright doctor --repair` saves the others")
    }
    guard damaged.isEmpty else {
      return Finding(
        .problem, "chunks",
        "\(damaged.count) of \(total) chunks do not pass their checksum and are left out of answers; "
          + "`millwright doctor --repair` books them as lost")
    }
    let each = samples > 0 ? String(format: "%.2f", Double(bytes) / Double(samples)) : "–"
    return Finding(
      .ok, "chunks",
      "\(chunks) chunks, \(samples) samples, \(each) bytes each, every checksum right")
  }

  private func ledger(_ db: Database) throws -> Finding {
    let rows = try Row.fetchAll(
      db,
      sql: "SELECT cause, count(*), sum(count), sum(bytes) FROM loss GROUP BY cause ORDER BY cause")
    guard !rows.isEmpty else {
      return Finding(.ok, "loss ledger", "empty: nothing was ever given up")
    }
    let parts = rows.map { row in
      "\(row[0] as String): \(row[1] as Int) entries, \(row[2] as Int) samples or rows"
    }
    let isDamage = rows.contains { ($0[0] as String) == LossEntry.Cause.damage.rawValue }
    return Finding(isDamage ? .notice : .ok, "loss ledger", parts.joined(separator: "; "))
  }

  private func journal(now: Timestamp, progress: Progress) -> Finding {
    let path = directory + "/journal"
    // Without a journal there is nothing to replay; one that cannot be listed fails in the reader below.
    let names = ((try? Directory.names(in: path)) ?? []).filter { SegmentName.id($0) != nil }
    var last = Timestamp.epoch
    do {
      let reader = try JournalReader(directory: path)
      var records = 0
      try reader.readAll(after: 0) { header, _ in
        last = max(last, header.wall)
        records += 1
        if records % 256 == 0 { progress("journal", records, 0) }
      }
      let size =
        "\(names.count) segments, \(reader.recordCount) records, \(reader.sampleCount) samples"
      // Records that were released after they reached the database are no gap.
      let damages = reader.damages.filter { $0.kind != .missingRecords || $0.lost?.lowerBound != 1 }
      let serious = damages.filter { $0.kind != .tornTail }
      if let first = serious.first {
        return Finding(
          .problem, "journal",
          "\(size); \(serious.count) damages, the first: \(first); the gateway "
            + "leaves them out and books the loss when it starts")
      }
      if last > now.advanced(byMicroseconds: 60_000_000) {
        return Finding(
          .problem, "journal",
          "\(size); the newest record is from \(last.rfc3339), ahead of this machine's clock")
      }
      let torn = damages.isEmpty ? "" : "; the last record was cut by a crash, unacknowledged"
      return Finding(damages.isEmpty ? .ok : .notice, "journal", size + torn)
    } catch {
      return Finding(.problem, "journal", "cannot be read: \(error)")
    }
  }

  private func diskUse(_ queue: DatabaseQueue) throws -> Finding {
    let use = try DiskUse.measure(directory: directory, database: queue)
    var figures = statvfs()
    let free = statvfs(directory, &figures) == 0 ? Int(figures.f_bavail) * Int(figures.f_frsize) : 0
    func mebibytes(_ bytes: Int) -> String { String(format: "%.1f MiB", Double(bytes) / 1_048_576) }
    let text =
      "database \(mebibytes(use.databaseBytes)) (of it free \(mebibytes(use.freeBytes))), "
      + "WAL \(mebibytes(use.walBytes)), journal \(mebibytes(use.journalBytes)); "
      + "\(mebibytes(free)) free on the disk"
    return Finding(free < 64 << 20 ? .problem : .ok, "disk", text)
  }

  private func setAsideFiles() -> [Finding] {
    // The directory was opened before; should it be gone now there is nothing to report of it.
    let names = ((try? Directory.names(in: directory)) ?? []).filter {
      $0.hasPrefix(StoreDatabase.fileName + ".damaged-") && !$0.hasSuffix("-wal")
        && !$0.hasSuffix("-shm")
    }
    return names.map {
      Finding(
        .notice, "set aside",
        "\(directory)/\($0) is an earlier, damaged database; remove it when "
          + "you no longer need it")
    }
  }
}

extension Doctor {
  /// Joins small chunks, drops free pages and moves the WAL into the database.
  ///
  /// - Returns: bytes of the store before and after.
  public func compact(
    settings: StoreSettings, progress: Progress
  ) throws -> (before: Int, after: Int) {
    let pool = try StoreDatabase.open(directory: directory)
    let before = try DiskUse.measure(directory: directory, database: pool).total
    let catalog = try pool.read { try Catalog.load($0) }
    let compactor = Compactor(database: pool)
    let candidates = try compactor.candidates()
    for (place, series) in candidates.enumerated() where Int(series) < catalog.series.count {
      progress("compact", place, candidates.count)
      let definition = catalog.series[Int(series)]
      while let set = try compactor.nextMerge(
        of: series, type: definition.type, kind: definition.kind),
        try pool.write({ try set.apply($0) })
      {}
    }
    try pool.writeWithoutTransaction { db in
      try db.execute(sql: "VACUUM")
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    let after = try DiskUse.measure(directory: directory, database: pool).total
    try pool.close()
    return (before, after)
  }
}
