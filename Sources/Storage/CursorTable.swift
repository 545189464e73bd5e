import GRDB

/// How far jobs and outboxes have come, by name, in the table `cursor`.
enum CursorTable {
  /// - Parameter position: `nil` forgets the name.
  static func put(_ name: String, _ position: Int64?, _ db: Database) throws {
    if let position {
      try db.cachedStatement(sql: "INSERT OR REPLACE INTO cursor VALUES (?, ?)")
        .execute(arguments: [name, position])
    } else {
      try db.cachedStatement(sql: "DELETE FROM cursor WHERE name = ?").execute(arguments: [name])
    }
  }
}

extension StoreReader {
  /// The cursors whose names begin so.
  public func cursors(prefix: String) throws -> [String: Int64] {
    try database.read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT name, position FROM cursor WHERE substr(name, 1, ?) = ?",
        arguments: [prefix.count, prefix])
      return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as String, $0[1] as Int64) })
    }
  }
}
