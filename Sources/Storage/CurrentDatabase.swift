import GRDB
import GRDBSQLite
import Synchronization

/// The database that readers use: the owner of the store replaces it when the file proves damaged.
public final class CurrentDatabase: Sendable {
  private let held: Mutex<(reader: any DatabaseReader, generation: Int)>
  private let pages = Mutex(0)

  public init(_ reader: any DatabaseReader) { held = Mutex((reader, 0)) }

  public var reader: any DatabaseReader { held.withLock { $0.reader } }
  /// One more each time the database is replaced.
  public var generation: Int { held.withLock { $0.generation } }

  /// Pages in the WAL as of the last commit since a checkpoint; the file itself never shrinks while in use.
  var walPages: Int {
    get { pages.withLock { $0 } }
    set { pages.withLock { $0 = newValue } }
  }

  func replace(with reader: any DatabaseReader) {
    held.withLock { $0 = (reader, $0.generation + 1) }
  }

  /// Counts the WAL's pages from now on; this object must live as long as the connection.
  func watchWAL(of pool: DatabasePool) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    pool.writeWithoutTransaction { db in
      _ = sqlite3_wal_hook(
        db.sqliteConnection,
        { context, _, _, pages in
          Unmanaged<CurrentDatabase>.fromOpaque(context!).takeUnretainedValue().walPages = Int(
            pages)
          return SQLITE_OK
        }, context)
    }
  }
}
