import GRDB
import Telemetry

/// Where a row of the event log comes from.
enum EventOrigin: Int64 {
  /// Somebody sent it.
  case told = 0
  /// A stage concluded it.
  case derived = 1
  /// As `derived`, and something leaves the box because of it.
  case derivedWithEffects = 2
}

struct StandingName: Hashable {
  var kind: String
  var key: String
}

struct PendingStanding {
  var standing: Standing
  /// The record that said so.
  var sequence: UInt64
}

/// What the stages behind the commit conclude, on its way to SQLite.
extension Store {
  /// Keeps the rows of a record for the next flush; those that SQLite has already are passed over.
  ///
  /// - Parameter items: items of the record itself, whose places in it come first.
  public func put(_ output: StageOutput, of header: RecordHeader, items: Int) {
    guard header.sequence > rowPosition else { return }
    for (place, derived) in output.events.enumerated() {
      pending.items.append(
        PendingItem(
          id: Int64(bitPattern: header.sequence << 20) + Int64(items + place),
          item: .event(derived.event), wall: header.wall,
          origin: derived.hasEffects ? .derivedWithEffects : .derived))
      if derived.hasEffects { hasUrgentRows = true }
    }
    for standing in output.standings {
      pending.standings[StandingName(kind: standing.kind, key: standing.key)] = PendingStanding(
        standing: standing, sequence: header.sequence)
    }
  }

  /// Rows that SQLite does not have yet, other than samples: those are read from memory too.
  public var hasPendingRows: Bool {
    !pending.items.isEmpty || !pending.standings.isEmpty || !pending.memory.isEmpty
      || !pending.losses.isEmpty || hasWrites
  }

  /// Row through which SQLite stands: derived rows at or below it are there.
  public var rowsThrough: UInt64 { rowPosition }

  /// The same, of a snapshot that a reader holds.
  public static func position(_ db: Database) throws -> UInt64 { try StoredPosition.load(db).rows }

  /// The database is a new one in the place of a damaged one and has not caught up yet.
  public var isReplacement: Bool { rowPosition == 0 && sequenceFloor > 0 }

  func write(_ event: Event, id: Int64, origin: EventOrigin, _ db: Database) throws {
    try db.cachedStatement(
      sql: "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      id, event.id, event.name, event.time.microseconds, event.timeIsReceived, event.user,
      event.device, event.session, event.properties, event.context, origin.rawValue,
    ])
  }

  /// Bytes of a command's body that the audit trail shows; the journal and the stages have all of it.
  private static let auditedBytesMax = 64 << 10

  /// A command stands in the event log as who did what: the audit trail.
  func write(_ command: OperatorCommand, row: PendingItem, _ db: Database) throws {
    let size = command.body.utf8.count
    let body =
      size <= Self.auditedBytesMax ? command.body : JSONText.object([("bytes", String(size))])
    let properties = JSONText.object([
      ("command", JSONText.quoted(command.name)), ("target", JSONText.quoted(command.target)),
      ("remark", JSONText.quoted(command.remark)), ("body", body),
    ])
    let sequence = UInt64(bitPattern: row.id) >> 20
    let event = Event(
      id: "\(Event.derivedIDPrefix)\(sequence).c\(row.id & 0xFFFFF)", name: "OperatorCommand",
      time: row.wall, timeIsReceived: true, user: command.principal, properties: properties)
    try write(event, id: row.id, origin: .derived, db)
  }

  func writeStandings(_ db: Database) throws {
    // In any order: each row is another.
    for (name, row) in pending.standings {
      if row.standing.body.isEmpty {
        try db.cachedStatement(sql: "DELETE FROM standing WHERE kind = ? AND key = ?")
          .execute(arguments: [name.kind, name.key])
      } else {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?)")
          .execute(arguments: [
            name.kind, name.key, Int64(bitPattern: row.sequence),
            row.standing.time.microseconds, row.standing.body,
          ])
      }
    }
  }
}
