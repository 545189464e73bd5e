import GRDB
import Telemetry

extension Store {
  func allOpen() -> [UInt32] {
    (0..<UInt32(shelf.series.count)).filter { shelf.isOpen($0) }
  }

  /// Full chunks, and those whose turn it is so that memory and journal stay within their budgets.
  ///
  /// The sweep goes round the series in order of their ids: neighbours are sealed together, which keeps
  /// the pages of the index that a transaction touches few.
  func seriesToSeal(nowMicroseconds: Int64) -> [UInt32] {
    let count = shelf.series.count
    guard count > 0 else { return [] }
    var chosen = Set(shelf.full)
    sweep.debt = seriesDue(nowMicroseconds: nowMicroseconds)
    var openBytes = shelf.openBytes
    var steps = 0
    while steps < count, sweep.debt >= 1 || openBytes > settings.openBytesMax {
      let index = UInt32(sweep.cursor % count)
      sweep.cursor = (sweep.cursor + 1) % count
      sweep.debt = max(0, sweep.debt - 1)
      steps += 1
      guard shelf.isOpen(index) else { continue }
      openBytes -= shelf.series[Int(index)].chunk.byteCount
      chosen.insert(index)
    }
    statistics.openBytes = openBytes
    return chosen.sorted()
  }

  /// How many series the sweep has to seal by now.
  func seriesDue(nowMicroseconds: Int64) -> Double {
    let shares = [
      Double(sweep.samplesSinceFlush) / Double(settings.replaySamplesMax),
      Double(journal.writtenBytes - sweep.journalBytesAtFlush) / Double(settings.journalBytesMax)
        * 1.25,
      Double(nowMicroseconds - sweep.lastFlushMicroseconds) / 1e6 / Double(settings.openSecondsMax),
    ]
    return sweep.debt + min(1, shares.max() ?? 0) * Double(shelf.series.count)
  }

  /// The highest sequence through which journal segments could go after this flush; `nil` when none could.
  func releasableThrough(position: UInt64, sealing chosen: [UInt32]) -> UInt64? {
    guard journal.segments.count > 1 else { return nil }
    let needed = min(
      replayFrom(position: position, sealing: chosen), stagesNeeded(position: position))
    return journal.segments[1].firstSequence <= needed + 1 ? needed : nil
  }

  /// The record up to which nothing is needed from the journal once `chosen` are sealed.
  private func replayFrom(position: UInt64, sealing chosen: [UInt32]) -> UInt64 {
    var lowest = position + 1
    var next = 0
    for (index, open) in shelf.series.enumerated() where open.chunk.count > 0 {
      while next < chosen.count, chosen[next] < UInt32(index) { next += 1 }
      if next < chosen.count, chosen[next] == UInt32(index) { continue }
      lowest = min(lowest, open.firstSequence)
    }
    let sealed = Set(chosen)
    for (index, samples) in shelf.late where !sealed.contains(index) {
      lowest = min(lowest, samples.firstSequence)
    }
    return lowest - 1
  }

  func writePositions(_ position: UInt64, sealing chosen: [UInt32], _ db: Database) throws {
    let from = replayFrom(position: position, sealing: chosen)
    try StoredPosition(rows: position, replayFrom: from).save(db)
  }

  /// Writes the open chunk and the late samples of one series as chunks, and its newest sample.
  func writeSealed(_ index: UInt32, position: UInt64, _ db: Database) throws {
    let open = shelf.series[Int(index)]
    var columns = ChunkColumns()
    shelf.decodeOpen(index, into: &columns)
    try insertChunks(
      columns, of: index, type: open.type, kind: open.kind,
      sequences: open.firstSequence...max(open.firstSequence, open.lastSequence), db)
    if let late = shelf.late[index] {
      columns.removeAll()
      for sample in late.samples {
        columns.append(
          time: sample.time.microseconds, bits: sample.bits, quality: sample.quality.rawValue)
      }
      try insertChunks(
        columns, of: index, type: open.type, kind: open.kind,
        sequences: late.firstSequence...late.lastSequence, db)
    }
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO current VALUES (?, ?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET
        sealed_seq = excluded.sealed_seq, time = excluded.time, bits = excluded.bits,
        quality = excluded.quality
        """)
    try statement.execute(arguments: [
      Int64(index), Int64(bitPattern: position), open.lastTime, Int64(bitPattern: open.lastBits),
      Int64(open.lastQuality),
    ])
  }

  /// Cuts `columns` into chunks of at most `chunkSamplesMax` samples and inserts them.
  private func insertChunks(
    _ columns: ChunkColumns, of series: UInt32, type: ValueType, kind: MetricKind,
    sequences: ClosedRange<UInt64>, _ db: Database
  ) throws {
    var start = 0
    while start < columns.count {
      let end = min(start + settings.chunkSamplesMax, columns.count)
      var part = ChunkColumns()
      part.append(start..<end, of: columns)
      let row = ChunkRow(
        series: series, columns: part, type: type, kind: kind, sequences: sequences,
        encoder: encoder)
      try row.insert(db)
      statistics.sealedBytes += UInt64(row.blob.count)
      statistics.sealedSamples += UInt64(part.count)
      start = end
    }
  }
}

/// How far the round of sealing has come.
struct Sweep {
  /// Chunks worth a transaction of their own; sealing them takes about 25 ms.
  static let seriesWanted = 512

  var cursor = 0
  var debt = 0.0
  var samplesSinceFlush = 0
  var lastFlushMicroseconds: Int64 = 0
  var journalBytesAtFlush: UInt64 = 0

  mutating func flushed(nowMicroseconds: Int64, journalBytes: UInt64) {
    samplesSinceFlush = 0
    lastFlushMicroseconds = nowMicroseconds
    journalBytesAtFlush = journalBytes
  }
}
