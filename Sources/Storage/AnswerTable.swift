import Foundation
import GRDB
import Telemetry

/// The first answers to keys of repeatable submissions: seven days, and so many.
public enum AnswerTable {
  public static let lifeMicroseconds: Int64 = 7 * 86_400 * 1_000_000
  public static let rowsMax = 10_000

  static func put(_ answered: Answered, time: Timestamp, _ db: Database) throws {
    var bytes = ByteWriter()
    ItemCoder.encode(.answered(answered), into: &bytes)
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO answer (key, time, body) VALUES (?, ?, ?)")
      .execute(arguments: [answered.key, time.microseconds, Data(bytes.bytes)])
  }

  static func find(_ key: String, now: Timestamp, _ db: Database) throws -> Answered? {
    let statement = try db.cachedStatement(
      sql: "SELECT body FROM answer WHERE key = ? AND time > ?")
    guard
      let body = try Data.fetchOne(
        statement, arguments: [key, now.microseconds - lifeMicroseconds])
    else { return nil }
    let item = try body.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try ItemCoder.decode(&reader)
    }
    if case .answered(let answered) = item { return answered } else { return nil }
  }

  /// Old answers go, and the oldest beyond the bound: they are memory, not data.
  static func bound(_ db: Database, now: Timestamp) throws {
    try db.execute(
      sql: "DELETE FROM answer WHERE time <= ?", arguments: [now.microseconds - lifeMicroseconds])
    let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM answer") ?? 0
    guard count > rowsMax else { return }
    try db.execute(
      sql: "DELETE FROM answer WHERE key IN (SELECT key FROM answer ORDER BY time LIMIT ?)",
      arguments: [count - rowsMax])
  }
}

extension Store {
  /// What was answered to a submission with this key; `nil` when none came in the last seven days.
  public func answer(to key: String, now: Timestamp) throws -> Answered? {
    if let waiting = pending.answers[key] { return waiting }
    return try database.read { db in try AnswerTable.find(key, now: now, db) }
  }
}
