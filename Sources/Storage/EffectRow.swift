import GRDB
import Telemetry

/// A row of the event log because of which something leaves the box.
public struct EffectRow: Sendable, Equatable {
  /// The record's sequence · 2²⁰ + place: rows leave in this order.
  public var id: Int64
  public var eventID: String
  public var time: Timestamp
  /// A JSON object with a member `effects`.
  public var properties: String

  public init(id: Int64, eventID: String, time: Timestamp, properties: String) {
    self.id = id
    self.eventID = eventID
    self.time = time
    self.properties = properties
  }
}

extension StoreReader {
  /// The next rows with effects behind `id`, in order. Cost: one seek in an index of such rows alone.
  public func effectRows(after id: Int64, limit: Int) throws -> [EffectRow] {
    try database.read { db in
      let statement = try db.cachedStatement(
        sql: """
          SELECT id, event_id, time, properties FROM event INDEXED BY event_effect
          WHERE origin = 2 AND id > ? ORDER BY id LIMIT ?
          """)
      return try Row.fetchAll(statement, arguments: [id, limit]).map { row in
        EffectRow(
          id: row[0], eventID: row[1], time: Timestamp(microseconds: row[2]), properties: row[3])
      }
    }
  }
}
