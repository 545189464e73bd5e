import Foundation
import GRDB
import Telemetry

/// One row of the loss ledger: something that was given up, and why. Nothing goes without one.
public struct LossEntry: Hashable, Sendable {
  public enum Cause: String, Sendable, CaseIterable {
    /// Older than the retention of its profile.
    case retention
    /// The byte budget asked for it.
    case budget
    /// The quarantine was full.
    case quarantineFull = "quarantine_full"
    /// A file was damaged.
    case damage
    /// An operator threw it away.
    case discarded
    /// Something that was to leave the box was refused for good or waited too long.
    case undelivered
  }

  public var cause: Cause
  public var series: UInt32?
  public var span: ClosedRange<Timestamp>?
  /// Samples, rows or records that went.
  public var count: Int
  public var bytes: Int
  public var detail: String

  public init(
    cause: Cause, series: UInt32? = nil, span: ClosedRange<Timestamp>? = nil, count: Int = 0,
    bytes: Int = 0, detail: String
  ) {
    self.cause = cause
    self.series = series
    self.span = span
    self.count = count
    self.bytes = bytes
    self.detail = detail
  }

  func insert(_ db: Database, time: Timestamp) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO loss (time, cause, series, t0, t1, count, bytes, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      time.microseconds, cause.rawValue, series.map { Int64($0) },
      span?.lowerBound.microseconds, span?.upperBound.microseconds, count, bytes, detail,
    ])
  }
}
