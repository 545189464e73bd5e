import Foundation
import GRDB
import Telemetry

/// Merges fresh chunks of a series into large ones, which compress better and are fewer to find.
///
/// Computes from a snapshot and hands over a `WriteSet`; the ingest thread applies it only if all chunks it
/// replaces are still there. Each sample is rewritten about once: chunks of their final size are left alone
/// unless a late one lies across them. Equal times are resolved here for good: the chunk with the higher
/// sequence wins.
///
/// The final size is chosen for SQLite's pages: of a row larger than a page only what does not fill whole
/// overflow pages stays in the leaf, at least 489 of 4,096 bytes. A blob of just under 2 · 4,092 bytes and
/// the smallest leaf part leaves next to nothing unused.
public struct Compactor {
  /// Bytes of a blob of final size.
  static let finalBytes = 8_360...8_550
  static let finalBytesWanted = 8_455
  /// Samples of one chunk, however few bytes they take.
  static let samplesMax = 65_536
  /// So many fresh chunks are merged even when they do not make a large one yet.
  static let freshRunMax = 16
  /// So many are looked at in one step, so that a write set stays small.
  static let runMax = 256

  let database: any DatabaseReader
  let encoder = ChunkEncoder()
  let decoder = ChunkDecoder()

  public init(database: any DatabaseReader) { self.database = database }

  struct Header {
    var id: Int64
    var t0: Int64
    var t1: Int64
    var sequences: ClosedRange<UInt64>
    var count: Int
    var bytes: Int

    init(_ row: Row) {
      id = row[0]
      t0 = row[1]
      t1 = row[2]
      let low = UInt64(bitPattern: row[3])
      sequences = low...max(low, UInt64(bitPattern: row[4]))
      count = row[5]
      bytes = row[6]
    }
  }

  /// Series with at least two fresh chunks, in order of id.
  public func candidates() throws -> [UInt32] {
    try database.read { db in
      let sql = """
        SELECT series FROM chunk INDEXED BY chunk_fresh WHERE level = 0
        GROUP BY series HAVING count(*) >= 2
        """
      return try Int64.fetchAll(db, sql: sql).map { UInt32(truncatingIfNeeded: $0) }
    }
  }

  /// The next merge for one series; `nil` when there is nothing worth doing.
  ///
  /// A chunk that cannot be read is left where it is: the set then only says so, and the next one goes on.
  public func nextMerge(
    of series: UInt32, type: ValueType, kind: MetricKind, everything: Bool = false
  ) throws -> WriteSet? {
    try database.read { db in
      guard let run = try nextRun(of: series, everything: everything, db) else { return nil }
      var merged = ChunkColumns()
      for header in run.sorted(by: {
        ($0.sequences.upperBound, $0.id) < ($1.sequences.upperBound, $1.id)
      }) {
        guard let columns = try columns(of: header.id, db) else {
          var set = WriteSet()
          set.unreadable = [header.id]
          return set
        }
        merged = ColumnMerge.merge(older: merged, newer: columns)
      }
      let sequences =
        run.map(\.sequences.lowerBound).min()!...run.map(\.sequences.upperBound).max()!
      var set = WriteSet()
      set.replaces = run.map(\.id)
      set.chunks = cut(
        merged, bytes: run.reduce(0) { $0 + $1.bytes }, of: series, type: type, kind: kind,
        sequences: sequences)
      return set
    }
  }

  /// Cuts samples into chunks of final size; the rest, if any, is fresh again.
  /// - Parameter bytes: what the samples take at present, for a first guess.
  private func cut(
    _ columns: ChunkColumns, bytes: Int, of series: UInt32, type: ValueType, kind: MetricKind,
    sequences: ClosedRange<UInt64>
  ) -> [ChunkRow] {
    var rows: [ChunkRow] = []
    var start = 0
    var guess = max(1, min(Self.samplesMax, columns.count * Self.finalBytesWanted / max(1, bytes)))
    while start < columns.count {
      func row(_ count: Int) -> ChunkRow {
        var part = ChunkColumns()
        part.append(start..<start + count, of: columns)
        return ChunkRow(
          series: series, columns: part, type: type, kind: kind, sequences: sequences,
          encoder: encoder)
      }
      let available = min(columns.count - start, Self.samplesMax)
      var count = min(guess, available)
      var best = row(count)
      for _ in 0..<4 where !Self.finalBytes.contains(best.blob.count) {
        if best.blob.count < Self.finalBytes.lowerBound, count == available { break }
        count = max(1, min(available, count * Self.finalBytesWanted / max(1, best.blob.count)))
        best = row(count)
      }
      // One that others follow is final however long it came out, or it would be cut for ever.
      let isFinal =
        best.blob.count >= Self.finalBytes.lowerBound || count == Self.samplesMax
        || start + count < columns.count
      best.level = isFinal ? 1 : 0
      rows.append(best)
      start += count
      guess = count
    }
    return rows
  }

  /// Chunks to merge: fresh neighbours in time, with everything that lies across them.
  private func nextRun(of series: UInt32, everything: Bool, _ db: Database) throws -> [Header]? {
    let fresh = try Row.fetchAll(
      db,
      sql: """
        SELECT id, t0, t1, min_seq, max_seq, count, length(blob) FROM chunk INDEXED BY chunk_fresh
        WHERE series = ? AND level = 0 ORDER BY t0 LIMIT \(Self.runMax)
        """, arguments: [Int64(series)]
    ).map(Header.init)
    guard fresh.count >= 2 else { return nil }
    var run: [Header] = []
    var bytes = 0
    var samples = 0
    for header in fresh {
      if run.count >= 2, bytes > 4 * Self.finalBytes.upperBound || samples > 2 * Self.samplesMax {
        break
      }
      run.append(header)
      bytes += header.bytes
      samples += header.count
    }
    let overlaps = zip(run, run.dropFirst()).contains { $0.t1 >= $1.t0 }
    let isWorthIt =
      everything || overlaps || bytes >= Self.finalBytes.upperBound || samples >= Self.samplesMax
      || run.count >= Self.freshRunMax
    guard isWorthIt else { return nil }
    let t0 = run.map(\.t0).min()!
    let t1 = run.map(\.t1).max()!
    return try Row.fetchAll(
      db,
      sql: """
        SELECT id, t0, t1, min_seq, max_seq, count, length(blob) FROM chunk
        WHERE series = ? AND t1 >= ? AND t0 <= ? ORDER BY t0 LIMIT \(2 * Self.runMax)
        """, arguments: [Int64(series), t0, t1]
    ).map(Header.init)
  }

  private func columns(of id: Int64, _ db: Database) throws -> ChunkColumns? {
    guard
      let data = try Data.fetchOne(db, sql: "SELECT blob FROM chunk WHERE id = ?", arguments: [id])
    else { return nil }
    var columns = ChunkColumns()
    do {
      try data.withUnsafeBytes { try decoder.decode($0, into: &columns) }
      return columns
    } catch {
      return nil
    }
  }
}
