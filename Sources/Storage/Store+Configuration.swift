import Foundation
import GRDB
import Telemetry

extension Store {
  /// The configuration recorded last, as far as SQLite knows; the journal may hold a newer one.
  public func lastConfiguration() throws -> [ConfigurationFile] {
    try database.read { db in
      guard
        let text = try String.fetchOne(
          db, sql: "SELECT files FROM configuration ORDER BY id DESC LIMIT 1"),
        let files = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))
      else { return [] }  // None yet, or unreadable: today's files are then recorded anew.
      return files.keys.sorted().map { ConfigurationFile(name: $0, content: files[$0] ?? "") }
    }
  }
}
