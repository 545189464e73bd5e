import GRDB

/// Rows that a job computed from a snapshot, to be written with the next flush on the ingest thread.
///
/// Refused as a whole when a chunk it replaces is no longer there: the job then tries again from a newer
/// snapshot. Kept below about 256 kB so that it cannot delay an acknowledgement noticeably.
public struct WriteSet: Sendable {
  /// Chunk rows to delete; all must exist.
  var replaces: [Int64] = []
  var chunks: [ChunkRow] = []
  /// Chunks that cannot be read: they stay where they are, but compaction passes them by.
  var unreadable: [Int64] = []
  /// Rows that come back from a damaged database.
  var rows = RescuedRows()
  /// How far a rescue has come with these rows.
  var progress: (name: String, position: Int64)?
  /// The damaged database whose rescue ends with this set.
  var rescued: String?
  /// How far whoever reads rows has come, by name; `nil`: the name is forgotten.
  public var cursors: [(name: String, position: Int64?)] = []
  /// Booked before anything is deleted.
  public var losses: [LossEntry] = []
  /// When the losses are booked, microseconds since 1970.
  public var time: Int64 = 0
  /// Which database it was computed from, see `CurrentDatabase.generation`; ids of chunks mean nothing in
  /// another. `nil`: the only one.
  public var generation: Int?

  public init() {}

  /// It can be computed again, from where the last one that was written came to.
  var isRescue: Bool { progress != nil || rescued != nil }

  /// - Returns: false when something it replaces has changed; nothing was written then.
  func apply(_ db: Database) throws -> Bool {
    let exists = try db.cachedStatement(sql: "SELECT 1 FROM chunk WHERE id = ?")
    for id in replaces where try Int.fetchOne(exists, arguments: [id]) == nil { return false }
    for loss in losses { try loss.insert(db, time: .init(microseconds: time)) }
    let delete = try db.cachedStatement(sql: "DELETE FROM chunk WHERE id = ?")
    for id in replaces { try delete.execute(arguments: [id]) }
    for chunk in chunks { try chunk.insert(db) }
    let pass = try db.cachedStatement(sql: "UPDATE chunk SET level = 1 WHERE id = ?")
    for id in unreadable { try pass.execute(arguments: [id]) }
    try rows.insert(db)
    for cursor in cursors { try CursorTable.put(cursor.name, cursor.position, db) }
    if let progress { try Rescue.mark(progress.name, progress.position, db) }
    if let rescued { try Rescue.finish(file: rescued, db) }
    return true
  }
}
