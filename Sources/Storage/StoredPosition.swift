import GRDB
import Telemetry

/// Where SQLite stands in the journal.
struct StoredPosition {
  private static let replayKey = "replay_from"

  /// Highest record whose rows are in SQLite.
  var rows: UInt64
  /// Nothing at or below it is only in the journal: a replay starts after it.
  var replayFrom: UInt64

  static func load(_ db: Database) throws -> StoredPosition {
    func number(_ key: String) throws -> UInt64 {
      let value = try Int64.fetchOne(
        db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
      return UInt64(bitPattern: value ?? 0)
    }
    let rows = try number(Schema.journalPositionKey)
    return StoredPosition(rows: rows, replayFrom: min(rows, try number(replayKey)))
  }

  func save(_ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
    try statement.execute(arguments: [Schema.journalPositionKey, Int64(bitPattern: rows)])
    try statement.execute(arguments: [Self.replayKey, Int64(bitPattern: replayFrom)])
  }
}

extension SeriesShelf {
  /// Fills the shelf with what the database knows of each series.
  mutating func load(_ catalog: Catalog, _ db: Database) throws {
    for definition in catalog.series { define(definition) }
    let rows = try Row.fetchCursor(
      db, sql: "SELECT series, sealed_seq, time, bits, quality FROM current")
    while let row = try rows.next() {
      restore(
        series: UInt32(truncatingIfNeeded: row[0] as Int64),
        sealedSequence: UInt64(bitPattern: row[1]),
        last: StoredSample(
          time: Timestamp(microseconds: row[2]), bits: UInt64(bitPattern: row[3]),
          quality: Quality(rawValue: UInt8(truncatingIfNeeded: row[4] as Int64))))
    }
  }
}
