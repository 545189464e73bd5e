import GRDB
import GRDBSQLite
import Glibc

/// Opens the SQLite file of the store: one write connection, a few readers on WAL snapshots.
enum StoreDatabase {
  static let fileName = "store.sqlite"

  /// Opens or makes the file and brings its schema up to date.
  ///
  /// - Throws: `DatabaseError`: `SQLITE_NOTADB` or `SQLITE_CORRUPT` when the file is damaged beyond use.
  static func open(directory: String) throws -> DatabasePool {
    try DatabaseReplacement.finish(in: directory)
    let pool = try DatabasePool(path: path(in: directory), configuration: configuration)
    try Schema.migrator.migrate(pool)
    return pool
  }

  static func path(in directory: String) -> String { directory + "/" + fileName }

  /// Opens the file for reading without touching it; for the command line and for damaged files.
  static func openReadOnly(path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    return try DatabaseQueue(path: readOnlyURI(path), configuration: configuration)
  }

  /// The name under which SQLite opens the file for reading and leaves no file beside it.
  ///
  /// Without a WAL nobody writes (a store that is in use has one), and SQLite is told so; else it would
  /// make an empty one.
  static func readOnlyURI(_ path: String) -> String {
    var uri = "file:"
    for byte in path.utf8 {
      let character = Character(UnicodeScalar(byte))
      if byte < 0x80, character.isLetter || character.isNumber || "/._-".contains(character) {
        uri.append(character)
      } else {
        let digits = String(byte, radix: 16)
        uri += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
      }
    }
    return access(path + "-wal", F_OK) == 0 ? uri : uri + "?immutable=1"
  }

  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.maximumReaderCount = 3
    configuration.busyMode = .timeout(10)
    configuration.label = "store"
    // Damage may take a device whose series are still there: they must be written all the same.
    configuration.foreignKeysEnabled = false
    configuration.prepareDatabase { db in
      if !db.configuration.readonly {
        // Only has an effect before the first table exists.
        try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        // Checkpoints are a job of their own, so that no commit waits for one.
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        try db.execute(sql: "PRAGMA cache_size = -2048")
      } else {
        try db.execute(sql: "PRAGMA cache_size = -1024")
      }
      try db.execute(sql: "PRAGMA temp_store = MEMORY")
    }
    return configuration
  }

  /// Moves a file that SQLite calls corrupt aside, with its WAL, and says where.
  static func setAside(directory: String, stamp: String) throws(SystemError) -> String {
    let source = path(in: directory)
    let target = source + ".damaged-" + stamp
    try Directory.rename(source, to: target)
    for suffix in ["-wal", "-shm"] where access(source + suffix, F_OK) == 0 {
      try Directory.rename(source + suffix, to: target + suffix)
    }
    try Directory.synchronize(directory)
    return target
  }
}
