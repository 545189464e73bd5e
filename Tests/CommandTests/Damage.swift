import Foundation
import GRDB

/// Ways to spoil a store.
enum Damage {
  /// Turns one bit in the samples of the first chunk; SQLite itself does not notice.
  static func turnBitInChunk(of directory: String) throws {
    let queue = try DatabaseQueue(path: directory + "/store.sqlite")
    try queue.write { db in
      var blob = try Data.fetchOne(db, sql: "SELECT blob FROM chunk ORDER BY id LIMIT 1") ?? Data()
      blob[blob.count / 2] ^= 1
      try db.execute(
        sql: "UPDATE chunk SET blob = ? WHERE id = (SELECT min(id) FROM chunk)", arguments: [blob])
    }
    try queue.close()
  }
}
