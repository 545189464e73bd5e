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
