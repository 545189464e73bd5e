import Foundation
import GRDB
import Telemetry

/// A held payload with the id of its row.
public struct HeldPayload: Sendable, Hashable {
  public var id: Int64
  public var payload: Quarantined

  public init(id: Int64, payload: Quarantined) {
    self.id = id
    self.payload = payload
  }
}

extension HeldPayload {
  init(_ row: Row) {
    id = row[0]
    payload = Quarantined(
      cause: Quarantined.Cause(rawValue: UInt8(truncatingIfNeeded: row[1] as Int64)) ?? .malformed,
      topic: row[2], contentType: row[3], device: row[4], reason: row[5],
      received: Timestamp(microseconds: row[6]), payload: [UInt8](row[7] as Data),
      payloadSize: row[8])
  }
}

extension Store {
  /// Everything the quarantine holds, in the order it was held; as of the last flush.
  public func heldPayloads() throws -> [HeldPayload] {
    try database.read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM quarantine ORDER BY id").map(HeldPayload.init)
    }
  }

  /// The file is damaged, as opposed to busy, full or out of reach.
  public static func isDamage(_ error: any Error) -> Bool {
    (error as? DatabaseError)?.isDamage ?? false
  }
}

extension StoreReader {
  /// What the quarantine holds, oldest first; as of the last flush.
  public func heldPayloads() throws -> [HeldPayload] {
    try database.read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM quarantine ORDER BY id").map(HeldPayload.init)
    }
  }
}
