import GRDB
import Glibc
import Telemetry

/// Puts a new database in the place of a damaged one, so that a crash at any moment leaves one of them whole.
///
/// The new file is built and synced under another name; then the damaged one is renamed, then the new one.
enum DatabaseReplacement {
  static let floorKey = "sequence_floor"

  /// - Parameter fill: gets the new database, with its schema, and the damaged one when it can be opened.
  /// - Returns: where the damaged file lies now.
  static func run(
    directory: String,
    fill: (_ target: DatabaseQueue, _ source: DatabaseQueue?, _ file: String) throws -> Void
  ) throws -> String {
    let path = StoreDatabase.path(in: directory)
    let stamp = SetAsideName.next(in: directory)
    let file = path + ".damaged-" + stamp
    let fresh = freshPath(directory)
    try removeFresh(directory)
    let target = try DatabaseQueue(path: fresh, configuration: StoreDatabase.configuration)
    try Schema.migrator.migrate(target)
    try fill(target, openSource(path), file)
    try target.close()
    try SystemFile(path: fresh, flags: O_RDWR).synchronizeData()
    let setAside = try StoreDatabase.setAside(directory: directory, stamp: stamp)
    try Directory.rename(fresh, to: path)
    try Directory.synchronize(directory)
    return setAside
  }

  /// Ends what a crash interrupted: the damaged file was moved only when the new one was whole.
  static func finish(in directory: String) throws(SystemError) {
    let fresh = freshPath(directory)
    guard access(fresh, F_OK) == 0 else { return }
    if access(StoreDatabase.path(in: directory), F_OK) == 0 {
      try removeFresh(directory)
    } else {
      try Directory.rename(fresh, to: StoreDatabase.path(in: directory))
      try Directory.synchronize(directory)
    }
  }

  private static func freshPath(_ directory: String) -> String {
    StoreDatabase.path(in: directory) + ".new"
  }

  private static func removeFresh(_ directory: String) throws(SystemError) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
      try Directory.remove(freshPath(directory) + suffix)
    }
  }

  /// `nil` when not even the head of the file can be read.
  private static func openSource(_ path: String) throws -> DatabaseQueue? {
    do {
      return try StoreDatabase.openReadOnly(path: path)
    } catch let error as DatabaseError where error.isUnreadable {
      return nil
    }
  }

  /// Makes the new database ask for all of the journal that is left, and numbers go on above all used ones.
  ///
  /// What of the damaged file cannot be read may still stand in the journal: replaying a record that is in
  /// the file as well changes nothing, since rows have ids and equal times are folded.
  static func replayEverything(_ target: DatabaseQueue, floor: UInt64) throws {
    try target.write { db in
      try db.execute(sql: "UPDATE current SET sealed_seq = 0")
      try StoredPosition(rows: 0, replayFrom: 0).save(db)
      try db.execute(
        sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)",
        arguments: [floorKey, Int64(bitPattern: floor)])
    }
  }

  /// The highest record number that the damaged file still shows anywhere.
  static func highestSequence(_ source: DatabaseQueue) -> UInt64 {
    let queries = [
      "SELECT value FROM meta WHERE key = '\(Schema.journalPositionKey)'",
      "SELECT value FROM meta WHERE key = '\(floorKey)'",
      "SELECT max(sealed_seq) FROM current", "SELECT max(max_seq) FROM chunk",
      "SELECT max(id) >> 20 FROM event", "SELECT max(id) >> 20 FROM quarantine",
      "SELECT max(id) >> 20 FROM configuration",
    ]
    let numbers = queries.compactMap { sql -> UInt64? in
      // A table that cannot be read has no say; the others and the journal do.
      guard let value = try? source.read({ try DatabaseValue.fetchOne($0, sql: sql) }),
        let number = Int64.fromDatabaseValue(value)
      else { return nil }
      // Beyond this it is damage: ids of rows are the number times 2²⁰.
      return (0..<1 << 42).contains(number) ? UInt64(number) : nil
    }
    return numbers.max() ?? 0
  }
}
