import Foundation
import GRDB
import Telemetry

/// What decoders remember, in memory as in SQLite.
extension Store {
  static func loadMemory(_ db: Database) throws -> [String: [UInt8]] {
    var memory: [String: [UInt8]] = [:]
    let rows = try Row.fetchCursor(db, sql: "SELECT name, content FROM memory")
    while let row = try rows.next() { memory[row[0]] = [UInt8](row[1] as Data) }
    return memory
  }

  /// Brings the rows of these names up to date.
  func writeMemory(_ names: [String], to db: Database) throws {
    for name in names {
      if let content = memory[name] {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO memory VALUES (?, ?)")
          .execute(arguments: [name, Data(content)])
      } else {
        try db.cachedStatement(sql: "DELETE FROM memory WHERE name = ?").execute(arguments: [name])
      }
    }
  }
}

/// Series whose source is gone.
extension Store {
  /// What of a record went stale, each with the position in its samples before which it counts.
  func staleItems(of batch: Batch) -> [(before: Int, stale: Staleness)] {
    guard batch.items.contains(where: { if case .wentStale = $0 { true } else { false } }) else {
      return []
    }
    var found: [(Int, Staleness)] = []
    for position in batch.deliveries.indices {
      for item in batch.items[batch.itemRange(position)] {
        if case .wentStale(let stale) = item {
          found.append((batch.sampleRange(position).lowerBound, stale))
        }
      }
    }
    return found
  }

  /// Repeats the last value of each series that went stale, with the quality that says so.
  ///
  /// A series without a value, and one that is stale already, gets none. The value is the one in force at
  /// this record, so that a replay repeats the same.
  func apply(_ stale: Staleness, sequence: UInt64) {
    let series = stale.series.isEmpty ? catalog.series(ofDevice: stale.device) : stale.series
    for index in series where index < shelf.series.count {
      guard shelf.series[Int(index)].kind != .event, let last = shelf.current(index),
        last.quality.intersection([.stale, .bad]) != stale.quality.intersection([.stale, .bad])
      else { continue }
      let verdict = shelf.apply(
        Sample(
          series: index, time: stale.time, bits: last.bits, quality: stale.quality,
          // Never before the value that it ends.
          isReceiveStamped: true),
        sequence: sequence)
      statistics.count(verdict)
    }
  }
}
