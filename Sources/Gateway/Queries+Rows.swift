import Foundation
import GRDB
import Storage
import Telemetry

/// One row of the loss ledger as a reader sees it.
public struct LossRow: Sendable, Hashable {
  public var id: Int64
  public var time: Timestamp
  public var loss: LossEntry
}

/// What of the quarantine is wanted; newest first.
public struct QuarantineFilter: Sendable {
  public var cause: Quarantined.Cause?
  public var device: String?
  /// Rows with a smaller id.
  public var before: Int64?
  public var limit: Int

  public init(
    cause: Quarantined.Cause? = nil, device: String? = nil, before: Int64? = nil, limit: Int
  ) {
    self.cause = cause
    self.device = device
    self.before = before
    self.limit = limit
  }
}

extension Queries {
  /// Rows of the quarantine, newest first; those of the last seconds only after a flush.
  public func fetchQuarantine(_ filter: QuarantineFilter) async throws -> [HeldPayload] {
    try await fetch { reader in
      try reader.database.read { db in
        try Row.fetchAll(
          db,
          sql: """
            SELECT * FROM quarantine WHERE id < ?1 AND (?2 IS NULL OR cause = ?2)
            AND (?3 IS NULL OR device = ?3) ORDER BY id DESC LIMIT ?4
            """,
          arguments: [
            filter.before ?? .max, filter.cause.map { Int64($0.rawValue) }, filter.device,
            filter.limit,
          ]
        ).map(HeldPayload.init(quarantineRow:))
      }
    }
  }

  /// One row of the quarantine; `nil` when there is none with this id.
  public func fetchQuarantine(id: Int64) async throws -> HeldPayload? {
    try await fetch { reader in
      try reader.database.read { db in
        try Row.fetchOne(db, sql: "SELECT * FROM quarantine WHERE id = ?", arguments: [id])
          .map(HeldPayload.init(quarantineRow:))
      }
    }
  }

  /// Rows of the loss ledger, newest first.
  public func fetchLosses(
    cause: LossEntry.Cause?, before: Int64?, limit: Int
  ) async throws -> [LossRow] {
    try await fetch { reader in
      try reader.database.read { db in
        try Row.fetchAll(
          db,
          sql: """
            SELECT id, time, cause, series, t0, t1, count, bytes, detail FROM loss
            WHERE id < ?1 AND (?2 IS NULL OR cause = ?2) ORDER BY id DESC LIMIT ?3
            """, arguments: [before ?? .max, cause?.rawValue, limit]
        ).map(LossRow.init(row:))
      }
    }
  }
}

/// Sums over the loss ledger and sizes of tables, for /metrics.
public struct RowFigures: Sendable {
  public var lossCounts: [LossEntry.Cause: Int] = [:]
  public var lossBytes: [LossEntry.Cause: Int] = [:]
  public var quarantineRows = 0
  public var chunkRows = 0
  public var eventRows = 0
}

extension RowFigures {
  /// Blocks; counts over indexes, about a millisecond per 100,000 rows.
  public init(_ reader: StoreReader) throws {
    self = try reader.database.read { db in
      var figures = RowFigures()
      for row in try Row.fetchAll(
        db, sql: "SELECT cause, sum(count), sum(bytes) FROM loss GROUP BY cause")
      {
        guard let cause = LossEntry.Cause(rawValue: row[0]) else { continue }
        figures.lossCounts[cause] = row[1]
        figures.lossBytes[cause] = row[2]
      }
      figures.quarantineRows = try Int.fetchOne(db, sql: "SELECT count(*) FROM quarantine") ?? 0
      figures.chunkRows = try Int.fetchOne(db, sql: "SELECT count(*) FROM chunk") ?? 0
      figures.eventRows = try Int.fetchOne(db, sql: "SELECT count(*) FROM event") ?? 0
      return figures
    }
  }
}

extension LossRow {
  fileprivate init(row: Row) {
    id = row[0]
    time = Timestamp(microseconds: row[1])
    var span: ClosedRange<Timestamp>?
    if let t0 = row[4] as Int64?, let t1 = row[5] as Int64?, t0 <= t1 {
      span = Timestamp(microseconds: t0)...Timestamp(microseconds: t1)
    }
    loss = LossEntry(
      cause: LossEntry.Cause(rawValue: row[2]) ?? .damage,
      series: (row[3] as Int64?).map { UInt32(truncatingIfNeeded: $0) }, span: span, count: row[6],
      bytes: row[7], detail: row[8])
  }
}

extension HeldPayload {
  fileprivate init(quarantineRow row: Row) {
    self.init(
      id: row[0],
      payload: Quarantined(
        cause: Quarantined.Cause(rawValue: UInt8(truncatingIfNeeded: row[1] as Int64))
          ?? .malformed,
        topic: row[2], contentType: row[3], device: row[4], reason: row[5],
        received: Timestamp(microseconds: row[6]), payload: [UInt8](row[7] as Data),
        payloadSize: row[8]))
  }
}
