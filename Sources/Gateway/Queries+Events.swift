import GRDB
import Storage
import Telemetry

/// A row of the event log with its place.
public struct LoggedEvent: Sendable, Hashable {
  /// Row id: sequence of its record · 2²⁰ + place in it.
  public var id: Int64
  public var event: Event
  /// The gateway concluded it; else somebody told it.
  public var isDerived: Bool

  public var sequence: UInt64 { UInt64(bitPattern: id) >> 20 }
}

/// Some rows of the event log, in its order.
public struct EventPage: Sendable {
  public var rows: [LoggedEvent]
  /// SQLite holds the events of all records through this one.
  public var through: UInt64
  /// More rows follow.
  public var isPartial: Bool
}

/// Which events are wanted; all conditions hold together.
public struct EventFilter: Sendable {
  /// Names; empty: all.
  public var names: [String] = []
  public var device: String?
  public var from: Timestamp?
  public var to: Timestamp?
  /// What people did is left out.
  public var isDerivedOnly = false
  /// Rows with a smaller id, newest first; `nil`: from the newest.
  public var before: Int64?
  public var limit = 100

  public init() {}
}

extension Queries {
  /// The events of records after `sequence`, oldest first; a flush before makes them complete.
  public func fetchEvents(after id: Int64, limit: Int) async throws -> EventPage {
    try await fetch { reader in
      try reader.database.read { db in
        let rows = try Row.fetchAll(
          db, sql: "SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?",
          arguments: [id, limit + 1])
        return EventPage(
          rows: rows.prefix(limit).map(LoggedEvent.init(row:)), through: try Store.position(db),
          isPartial: rows.count > limit)
      }
    }
  }

  /// Events by name, device and time, newest first.
  public func fetchEvents(_ filter: EventFilter) async throws -> [LoggedEvent] {
    try await fetch { reader in
      try reader.database.read { db in
        var conditions = ["id < ?"]
        var arguments: [(any DatabaseValueConvertible)?] = [filter.before ?? .max]
        if !filter.names.isEmpty {
          let marks = filter.names.map { _ in "?" }.joined(separator: ", ")
          conditions.append("name IN (\(marks))")
          arguments += filter.names
        }
        if let device = filter.device {
          conditions.append("device = ?")
          arguments.append(device)
        }
        if let from = filter.from {
          conditions.append("time >= ?")
          arguments.append(from.microseconds)
        }
        if let to = filter.to {
          conditions.append("time < ?")
          arguments.append(to.microseconds)
        }
        if filter.isDerivedOnly { conditions.append("origin > 0") }
        arguments.append(filter.limit)
        return try Row.fetchAll(
          db,
          sql: "SELECT * FROM event WHERE \(conditions.joined(separator: " AND ")) "
            + "ORDER BY id DESC LIMIT ?",
          arguments: StatementArguments(arguments)
        ).map(LoggedEvent.init(row:))
      }
    }
  }

  /// What holds of this kind, by key; `key`: that one alone.
  public func fetchStandings(kind: String, key: String? = nil) async throws -> [Standing] {
    try await fetch { reader in
      try reader.database.read { db in
        try Row.fetchAll(
          db,
          sql: """
            SELECT kind, key, time, body FROM standing
            WHERE kind = ?1 AND (?2 IS NULL OR key = ?2) ORDER BY key
            """, arguments: [kind, key]
        ).map {
          Standing(
            kind: $0[0], key: $0[1], time: Timestamp(microseconds: $0[2]), body: $0[3])
        }
      }
    }
  }
}

extension Event {
  /// The properties that anybody who may read events may see: where effects go is for the gateway alone.
  public var publicProperties: String {
    guard properties.contains("\"effects\""),
      let members = (try? JSONReader.read(Array(properties.utf8)))?.members  // No JSON holds no members.
    else { return properties }
    return JSONValue.object(members.filter { $0.0 != "effects" }).encoded
  }
}

extension LoggedEvent {
  init(row: Row) {
    id = row["id"]
    isDerived = (row["origin"] as Int64) > 0
    event = Event(
      id: row["event_id"], name: row["name"], time: Timestamp(microseconds: row["time"]),
      timeIsReceived: row["time_is_received"], user: row["user"], device: row["device"],
      session: row["session"], properties: row["properties"], context: row["context"])
  }
}
