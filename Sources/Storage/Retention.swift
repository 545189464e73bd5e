import Foundation
import GRDB
import Telemetry

/// Finds what must go: samples older than the retention of their profile, then the oldest of all while the
/// store is over its byte budget. Each step books the loss before it deletes.
public struct Retention {
  /// Chunks deleted in one step: about 9 MB of full ones.
  static let chunksPerStep = 1_024

  let database: any DatabaseReader

  public init(database: any DatabaseReader) { self.database = database }

  /// Chunks of `series` that end before `limit`; `nil` when there are none.
  public func expired(
    series: UInt32, before limit: Timestamp, now: Timestamp
  ) throws -> WriteSet? {
    try step(
      cause: .retention, now: now, detail: "older than the retention of its profile",
      where: "series = ? AND t1 < ? ORDER BY t1",
      arguments: [Int64(series), limit.microseconds])
  }

  /// The chunks that were sealed first, while the store is over its budget.
  public func overBudget(now: Timestamp, budget: Int, used: Int) throws -> WriteSet? {
    guard budget > 0, used > budget else { return nil }
    return try step(
      cause: .budget, now: now, detail: "the store used \(used) of \(budget) bytes",
      where: "1 ORDER BY id", arguments: [])
  }

  private func step(
    cause: LossEntry.Cause, now: Timestamp, detail: String, where condition: String,
    arguments: StatementArguments
  ) throws -> WriteSet? {
    try database.read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, series, t0, t1, count, length(blob) FROM chunk WHERE \(condition)
          LIMIT \(Self.chunksPerStep)
          """, arguments: arguments)
      guard !rows.isEmpty else { return nil }
      var set = WriteSet()
      set.time = now.microseconds
      var losses: [UInt32: LossEntry] = [:]
      for row in rows {
        set.replaces.append(row[0])
        let series = UInt32(truncatingIfNeeded: row[1] as Int64)
        let t0 = Timestamp(microseconds: row[2])
        let t1 = max(t0, Timestamp(microseconds: row[3]))
        var entry =
          losses[series] ?? LossEntry(cause: cause, series: series, span: t0...t1, detail: detail)
        let span = entry.span ?? t0...t1
        entry.span = min(span.lowerBound, t0)...max(span.upperBound, t1)
        entry.count += row[4] as Int
        entry.bytes += row[5] as Int
        losses[series] = entry
      }
      set.losses = losses.keys.sorted().compactMap { losses[$0] }
      return set
    }
  }
}

/// Bytes the store occupies on disk.
public struct DiskUse: Sendable, Hashable {
  public var databaseBytes = 0
  public var freeBytes = 0
  public var walBytes = 0
  public var journalBytes = 0

  /// Used pages, WAL and journal: what the byte budget counts.
  public var used: Int { databaseBytes - freeBytes + walBytes + journalBytes }
  public var total: Int { databaseBytes + walBytes + journalBytes }

  public static func measure(directory: String, database: any DatabaseReader) throws -> DiskUse {
    var use = DiskUse()
    try database.read { db in
      let page = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
      use.databaseBytes = page * (try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0)
      use.freeBytes = page * (try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0)
    }
    use.walBytes = size(StoreDatabase.path(in: directory) + "-wal")
    let journal = directory + "/journal"
    // A store that never ran has no journal; a file that just went takes no room.
    for name in (try? Directory.names(in: journal)) ?? [] {
      use.journalBytes += size(journal + "/" + name)
    }
    return use
  }

  private static func size(_ path: String) -> Int {
    // A file that is not there, or just went, takes no room.
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }
}
