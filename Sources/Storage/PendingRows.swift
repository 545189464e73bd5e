import Foundation
import GRDB
import Telemetry

/// An item that waits for the next flush, with the id its row will have.
struct PendingItem {
  var id: Int64
  var item: Item
  var wall: Timestamp
  /// Of an event.
  var origin = EventOrigin.told
}

/// Rows that are in the journal but not yet in SQLite.
struct PendingRows {
  var items: [PendingItem] = []
  var losses: [LossEntry] = []
  /// Ids of the events among `items`.
  var eventIDs: Set<String> = []
  /// The answers among `items`, by key.
  var answers: [String: Answered] = [:]
  /// What stages concluded, by kind and key: the last one counts.
  var standings: [StandingName: PendingStanding] = [:]
  /// Names in `Store.memory` that changed.
  var memory: Set<String> = []

  mutating func removeAll() {
    items.removeAll(keepingCapacity: true)
    losses.removeAll()
    eventIDs.removeAll(keepingCapacity: true)
    answers.removeAll()
    standings.removeAll(keepingCapacity: true)
    memory.removeAll(keepingCapacity: true)
  }
}

extension Store {
  func writePending(_ db: Database) throws {
    let devices = try writeDevices(db)
    for row in pending.items { try write(row, db) }
    try followNames(of: devices, db)
    try writeMemory(pending.memory.sorted(), to: db)
    try writeStandings(db)
    let now = pending.items.last?.wall ?? lastWall
    for loss in pending.losses { try loss.insert(db, time: now) }
    try boundQuarantine(db, now: now)
    if !pending.answers.isEmpty { try AnswerTable.bound(db, now: now) }
  }

  func write(_ row: PendingItem, _ db: Database) throws {
    switch row.item {
    case .device: break  // By `writeDevices`.
    case .series(let series):
      try db.cachedStatement(
        sql: """
          INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
          kind = excluded.kind, unit = excluded.unit, description = excluded.description
          """
      ).execute(arguments: [
        Int64(series.index), Int64(series.device), series.metric, Int64(series.type.rawValue),
        Int64(series.kind.rawValue), series.unit, series.description,
      ])
    case .word(let id, let text):
      try db.cachedStatement(sql: "INSERT OR REPLACE INTO word VALUES (?, ?)")
        .execute(arguments: [Int64(id), text])
    case .event(let event): try write(event, id: row.id, origin: row.origin, db)
    case .quarantined(let refused):
      try db.cachedStatement(
        sql: "INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
      ).execute(arguments: [
        row.id, Int64(refused.cause.rawValue), refused.topic, refused.contentType, refused.device,
        refused.reason, refused.received.microseconds, Data(refused.payload), refused.payloadSize,
      ])
    case .released(let rows, let adopted):
      try release(rows, adopted: adopted, wall: row.wall, db)
    case .configuration(let files):
      let object = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.content) })
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let text = String(decoding: try encoder.encode(object), as: UTF8.self)
      try db.execute(
        sql: "INSERT OR IGNORE INTO configuration VALUES (?, ?, ?)",
        arguments: [row.id, row.wall.microseconds, text])
    case .answered(let answered): try AnswerTable.put(answered, time: row.wall, db)
    case .connected, .clockStepped, .remembered, .wentStale, .delivered, .started:
      break
    case .command(let command): try write(command, row: row, db)
    }
  }

  private func release(_ rows: [Int64], adopted: Bool, wall: Timestamp, _ db: Database) throws {
    if !adopted {
      let entry = LossEntry(
        cause: .discarded, count: rows.count, detail: "thrown out of the quarantine by an operator")
      try entry.insert(db, time: wall)
    }
    let statement = try db.cachedStatement(sql: "DELETE FROM quarantine WHERE id = ?")
    for row in rows { try statement.execute(arguments: [row]) }
  }

  /// Oldest first, until the quarantine is within its bounds; what goes is booked.
  private func boundQuarantine(_ db: Database, now: Timestamp) throws {
    guard pending.items.contains(where: { if case .quarantined = $0.item { true } else { false } })
    else { return }
    let held = try Row.fetchOne(
      db, sql: "SELECT count(*), coalesce(sum(length(payload)), 0) FROM quarantine")!
    var rows: Int = held[0]
    var bytes: Int = held[1]
    var gone = 0
    var goneBytes = 0
    while rows > settings.quarantineRowsMax || bytes > settings.quarantineBytesMax {
      guard
        let oldest = try Row.fetchOne(
          db, sql: "SELECT id, length(payload) FROM quarantine ORDER BY id LIMIT 1")
      else { break }
      try db.execute(sql: "DELETE FROM quarantine WHERE id = ?", arguments: [oldest[0] as Int64])
      rows -= 1
      bytes -= oldest[1] as Int
      gone += 1
      goneBytes += oldest[1] as Int
    }
    guard gone > 0 else { return }
    let entry = LossEntry(
      cause: .quarantineFull, count: gone, bytes: goneBytes,
      detail: "the oldest held payloads made room for newer ones")
    try entry.insert(db, time: now)
  }
}
