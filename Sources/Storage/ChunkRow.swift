import Foundation
import GRDB
import Telemetry

/// One row of `chunk`: a header that answers aggregates, and the coded samples.
struct ChunkRow: Sendable {
  var id: Int64?
  var series: UInt32
  var t0: Int64
  var t1: Int64
  var sequences: ClosedRange<UInt64>
  var count: Int
  /// 0: as sealed, to be merged; 1: of its final size.
  var level = 0
  var summary: [UInt8]
  var blob: [UInt8]

  init(
    series: UInt32, columns: ChunkColumns, type: ValueType, kind: MetricKind,
    sequences: ClosedRange<UInt64>, encoder: ChunkEncoder
  ) {
    self.series = series
    t0 = columns.times.first ?? 0
    t1 = columns.times.last ?? 0
    self.sequences = sequences
    count = columns.count
    summary = ChunkSummary(columns, isNumber: type == .number).encode(isNumber: type != .text)
    blob = encoder.encode(columns, type: type)
  }

  func insert(_ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO chunk (series, t0, t1, min_seq, max_seq, count, level, summary, blob)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      Int64(series), t0, t1, Int64(bitPattern: sequences.lowerBound),
      Int64(bitPattern: sequences.upperBound), count, level, Data(summary), Data(blob),
    ])
  }
}
