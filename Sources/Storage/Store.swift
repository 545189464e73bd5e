import GRDB
import Telemetry

/// The on-box time-series store: the journal, the open chunks and the SQLite file behind one owner.
///
/// Owned by the ingest thread; not thread-safe (readers use `StoreReader`). The life of a batch:
/// `commit` puts it into the journal, `apply` puts it into memory, and `flush` moves what has gathered
/// into SQLite together with the journal position. A crash between any two of them is repaired by
/// `recover`, which replays the journal's tail through the same `apply`.
public final class Store {
  public let settings: StoreSettings
  public private(set) var journal: Journal
  public private(set) var database: DatabasePool {
    didSet { current.replace(with: database) }
  }
  /// The database in use, for readers: it changes when a damaged one is replaced.
  public let current: CurrentDatabase
  /// What the store knows of devices, series and words; index = id.
  public private(set) var catalog = Catalog()
  public internal(set) var statistics = StoreStatistics()

  /// What decoders must know again after a restart, by name.
  public private(set) var memory: [String: [UInt8]] = [:]

  var shelf: SeriesShelf
  var pending = PendingRows()
  var sweep = Sweep()
  let encoder = ChunkEncoder()
  /// Highest record whose rows are in SQLite.
  private(set) var rowPosition: UInt64
  /// Rows wait that must not wait long: something leaves the box because of them.
  public internal(set) var hasUrgentRows = false
  private var hasFlushFailed = false
  /// Numbers through this one were used by a database that was damaged.
  private(set) var sequenceFloor: UInt64 = 0
  /// Highest record applied to memory.
  public private(set) var appliedSequence: UInt64
  /// Wall time of the last record applied.
  private(set) var lastWall = Timestamp.epoch
  private var writes: [WriteSet] = []
  var hasWrites: Bool { !writes.isEmpty }
  /// Snapshots of the stages behind the commit; `nil`: there are no stages.
  public private(set) var snapshots: StageSnapshots?
  /// From this record on the stages can be replayed, whatever happens to SQLite's last transactions.
  public private(set) var stagePosition: UInt64 = 0
  /// A newer snapshot that is on the disk while SQLite is not yet synced so far.
  private var stagePositionNext: UInt64?
  /// Small states kept in SQLite, saved whenever journal segments are given up.
  public var states: [SavedState] = []

  /// Opens or makes the store; `recover` must follow before anything is committed.
  ///
  /// A database that SQLite calls corrupt or no database is set aside and a new one begun with what can
  /// be read of the definitions; this is booked, `statistics.setAsideFiles` names the old file, and a
  /// `Rescue` is owed for the rest.
  public init(settings: StoreSettings) throws {
    self.settings = settings
    try Directory.create(settings.directory)
    var setAside: String?
    let pool: DatabasePool
    do {
      pool = try StoreDatabase.open(directory: settings.directory)
    } catch let error as DatabaseError where error.isDamage {
      (pool, setAside) = try Store.replaceDatabase(in: settings.directory)
    }
    database = pool
    current = CurrentDatabase(pool)
    shelf = SeriesShelf(chunkSamplesMax: settings.chunkSamplesMax)
    rowPosition = 0
    appliedSequence = 0
    journal = try Journal(
      directory: Store.journalDirectory(settings), settings: settings.journal, lastSequence: 0)
    do {
      try load()
    } catch let error as DatabaseError where error.isDamage && setAside == nil {
      try? database.close()  // A damaged file may refuse even that; it is moved away either way.
      (database, setAside) = try Store.replaceDatabase(in: settings.directory)
      current.replace(with: database)  // Observers do not run in an initializer.
      shelf = SeriesShelf(chunkSamplesMax: settings.chunkSamplesMax)
      try load()
    }
    current.watchWAL(of: database)
    if let setAside { noteSetAside(setAside) }
  }

  /// Sets the damaged file aside and begins a new one with what can be read of the small tables.
  private static func replaceDatabase(
    in directory: String
  ) throws -> (pool: DatabasePool, setAside: String) {
    let file = try DatabaseReplacement.run(directory: directory) { target, source, file in
      _ = try Salvage.fill(
        target, from: source, file: file, tables: Salvage.definitions, now: .now)
      try target.write { db in try Rescue.owe(file: file, db) }
    }
    return (try StoreDatabase.open(directory: directory), file)
  }

  private func noteSetAside(_ file: String) {
    statistics.setAsideFiles.append(file)
    pending.losses.append(
      LossEntry(cause: .damage, detail: "database was corrupt; set aside as \(file)"))
  }

  public static func journalDirectory(_ settings: StoreSettings) -> String {
    settings.directory + "/journal"
  }

  private func load() throws {
    try database.read { db in
      catalog = try Catalog.load(db)
      memory = try Store.loadMemory(db)
      rowPosition = try StoredPosition.load(db).rows
      sequenceFloor = UInt64(
        bitPattern: try Int64.fetchOne(
          db, sql: "SELECT value FROM meta WHERE key = ?",
          arguments: [DatabaseReplacement.floorKey]) ?? 0)
      try shelf.load(catalog, db)
    }
    appliedSequence = rowPosition
    statistics.rescuesOwed = try database.read { try Rescue.owed($0).count }
  }

  /// Replays what the journal holds beyond the database, oldest first.
  ///
  /// - Parameter position: a record after which the caller needs every one; the default needs none more than
  ///   the store does.
  /// - Parameter apply: called for each record; it must call `apply(_:_:)` of this store, and may run the
  ///   stages that have state of their own.
  /// - Returns: what was replayed and what damage was met (already booked in the loss ledger).
  public func recover(
    from position: UInt64 = .max, _ apply: (RecordHeader, Batch) throws -> Void
  ) throws -> RecoveryReport {
    let lowest = min(position, try database.read { try StoredPosition.load($0).replayFrom })
    try journal.synchronizeFound()
    let reader = try JournalReader(directory: journal.directory)
    try reader.readAll(after: lowest, apply)
    for damage in reader.damages where damage.lost != nil || damage.kind == .corruptSegment {
      let lost = damage.lost.map { Int($0.upperBound - $0.lowerBound) + 1 } ?? 0
      pending.losses.append(
        LossEntry(cause: .damage, count: lost, detail: "journal \(damage)"))
    }
    var report = RecoveryReport(
      records: reader.recordCount, samples: reader.sampleCount, damages: reader.damages)
    if rowPosition > reader.lastSequence {
      report.isDatabaseAhead = true
      pending.losses.append(
        LossEntry(
          cause: .damage,
          detail: "the database stands at record \(rowPosition), the journal ends at "
            + "\(reader.lastSequence); numbering goes on above"))
    }
    let last = max(reader.lastSequence, rowPosition, sequenceFloor)
    appliedSequence = max(appliedSequence, last)
    journal = try Journal(
      directory: journal.directory, settings: settings.journal, lastSequence: last,
      damagedFiles: Set(reader.damages.filter { $0.kind != .tornTail }.map(\.file)))
    return report
  }

  // MARK: - The life of a batch

  /// Puts the batch into the journal and onto the disk.
  /// - Returns: the record's header with its sequence, for `apply`.
  /// - Throws: `SystemError`; then nothing of the batch may be acknowledged.
  public func commit(_ batch: Batch, header: RecordHeader) throws -> RecordHeader {
    var header = header
    header.sequence = try journal.append(batch, header: header)
    return header
  }

  /// Applies a committed record to memory; the verdicts are those of its samples, in order.
  ///
  /// Records are applied once each, in the order of their sequence, live as in a replay.
  public func apply(_ header: RecordHeader, _ batch: Batch, verdicts: inout [Verdict]) {
    let sequence = header.sequence
    appliedSequence = max(appliedSequence, sequence)
    lastWall = header.wall
    if !batch.items.isEmpty { apply(batch.items, sequence: sequence, wall: header.wall) }
    for index in batch.samples.indices where batch.samples[index].series >= shelf.series.count {
      defineLost(through: batch.samples[index].series)
    }
    verdicts.removeAll(keepingCapacity: true)
    shelf.apply(header, batch, seriesOf: { catalog.series(ofDevice: $0) }) { verdict, isSample in
      if isSample { verdicts.append(verdict) }
      statistics.count(verdict)
    }
    sweep.samplesSinceFlush += batch.samples.count
  }

  private func apply(_ items: [Item], sequence: UInt64, wall: Timestamp) {
    let isNew = sequence > rowPosition
    for (place, item) in items.enumerated() {
      catalog.apply(item)
      if case .series(let definition) = item { shelf.define(definition) }
      guard isNew else { continue }
      if case .remembered(let name, let content) = item {
        memory[name] = content.isEmpty ? nil : content
        pending.memory.insert(name)
        continue
      }
      switch item {
      case .wentStale, .delivered: continue
      default: break
      }
      pending.items.append(
        PendingItem(id: Int64(bitPattern: sequence << 20) + Int64(place), item: item, wall: wall))
      switch item {
      case .event(let event): pending.eventIDs.insert(event.id)
      case .answered(let answered): pending.answers[answered.key] = answered
      default: break
      }
    }
  }

  /// Definitions that went with a damaged file: their samples are kept under names that say so.
  private func defineLost(through index: UInt32) {
    var items: [Item] = []
    if catalog.devices.isEmpty { items.append(.device(Catalog.lostDevice(0))) }
    for missing in shelf.series.count...Int(index) {
      items.append(.series(Catalog.lostSeries(missing)))
    }
    for item in items {
      catalog.apply(item)
      if case .series(let definition) = item { shelf.define(definition) }
      pending.items.append(PendingItem(id: 0, item: item, wall: lastWall))
    }
    pending.losses.append(
      LossEntry(cause: .damage, count: items.count, detail: "definitions of series were lost"))
  }

  /// Whether the log holds an event with this id, sealed or not. Cost: one index look-up.
  public func hasEvent(id: String) throws -> Bool {
    if pending.eventIDs.contains(id) { return true }
    return try database.read { db in
      let statement = try db.cachedStatement(sql: "SELECT 1 FROM event WHERE event_id = ?")
      return try Int.fetchOne(statement, arguments: [id]) != nil
    }
  }

  // MARK: - Flush

  /// Whether rows or chunks are due by time or size.
  ///
  /// A transaction writes some pages of every index, however little it adds. So chunks alone wait until
  /// many are due; rows that somebody may look for do not.
  public func isFlushDue(nowMicroseconds: Int64) -> Bool {
    if shelf.full.count >= 64 || pending.items.count >= 5_000 { return true }
    let waited = nowMicroseconds - sweep.lastFlushMicroseconds
    if let due = urgentFlushDue, nowMicroseconds >= due { return true }
    let usual = Int64(settings.flushMilliseconds) * 1_000
    guard waited >= usual else { return false }
    return !pending.items.isEmpty || !pending.standings.isEmpty || !writes.isEmpty
      || waited >= 4 * usual
      || seriesDue(nowMicroseconds: nowMicroseconds) >= Double(Sweep.seriesWanted)
      || statistics.openBytes + 2 * sweep.samplesSinceFlush > settings.openBytesMax
  }

  /// When rows that something waits for are due in SQLite, by the monotonic clock; `nil`: none wait, or the
  /// last flush failed and the next comes in its usual time.
  public var urgentFlushDue: Int64? {
    hasUrgentRows && !hasFlushFailed
      ? sweep.lastFlushMicroseconds + Self.urgentFlushMicroseconds : nil
  }

  /// Between two transactions, when something waits for its row to leave the box.
  static let urgentFlushMicroseconds: Int64 = 2_000

  /// Moves gathered rows and the chunks whose turn it is to SQLite in one transaction, with the position.
  ///
  /// - Parameter everything: seal all open chunks (clean stop, or before a maintenance that needs it).
  /// - Throws: `DatabaseError`; memory and journal still hold everything, a later flush may work.
  public func flush(nowMicroseconds: Int64, everything: Bool = false) throws {
    let position = appliedSequence
    let chosen = everything ? allOpen() : seriesToSeal(nowMicroseconds: nowMicroseconds)
    let sets = writes
    let isRelease = everything || releasableThrough(position: position, sealing: chosen) != nil
    var applied: [Bool] = []
    try database.writeWithoutTransaction { db in
      // Only a synced commit allows journal segments to go (the rest may be lost and replayed).
      try db.execute(sql: isRelease ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
      try db.inTransaction(.immediate) {
        try writePending(db)
        for index in chosen { try writeSealed(index, position: position, db) }
        for set in sets { applied.append(try set.apply(db)) }
        try writePositions(position, sealing: chosen, db)
        if isRelease { for state in states { try state.save(at: position, db) } }
        return .commit
      }
    }
    rowPosition = position
    if isRelease { followSnapshots() }
    shelf.forgetFull()
    for index in chosen { shelf.markSealed(index, through: position) }
    statistics.sealedSeries += chosen.count
    statistics.flushes += 1
    statistics.refusedWriteSets += applied.count { !$0 }
    if sets.contains(where: { $0.rescued != nil }) {
      statistics.rescuesOwed = try database.read { try Rescue.owed($0).count }
    }
    writes.removeAll()
    pending.removeAll()
    hasUrgentRows = false
    hasFlushFailed = false
    sweep.flushed(nowMicroseconds: nowMicroseconds, journalBytes: journal.writtenBytes)
    if isRelease { try releaseJournal() }
    restoreBallast()
  }

  private func releaseJournal() throws {
    var through = min(rowPosition, (shelf.lowestOpenSequence ?? .max) - 1)
    if snapshots != nil { through = min(through, stagePosition) }
    try journal.release(through: through)
  }

  // MARK: - Snapshots of the stages

  /// Books a loss with the next flush.
  public func book(_ loss: LossEntry) { pending.losses.append(loss) }

  /// The stages stand on a snapshot at `position`; the journal is kept from there on.
  public func keep(_ snapshots: StageSnapshots, position: UInt64) {
    self.snapshots = snapshots
    stagePosition = position
  }

  /// A newer snapshot is on the disk: it counts when SQLite is synced through its record.
  public func snapshotWritten(position: UInt64) { stagePositionNext = position }

  /// After a synced commit: the newer snapshot counts, the one before it goes.
  private func followSnapshots() {
    guard let snapshots, let next = stagePositionNext, next <= rowPosition else { return }
    stagePosition = next
    stagePositionNext = nil
    // One that cannot be removed is removed with the next.
    try? snapshots.removeOlder(than: next)
  }

  /// Through which record the stages need nothing of the journal after a synced commit at `position`.
  func stagesNeeded(position: UInt64) -> UInt64 {
    guard snapshots != nil else { return .max }
    guard let next = stagePositionNext, next <= position else { return stagePosition }
    return next
  }

  // MARK: - Start

  /// The clock from which the first flush is counted.
  ///
  /// When short lives have left far more journal than a replay may read, the first flush comes at once
  /// and seals everything: a gateway that keeps being killed must not fill the disk with its journal.
  public func begin(nowMicroseconds: Int64) {
    let isOverBudget =
      journal.heldBytes > 2 * settings.journalBytesMax
      || sweep.samplesSinceFlush > settings.replaySamplesMax * 3 / 2
    sweep.flushed(nowMicroseconds: nowMicroseconds, journalBytes: journal.writtenBytes)
    if isOverBudget {
      sweep.lastFlushMicroseconds = .min / 2
      sweep.debt = Double(max(shelf.series.count, Sweep.seriesWanted))
    }
    restoreBallast()
  }

  /// Waits the usual time before the next try; everything stays in memory and in the journal.
  public func flushFailed(nowMicroseconds: Int64) {
    sweep.lastFlushMicroseconds = nowMicroseconds
    hasFlushFailed = true
    writes.removeAll(where: \.isRescue)
  }

  /// Moves the damaged file away and begins a new one that knows what memory knows.
  ///
  /// What can be read of the old file comes back: small tables at once, chunks and events by a `Rescue`.
  /// - Returns: the path of the damaged file.
  public func replaceDamagedDatabase() throws -> String {
    try? database.close()  // A damaged file may refuse even that; it is moved away either way.
    let file: String
    do {
      file = try DatabaseReplacement.run(directory: settings.directory) { target, source, file in
        let known: Set<String> = ["meta", "device", "series", "word", "current", "memory"]
        _ = try Salvage.fill(
          target, from: source, file: file,
          tables: Salvage.definitions.filter { !known.contains($0) },
          now: lastWall)
        try writeMemory(to: target)
        try target.write { db in try Rescue.owe(file: file, db) }
      }
    } catch {
      // Without room for a new file the old one stays in use, and the next flush meets its damage again.
      database = try StoreDatabase.open(directory: settings.directory)
      current.watchWAL(of: database)
      throw error
    }
    database = try StoreDatabase.open(directory: settings.directory)
    current.watchWAL(of: database)
    // What jobs computed speaks of chunks of the old file.
    writes.removeAll()
    noteSetAside(file)
    statistics.rescuesOwed = try database.read { try Rescue.owed($0).count }
    return file
  }

  /// Definitions and newest samples; the position is that of an empty database, so that a start before the
  /// next flush replays all of the journal that is left.
  private func writeMemory(to target: DatabaseQueue) throws {
    try target.write { db in
      try write(catalog.devices, db)
      for (place, item) in catalog.items.enumerated() {
        try write(PendingItem(id: Int64(place), item: item, wall: lastWall), db)
      }
      try writeMemory(memory.keys.sorted(), to: db)
      for (index, open) in shelf.series.enumerated() where open.hasLast {
        try db.execute(
          sql: "INSERT INTO current VALUES (?, 0, ?, ?, ?)",
          arguments: [
            Int64(index), open.lastTime, Int64(bitPattern: open.lastBits), Int64(open.lastQuality),
          ])
      }
    }
    try DatabaseReplacement.replayEverything(target, floor: appliedSequence)
  }

  /// Hands over rows computed by a job; they are written with the next flush.
  public func enqueue(_ set: WriteSet) {
    guard set.generation == nil || set.generation == current.generation else {
      statistics.refusedWriteSets += 1
      return
    }
    writes.append(set)
  }

  /// Seals everything, syncs it and leaves an empty journal.
  ///
  /// - Parameter stages: the state of the stages as of the last record; without it their snapshot must be
  ///   older and the journal stays.
  public func close(nowMicroseconds: Int64, stages: StateContent? = nil) throws {
    try flush(nowMicroseconds: nowMicroseconds, everything: true)
    if let snapshots {
      guard let stages else { return try database.close() }
      try snapshots.write(stages, position: appliedSequence)
      snapshotWritten(position: appliedSequence)
      followSnapshots()
    }
    try journal.close(keepingNothing: true)
    try database.writeWithoutTransaction { db in
      // Pages that compaction and retention left free go back to the file system.
      try db.execute(sql: "PRAGMA incremental_vacuum")
      // A reader that is still there keeps the WAL; it is then read at the next start.
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    try database.close()
  }
}
