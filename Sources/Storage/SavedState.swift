import Foundation
import GRDB
import Telemetry

/// The state of one stage, as bytes only the stage understands, with the record it stands at.
public struct SavedState: Sendable, Equatable {
  public var name: String
  public var bytes: [UInt8]
  /// Records through this one are part of it; a replay applies later ones only.
  public var position: UInt64

  public init(name: String, bytes: [UInt8], position: UInt64 = 0) {
    self.name = name
    self.bytes = bytes
    self.position = position
  }

  func save(at position: UInt64, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO state VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
        position = excluded.position, checksum = excluded.checksum, blob = excluded.blob
        """
    ).execute(arguments: [
      name, Int64(bitPattern: position), Int64(bitPattern: Hash64.hash(bytes)), Data(bytes),
    ])
  }

  /// - Returns: `nil` when there is none, or its checksum is wrong: the stage then starts empty.
  static func load(_ name: String, _ db: Database) throws -> SavedState? {
    guard
      let row = try Row.fetchOne(
        db, sql: "SELECT position, checksum, blob FROM state WHERE name = ?", arguments: [name])
    else { return nil }
    let bytes = [UInt8](row[2] as Data)
    guard Hash64.hash(bytes) == UInt64(bitPattern: row[1]) else { return nil }
    return SavedState(name: name, bytes: bytes, position: UInt64(bitPattern: row[0]))
  }
}

extension Store {
  public func savedState(_ name: String) throws -> SavedState? {
    try database.read { try SavedState.load(name, $0) }
  }
}
