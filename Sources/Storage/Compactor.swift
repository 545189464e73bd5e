import Foundation
import GRDB
import Telemetry

/// Merges small chunks of a series into large ones, which compress better and are fewer to find.
///
/// Computes from a snapshot and hands over a `WriteSet`; the ingest thread applies it only if all chunks it
/// replaces are still there. Each sample is rewritten about once: chunks of `Compactor.largeCount`
/// samples and more are left alone unless a late one lies across them. Equal times are resolved here for
/// good: the chunk with the higher sequence wins.
public struct Compactor {
  /// A chunk of at least this many samples is large. The partial index `chunk_small` knows the number.
  public static let largeCount = 8_192
  /// So many small chunks are merged even when they do not make a large one yet.
  static let smallRunMax = 16

  let database: any DatabaseReader
  let samplesMax: Int
  let encoder = ChunkEncoder()
  let decoder = ChunkDecoder()

  public init(database: any DatabaseReader, samplesMax: Int = 16_384) {
    self.database = database
    self.samplesMax = samplesMax
  }

  struct Header {
    var id: Int64
    var t0: Int64
    var t1: Int64
    var sequences: ClosedRange<UInt64>
    var count: Int

    init(_ row: Row) {
      id = row[0]
      t0 = row[1]
      t1 = row[2]
      let low = UInt64(bitPattern: row[3])
      sequences = low...max(low, UInt64(bitPattern: row[4]))
      count = row[5]
    }
  }

  /// Series that have something to merge, in order of id.
  ///
  /// - Parameter everything: also those with only a few small chunks.
  public func candidates(everything: Bool = false) throws -> [UInt32] {
    try database.read { db in
      let sql = """
        SELECT series, count(*) FROM chunk INDEXED BY chunk_small WHERE count < 8192
        GROUP BY series HAVING count(*) >= ?
        """
      return try Row.fetchAll(db, sql: sql, arguments: [2]).map {
        UInt32(truncatingIfNeeded: $0[0] as Int64)
      }
    }
  }

  /// The next merge for one series; `nil` when there is nothing worth doing.
  ///
  /// A chunk that cannot be read is left where it is and never merged.
  public func nextMerge(
    of series: UInt32, type: ValueType, kind: MetricKind, everything: Bool = false
  ) throws -> WriteSet? {
    try database.read { db in
      guard let run = try nextRun(of: series, everything: everything, db) else { return nil }
      var merged = ChunkColumns()
      for header in run.sorted(by: { ($0.sequences.upperBound, $0.id) < ($1.sequences.upperBound, $1.id) }) {
        guard let columns = try columns(of: header.id, db) else { return nil }
        merged = ColumnMerge.merge(older: merged, newer: columns)
      }
      let sequences =
        run.map(\.sequences.lowerBound).min()!...run.map(\.sequences.upperBound).max()!
      var set = WriteSet()
      set.replaces = run.map(\.id)
      for range in evenParts(of: merged.count) {
        var part = ChunkColumns()
        part.append(range, of: merged)
        set.chunks.append(
          ChunkRow(
            series: series, columns: part, type: type, kind: kind, sequences: sequences,
            encoder: encoder))
      }
      return set
    }
  }

  /// Chunks to merge: neighbours in time that are small, with everything that lies across them.
  private func nextRun(of series: UInt32, everything: Bool, _ db: Database) throws -> [Header]? {
    let small = try Row.fetchAll(
      db,
      sql: """
        SELECT id, t0, t1, min_seq, max_seq, count FROM chunk INDEXED BY chunk_small
        WHERE series = ? AND count < 8192 ORDER BY t0
        """, arguments: [Int64(series)]
    ).map(Header.init)
    guard small.count >= 2 else { return nil }
    var run: [Header] = []
    var samples = 0
    for header in small.prefix(512) {
      if samples + header.count > samplesMax, run.count >= 2 { break }
      run.append(header)
      samples += header.count
    }
    let overlaps = zip(small, small.dropFirst()).contains { $0.t1 >= $1.t0 }
    guard everything || overlaps || samples >= Self.largeCount || run.count >= Self.smallRunMax else {
      return nil
    }
    let t0 = run.map(\.t0).min()!
    let t1 = run.map(\.t1).max()!
    let across = try Row.fetchAll(
      db,
      sql: """
        SELECT id, t0, t1, min_seq, max_seq, count FROM chunk
        WHERE series = ? AND t1 >= ? AND t0 <= ? ORDER BY t0
        """, arguments: [Int64(series), t0, t1]
    ).map(Header.init)
    // A pile of overlapping chunks is taken down in steps, so that one set stays small.
    return Array(across.prefix(520))
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

  /// Ranges of about equal size, none above `samplesMax`.
  private func evenParts(of count: Int) -> [Range<Int>] {
    let parts = max(1, (count + samplesMax - 1) / samplesMax)
    return (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }
  }
}

/// Two sorted runs of samples as one; of equal times the newer stays.
enum ColumnMerge {
  static func merge(older: ChunkColumns, newer: ChunkColumns) -> ChunkColumns {
    guard let lastOld = older.times.last, let firstNew = newer.times.first else {
      return older.isEmpty ? newer : older
    }
    if lastOld < firstNew {
      var joined = older
      joined.append(0..<newer.count, of: newer)
      return joined
    }
    var merged = ChunkColumns()
    merged.reserveCapacity(older.count + newer.count)
    var left = 0
    var right = 0
    while left < older.count || right < newer.count {
      if right == newer.count || (left < older.count && older.times[left] < newer.times[right]) {
        merged.append(
          time: older.times[left], bits: older.bits[left], quality: older.qualities[left])
        left += 1
      } else {
        if left < older.count, older.times[left] == newer.times[right] { left += 1 }
        merged.append(
          time: newer.times[right], bits: newer.bits[right], quality: newer.qualities[right])
        right += 1
      }
    }
    return merged
  }
}
