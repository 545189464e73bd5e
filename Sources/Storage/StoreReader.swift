import Foundation
import GRDB
import Synchronization
import Telemetry

/// Reads samples, devices and rows from any thread: sealed chunks from an SQLite snapshot, the open rest
/// from the ingest thread.
///
/// The open part is fetched first and the snapshot taken second: what is sealed in between is seen twice
/// with the same times and counted once. All verbs block; call them off the cooperative pool.
public final class StoreReader: Sendable {
  public let directory: String
  private let current: CurrentDatabase
  /// The database in use; another one after a damaged one was replaced.
  public var database: any DatabaseReader { current.reader }
  /// One more each time the database is replaced.
  public var generation: Int { current.generation }
  /// Asks the owner of the open chunks; a store that nobody owns answers from its own memory.
  private let fetchOpen: @Sendable ([UInt32]) -> [OpenPart]
  /// Asks the same owner for devices, series and words, new ones included; `nil`: the database has all.
  private let fetchCatalog: (@Sendable () throws -> Catalog)?
  private let damagedChunks = Mutex<Set<Int64>>([])

  public init(
    directory: String, database: CurrentDatabase,
    fetchCatalog: (@Sendable () throws -> Catalog)? = nil,
    fetchOpen: @escaping @Sendable ([UInt32]) -> [OpenPart]
  ) {
    self.directory = directory
    current = database
    self.fetchCatalog = fetchCatalog
    self.fetchOpen = fetchOpen
  }

  /// Chunks that did not pass their checksum, by row id; they are left out and reported in /health.
  public var damagedChunkIDs: [Int64] { damagedChunks.withLock { $0.sorted() } }

  public func openParts(of series: [UInt32]) -> [OpenPart] { fetchOpen(series) }

  public func catalog() throws -> Catalog {
    try fetchCatalog?() ?? database.read { try Catalog.load($0) }
  }

  public func diskUse() throws -> DiskUse {
    try DiskUse.measure(directory: directory, database: database)
  }

  /// Bytes of the WAL that no checkpoint has moved yet.
  public var walBytes: Int { current.walPages * 4_096 }

  /// Moves the WAL into the database on a connection of its own, beside readers and the writer.
  public func checkpoint() throws {
    var configuration = Configuration()
    configuration.busyMode = .timeout(1)
    let queue = try DatabaseQueue(
      path: StoreDatabase.path(in: directory), configuration: configuration)
    try queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(PASSIVE)")
    }
    try queue.close()
    current.walPages = 0
  }

  // MARK: - Samples

  /// Where one series' samples lie: chunk headers in a time range, oldest first.
  struct ChunkHeader {
    var id: Int64
    var t0: Int64
    var t1: Int64
    var maxSequence: UInt64
    var count: Int
    var summary: Data
  }

  func headers(
    of series: UInt32, from: Int64, through: Int64, limit: Int, _ db: Database
  ) throws -> [ChunkHeader] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT id, t0, t1, max_seq, count, summary FROM chunk
        WHERE series = ? AND t1 >= ? AND t0 <= ? ORDER BY t0, id LIMIT ?
        """)
    return try Row.fetchAll(statement, arguments: [Int64(series), from, through, limit]).map {
      row in
      ChunkHeader(
        id: row[0], t0: row[1], t1: row[2], maxSequence: UInt64(bitPattern: row[3]), count: row[4],
        summary: row[5])
    }
  }

  /// The samples of a chunk; `nil` when its blob is damaged, which is remembered.
  func columns(of id: Int64, decoder: ChunkDecoder, _ db: Database) throws -> ChunkColumns? {
    let statement = try db.cachedStatement(sql: "SELECT blob FROM chunk WHERE id = ?")
    do {
      guard let blob = try Data.fetchOne(statement, arguments: [id]) else { return nil }
      var columns = ChunkColumns()
      try blob.withUnsafeBytes { try decoder.decode($0, into: &columns) }
      return columns
    } catch is ChunkError {
      _ = damagedChunks.withLock { $0.insert(id) }
      return nil
    } catch let error as DatabaseError where error.isDamage {
      _ = damagedChunks.withLock { $0.insert(id) }
      return nil
    }
  }
}

/// A piece of one series in order of time.
public struct SamplePage: Sendable {
  public var columns: ChunkColumns
  /// Where the next page begins; `nil` at the end.
  public var next: Timestamp?
}

extension StoreReader {
  /// The samples of `series` in `from ... through`, at least about `count` of them unless it is the end.
  ///
  /// Each page has a snapshot of its own, so a long export holds up neither checkpoints nor memory.
  public func page(
    of series: UInt32, from: Timestamp, through: Timestamp, count: Int
  ) throws -> SamplePage {
    let open = fetchOpen([series]).first
    return try database.read { db in
      try page(of: series, open: open, from: from, through: through, count: count, db)
    }
  }

  func page(
    of series: UInt32, open: OpenPart?, from: Timestamp, through: Timestamp, count: Int,
    _ db: Database
  ) throws -> SamplePage {
    let headersMax = 256
    let start = from.microseconds
    let headers = try headers(
      of: series, from: start, through: through.microseconds, limit: headersMax, db)
    // Whole chunks until there is enough; what begins later than the border is left for the next page.
    var taken = 0
    var samples = 0
    var border = through.microseconds
    while taken < headers.count {
      if samples >= count, headers[taken].t0 > start {
        border = headers[taken].t0 - 1
        break
      }
      samples += headers[taken].count
      taken += 1
    }
    if taken == headers.count, headers.count == headersMax {
      border = max(start, (headers.last?.t0 ?? start) - 1)
    }
    let decoder = ChunkDecoder()
    var merged = ChunkColumns()
    let order = headers[..<taken].sorted { ($0.maxSequence, $0.id) < ($1.maxSequence, $1.id) }
    for header in order {
      guard let columns = try columns(of: header.id, decoder: decoder, db) else { continue }
      merged = ColumnMerge.merge(older: merged, newer: columns)
    }
    if let open {
      if !open.columns.isEmpty { merged = ColumnMerge.merge(older: merged, newer: open.columns) }
      if !open.late.isEmpty { merged = ColumnMerge.merge(older: merged, newer: open.late) }
    }
    let isEnd = border >= through.microseconds
    return SamplePage(
      columns: merged.clipped(from: start, through: border),
      next: isEnd ? nil : Timestamp(microseconds: border + 1))
  }

  /// The last sample at or before `time`; `nil` when there is none.
  public func sample(of series: UInt32, asOf time: Timestamp) throws -> StoredSample? {
    let open = fetchOpen([series]).first
    if let current = open?.current, current.time <= time { return current }
    return try database.read { db in
      let limit = time.microseconds
      var merged = ChunkColumns()
      let decoder = ChunkDecoder()
      // Chunks that lie across the moment, and the one that ended last before it.
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, max_seq FROM chunk WHERE series = ?1 AND t1 >= ?2 AND t0 <= ?2
          UNION SELECT id, max_seq FROM
            (SELECT id, max_seq FROM chunk WHERE series = ?1 AND t1 < ?2 ORDER BY t1 DESC LIMIT 1)
          ORDER BY max_seq, id
          """, arguments: [Int64(series), limit])
      for row in rows {
        guard let columns = try columns(of: row[0], decoder: decoder, db) else { continue }
        merged = ColumnMerge.merge(older: merged, newer: columns)
      }
      if let open {
        merged = ColumnMerge.merge(older: merged, newer: open.columns)
        merged = ColumnMerge.merge(older: merged, newer: open.late)
      }
      let clipped = merged.clipped(from: .min, through: limit)
      guard let last = clipped.times.last else { return nil }
      return StoredSample(
        time: Timestamp(microseconds: last), bits: clipped.bits[clipped.count - 1],
        quality: Quality(rawValue: clipped.qualities[clipped.count - 1]))
    }
  }

  /// Newest sample of each series, in the order asked; `nil` where there is none.
  public func current(of series: [UInt32]) -> [StoredSample?] {
    let parts = fetchOpen(series)
    let bySeries = Dictionary(uniqueKeysWithValues: parts.map { ($0.series, $0.current) })
    return series.map { bySeries[$0] ?? nil }
  }
}

extension ChunkColumns {
  /// The samples with `from <= time <= through` of columns sorted by time.
  func clipped(from: Int64, through: Int64) -> ChunkColumns {
    guard let first = times.first, let last = times.last else { return self }
    if first >= from && last <= through { return self }
    let low = lowerBound(from)
    let high = through == .max ? count : lowerBound(through + 1)
    var part = ChunkColumns()
    if low < high { part.append(low..<high, of: self) }
    return part
  }

  /// Position of the first time at or after `time`.
  func lowerBound(_ time: Int64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
