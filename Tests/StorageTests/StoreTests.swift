import Foundation
import GRDB
import Telemetry
import TestSupport
import Testing

@testable import Storage

/// A store driven as the ingest thread drives it, with a plain model of what it should hold.
final class StoreRig: @unchecked Sendable {  // Used by one test on one thread at a time.
  let directory: String
  var store: Store
  /// Series → time → bits: last write wins.
  var model: [UInt32: [Int64: UInt64]] = [:]
  var now: Int64 = 1_000_000
  private var verdicts: [Verdict] = []

  init(_ directory: String, settings change: (inout StoreSettings) -> Void = { _ in }) throws {
    self.directory = directory
    var settings = StoreSettings(directory: directory)
    settings.journal.synchronizes = false
    settings.journal.segmentBytes = 128 << 10
    settings.ballastBytes = 0
    change(&settings)
    store = try Store(settings: settings)
    try recover()
  }

  @discardableResult
  func recover() throws -> RecoveryReport {
    try store.recover { header, batch in
      store.apply(header, batch, verdicts: &verdicts)
    }
  }

  func header() -> RecordHeader {
    now += 10_000
    return RecordHeader(
      bootID: 1, monotonicMicroseconds: now,
      wall: Timestamp(microseconds: 1_700_000_000_000_000 + now), clockQuality: .synchronized)
  }

  func define(_ count: Int, kind: MetricKind = .gauge, type: ValueType = .number) throws {
    var batch = Batch()
    batch.items.append(.device(DeviceDefinition(index: 0, id: "d")))
    for index in 0..<count {
      batch.items.append(
        .series(
          SeriesDefinition(
            index: UInt32(index), device: 0, metric: "m\(index)", type: type, kind: kind)))
    }
    batch.endDelivery(packetID: 0)
    try commit(batch)
  }

  @discardableResult
  func commit(_ batch: Batch) throws -> [Verdict] {
    let header = try store.commit(batch, header: header())
    store.apply(header, batch, verdicts: &verdicts)
    for sample in batch.samples where !sample.isReceiveStamped && !sample.isCurrentOnly {
      model[sample.series, default: [:]][sample.time.microseconds] = sample.bits
    }
    return verdicts
  }

  @discardableResult
  func put(_ samples: [(series: UInt32, time: Int64, value: Double)]) throws -> [Verdict] {
    var batch = Batch()
    for sample in samples {
      batch.samples.append(
        Sample(
          series: sample.series, time: Timestamp(microseconds: sample.time),
          bits: sample.value.bitPattern))
    }
    batch.endDelivery(packetID: 0)
    return try commit(batch)
  }

  func flush(everything: Bool = false) throws {
    try store.flush(nowMicroseconds: now, everything: everything)
  }

  var reader: StoreReader {
    StoreReader(directory: directory, database: store.current) { [unowned self] in
      store.openParts(of: $0)
    }
  }

  /// Everything the store holds of one series, page by page.
  func samples(_ series: UInt32, pageCount: Int = 700) throws -> [Int64: UInt64] {
    var found: [Int64: UInt64] = [:]
    var from: Timestamp? = .distantPast
    var lastTime = Int64.min
    while let start = from {
      let page = try reader.page(of: series, from: start, through: .distantFuture, count: pageCount)
      for index in 0..<page.columns.count {
        let time = page.columns.times[index]
        #expect(time > lastTime || (lastTime == .min && time == .min), "times strictly increase")
        lastTime = time
        found[time] = page.columns.bits[index]
      }
      from = page.next
    }
    return found
  }

  func expectModel(_ comment: Comment? = nil) throws {
    for (series, expected) in model.sorted(by: { $0.key < $1.key }) {
      let found = try samples(series)
      #expect(found.count == expected.count, comment)
      #expect((found == expected) == true, comment)
    }
  }

  /// The process is gone: nothing is closed, memory is forgotten. (The lock on the file is ours.)
  func crash() throws -> RecoveryReport {
    let settings = store.settings
    try store.database.close()
    store = try Store(settings: settings)
    return try recover()
  }
}

@Suite struct StoreTests {
  @Test("What was committed is read back before and after it is sealed")
  func readsBack() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(3)
    for step in 0..<500 {
      try rig.put((0..<3).map { (UInt32($0), Int64(step) * 1_000_000, Double(step * $0) / 10) })
    }
    try rig.expectModel("open")
    try rig.flush(everything: true)
    try rig.expectModel("sealed")
    for step in 500..<600 { try rig.put([(1, Int64(step) * 1_000_000, -1)]) }
    try rig.expectModel("sealed and open")
  }

  @Test("Late samples, duplicates and corrections are told apart and land where they belong")
  func verdicts() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(1)
    #expect(
      try rig.put([(0, 1_000, 1), (0, 2_000, 2), (0, 4_000, 4)]) == [.stored, .stored, .stored])
    #expect(try rig.put([(0, 4_000, 4)]) == [.duplicate])
    #expect(try rig.put([(0, 2_000, 2)]) == [.duplicate])
    #expect(try rig.put([(0, 3_000, 3)]) == [.late])
    #expect(try rig.put([(0, 3_000, 3)]) == [.duplicate])
    #expect(try rig.put([(0, 2_000, 22)]) == [.correction])
    #expect(try rig.put([(0, 4_000, 44)]) == [.correction])
    #expect(try rig.put([(0, 4_000, 44)]) == [.duplicate])
    #expect(rig.reader.current(of: [0])[0]?.bits == 44.0.bitPattern)
    try rig.expectModel()
    try rig.flush(everything: true)
    try rig.expectModel()
    #expect(try rig.put([(0, 4_000, 44)]) == [.duplicate])
  }

  @Test("Times that we stamp are strictly increasing in their series")
  func stamps() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(1, kind: .state)
    var batch = Batch()
    for bits: UInt64 in [1, 0, 1] {
      batch.samples.append(
        Sample(
          series: 0, time: Timestamp(microseconds: 5_000), bits: bits, isReceiveStamped: true))
    }
    batch.endDelivery(packetID: 3)
    #expect(try rig.commit(batch) == [.stored, .stored, .stored])
    #expect(try rig.samples(0) == [5_000: 1, 5_001: 0, 5_002: 1])
  }

  @Test("Event-kind samples of one time are all kept")
  func eventsAreNotDeduplicated() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(1, kind: .event)
    try rig.put([(0, 7_000, 1), (0, 7_000, 1), (0, 9_000, 1), (0, 7_000, 1)])
    #expect(try rig.samples(0).count == 4)
  }

  @Test("A counter that goes back is flagged")
  func counterReset() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(1, kind: .counter)
    try rig.put([(0, 1, 10), (0, 2, 3), (0, 3, 4)])
    let page = try rig.reader.page(of: 0, from: .epoch, through: .distantFuture, count: 10)
    #expect(
      page.columns.qualities.map { Quality(rawValue: $0).contains(.counterReset) } == [
        false, true, false,
      ])
  }

  @Test("A crash at any point loses nothing and counts nothing twice", arguments: 1...12)
  func crashes(seed: UInt64) throws {
    let directory = TemporaryDirectory()
    var random = SeededGenerator(seed: seed)
    let rig = try StoreRig(directory.path) {
      $0.chunkSamplesMax = 200
      $0.replaySamplesMax = 3_000
    }
    try rig.define(20)
    var time: Int64 = 1_700_000_000_000_000
    for round in 0..<600 {
      time += Int64.random(in: 1...2_000_000, using: &random)
      var samples: [(series: UInt32, time: Int64, value: Double)] = []
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        let isLate = Int.random(in: 0..<10, using: &random) == 0
        let shift =
          isLate ? -Int64.random(in: 0...50_000_000, using: &random) : Int64(samples.count)
        samples.append(
          (
            UInt32.random(in: 0..<20, using: &random), time + shift,
            Double(Int.random(in: 0...9_999, using: &random)) / 100
          ))
      }
      try rig.put(samples)
      switch Int.random(in: 0..<60, using: &random) {
      case 0..<6: try rig.flush()
      case 6: try rig.flush(everything: true)
      case 7, 8:
        _ = try rig.crash()
        if round % 5 == 0 { try rig.expectModel("seed \(seed), round \(round)") }
      case 9: try compactAll(rig)
      default: break
      }
    }
    _ = try rig.crash()
    try rig.expectModel("seed \(seed), end")
    try rig.flush(everything: true)
    try compactAll(rig)
    try rig.expectModel("seed \(seed), compacted")
  }

  private func compactAll(_ rig: StoreRig) throws {
    let compactor = Compactor(database: rig.store.database)
    for series in try compactor.candidates() {
      if let set = try compactor.nextMerge(
        of: series, type: .number, kind: .gauge, everything: true)
      {
        rig.store.enqueue(set)
        try rig.flush()
      }
    }
  }

  @Test(
    "Merging comes to an end, with at most one chunk left that may still grow", arguments: 1...4)
  func mergingEnds(seed: UInt64) throws {
    let directory = TemporaryDirectory()
    var random = SeededGenerator(seed: seed)
    let rig = try StoreRig(directory.path) { $0.chunkSamplesMax = 2_000 }
    try rig.define(1)
    var value = 5_000
    for step in 0..<60 {
      // Times that jitter by a width that changes: the same count of samples takes more bytes or fewer.
      let jitter = [0, 3, 500, 200_000][Int.random(in: 0..<4, using: &random)]
      try rig.put(
        (0..<1_000).map { index in
          value += Int.random(in: -9...9, using: &random)
          let time =
            Int64(step * 1_000 + index) * 1_000_000
            + Int64.random(in: 0...Int64(jitter), using: &random)
          return (0, time, Double(value) / 100)
        })
      if step % 3 == 0 { try rig.flush(everything: true) }
    }
    try rig.flush(everything: true)
    let compactor = Compactor(database: rig.store.database)
    var merges = 0
    while merges < 100,
      let set = try compactor.nextMerge(of: 0, type: .number, kind: .gauge, everything: true)
    {
      rig.store.enqueue(set)
      try rig.flush()
      merges += 1
    }
    #expect(merges < 30)
    let fresh = try rig.store.database.read {
      try Int.fetchOne($0, sql: "SELECT count(*) FROM chunk WHERE level = 0")
    }
    #expect(fresh ?? 0 <= 1)
    try rig.expectModel("seed \(seed)")
  }

  @Test("Journal segments go once everything in them is sealed, and the store opens without them")
  func releasesSegments() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.replaySamplesMax = 2_000 }
    try rig.define(50)
    for step in 0..<3_000 {
      try rig.put((0..<50).map { (UInt32($0), Int64(step) * 1_000, Double.random(in: 0...1)) })
      if step % 20 == 0 { try rig.flush() }
    }
    #expect(rig.store.journal.segments.count < 6)
    let report = try rig.crash()
    #expect(report.damages.isEmpty)
    try rig.expectModel()
  }

  @Test("Lives that end before their first flush do not let the journal grow without bound")
  func shortLives() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.journalBytesMax = 4 * $0.journal.segmentBytes }
    try rig.define(3)
    for life in 0..<60 {
      rig.store.begin(nowMicroseconds: rig.now)
      if rig.store.isFlushDue(nowMicroseconds: rig.now) { try rig.flush() }
      try rig.put((0..<3).map { (UInt32($0), Int64(life) * 1_000, Double(life)) })
      #expect(rig.store.journal.heldBytes <= 10 * rig.store.settings.journal.segmentBytes)
      _ = try rig.crash()
    }
    try rig.expectModel()
  }

  @Test("A store of the first schema opens, keeps what it holds and remembers answers")
  func migration() throws {
    let directory = TemporaryDirectory()
    let old = try DatabaseQueue(path: StoreDatabase.path(in: directory.path))
    try Schema.migrator.migrate(old, upTo: "v1")
    try old.write { db in
      try db.execute(sql: "INSERT INTO device VALUES (0, 'd', '', '', 0)")
      try db.execute(sql: "INSERT INTO meta VALUES ('journal_position', 7)")
    }
    try old.close()
    let rig = try StoreRig(directory.path)
    #expect(rig.store.catalog.devices.map(\.id) == ["d"])
    var batch = Batch()
    batch.items.append(.answered(Answered(key: "k", fingerprint: 5, accepted: 2)))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    let now = rig.header().wall
    #expect(try rig.store.answer(to: "k", now: now)?.accepted == 2)
    try rig.flush()
    #expect(try rig.store.answer(to: "k", now: now)?.fingerprint == 5)
    let muchLater = now.advanced(byMicroseconds: 8 * 86_400 * 1_000_000)
    #expect(try rig.store.answer(to: "k", now: muchLater) == nil)
  }

  @Test("A clean close leaves nothing to replay")
  func cleanClose() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(2)
    try rig.put([(0, 1, 1), (1, 2, 2)])
    try rig.store.close(nowMicroseconds: rig.now)
    let again = try StoreRig(directory.path)
    #expect(try again.recover().records == 0, "nothing was left in the journal")
    #expect(try again.samples(0) == [1: 1.0.bitPattern])
    #expect(again.store.appliedSequence >= 2)
    #expect(try again.put([(0, 5, 5)]) == [.stored])
  }

  @Test("A database that is no database is set aside, booked, and a new one begun from the journal")
  func damagedDatabaseAtStart() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(1)
    try rig.put([(0, 1, 1)])
    try rig.store.database.close()
    try Directory.remove(directory.path + "/store.sqlite-wal")
    try Data(repeating: 0x5A, count: 8_192).write(
      to: URL(fileURLWithPath: directory.path + "/store.sqlite"))
    let again = try StoreRig(directory.path)
    #expect(again.store.statistics.setAsideFiles.count == 1)
    #expect(try again.samples(0) == [1: 1.0.bitPattern], "the journal still held it")
    try again.flush()
    let causes = try again.store.database.read {
      try String.fetchAll($0, sql: "SELECT cause FROM loss")
    }
    #expect(causes.contains("damage"))
  }

  @Test(
    "When the database is lost with the definitions, the journal's samples are kept under other names"
  )
  func lostDefinitions() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.replaySamplesMax = 1_000 }
    try rig.define(3)
    for step in 0..<40 {
      for part in 0..<100 { try rig.put([(2, Int64(step * 100 + part), Double.random(in: 0...1))]) }
      try rig.flush(everything: true)
    }
    for step in 4_000..<4_005 { try rig.put([(2, Int64(step), 7)]) }
    try #require(rig.store.journal.segments.first.map { $0.firstSequence > 2 } == true)
    try rig.store.database.close()
    try Directory.remove(directory.path + "/store.sqlite-wal")
    try Data(repeating: 0x5A, count: 8_192).write(
      to: URL(fileURLWithPath: directory.path + "/store.sqlite"))
    let again = try StoreRig(directory.path)
    let found = try again.samples(2)
    #expect(found[4_004] == 7.0.bitPattern)
    #expect(again.store.catalog.key(of: 2).metric == "lost-2")
    try again.flush(everything: true)
    #expect(try again.samples(2) == found)
  }

  @Test("A damaged segment is set aside, not reused, and does not release its neighbours")
  func damagedSegmentIsKept() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(50)
    for step in 0..<3_000 {
      try rig.put((0..<50).map { (UInt32($0), Int64(step) * 1_000, Double.random(in: 0...1)) })
    }
    let names = try Directory.names(in: directory.path + "/journal").filter {
      SegmentName.id($0) != nil
    }
    try #require(names.count > 3)
    let path = directory.path + "/journal/" + names[1]
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[9] ^= 0xFF
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let report = try rig.crash()
    #expect(report.damages.contains { $0.kind == .corruptSegment })
    #expect(FileManager.default.fileExists(atPath: path + ".damaged"))
    #expect(rig.store.journal.segments.first.map { SegmentName.file($0.id) } == names[0])
    let before = try rig.samples(0)
    _ = try rig.crash()
    #expect(try rig.samples(0) == before, "a second crash loses nothing more")
  }

  @Test(
    "A database whose pages are destroyed while in use is replaced, and ingest and reading go on")
  func damagedWhileOpen() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(40)
    for step in 0..<200 { try rig.put((0..<40).map { (UInt32($0), Int64(step), Double(step)) }) }
    try rig.flush(everything: true)
    let reader = rig.reader
    try rig.store.database.writeWithoutTransaction { db in
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      try db.execute(sql: "PRAGMA shrink_memory")
    }
    let file = try #require(FileHandle(forUpdatingAtPath: directory.path + "/store.sqlite"))
    let size = Int(try file.seekToEnd())
    for page in 1..<size / 4_096 {
      try file.seek(toOffset: UInt64(page * 4_096))
      try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096))
    }
    try file.close()
    for step in 200..<210 { try rig.put([(0, Int64(step), Double(step))]) }
    var damage: (any Error)?
    do { try rig.flush(everything: true) } catch { damage = error }
    #expect(damage.map(Store.isDamage) == true)
    let aside = try rig.store.replaceDamagedDatabase()
    #expect(FileManager.default.fileExists(atPath: aside))
    try rig.flush(everything: true)
    let page = try reader.page(of: 0, from: .distantPast, through: .distantFuture, count: 1_000)
    #expect(page.columns.times == Array(200..<210))
    #expect(try reader.catalog().series.count == 40)
  }

  /// Writes garbage over some pages of the closed database.
  private func rootPage(of table: String, in directory: String) throws -> Int {
    try StoreDatabase.openReadOnly(path: StoreDatabase.path(in: directory)).read {
      try Int.fetchOne(
        $0, sql: "SELECT rootpage FROM sqlite_master WHERE name = ?", arguments: [table]) ?? 0
    }
  }

  private func damage(_ directory: String, pages: (Int) throws -> [Int]) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: directory + "/store.sqlite"))
    let count = Int(try file.seekToEnd()) / 4_096
    for page in try pages(count) {
      try file.seek(toOffset: UInt64(page * 4_096))
      try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096))
    }
    try file.close()
  }

  private func runRescues(_ rig: StoreRig) throws {
    for rescue in try Rescue.owed(directory: rig.directory, database: rig.store.database) {
      _ = try rescue.run(now: .epoch, catalog: rig.store.catalog) { set in
        rig.store.enqueue(set)
        try rig.flush()
      }
    }
  }

  @Test(
    "What can be read of a database damaged while in use comes back, once, and the rest is booked")
  func rescueWhileOpen() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.chunkSamplesMax = 500 }
    try rig.define(20)
    for step in 0..<4_000 {
      try rig.put((0..<20).map { (UInt32($0), Int64(step), Double.random(in: 0...1)) })
    }
    try rig.flush(everything: true)
    try rig.store.database.writeWithoutTransaction { db in
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    try damage(directory.path) { count in [count / 2, count * 2 / 3] }
    _ = try rig.store.replaceDamagedDatabase()
    try rig.put([(0, 5_000, 1)])
    for _ in 0..<2 {
      try runRescues(rig)
      var found = 0
      for (series, expected) in rig.model {
        let samples = try rig.samples(series)
        #expect(samples.allSatisfy { expected[$0.key] == $0.value })
        found += samples.count
      }
      #expect(found > 75_000 && found < 80_001, "two pages of the file hold at most a few chunks")
      #expect(rig.store.statistics.rescuesOwed == 0)
      // Owed again, as after a rescue that was cut short: nothing comes twice.
      let file = rig.store.statistics.setAsideFiles[0]
      let chunks = try rig.store.database.write { db in
        try Rescue.owe(file: file, db)
        try db.execute(sql: "DELETE FROM cursor WHERE name LIKE 'rescued-%'")
        return try Int.fetchOne(db, sql: "SELECT count(*) FROM chunk")
      }
      #expect(chunks ?? 0 <= 160)
    }
    let booked = try rig.store.database.read {
      try String.fetchAll($0, sql: "SELECT detail FROM loss WHERE detail LIKE 'table chunk%'")
    }
    #expect(!booked.isEmpty)
  }

  @Test(
    "A database whose definitions are damaged is replaced at the start; what still means the same comes back"
  )
  func rescueAtStart() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.chunkSamplesMax = 500 }
    try rig.define(20)
    for step in 0..<2_000 {
      try rig.put((0..<20).map { (UInt32($0), Int64(step), Double.random(in: 0...1)) })
    }
    try rig.store.close(nowMicroseconds: rig.now)
    try damage(directory.path) { _ in [try rootPage(of: "current", in: directory.path) - 1] }
    let again = try StoreRig(directory.path)
    #expect(again.store.statistics.setAsideFiles.count == 1)
    #expect(again.store.catalog.series.count == 20)
    again.model = rig.model
    try runRescues(again)
    try again.expectModel()
    try again.put([(3, 9_000, 4)])
    _ = try again.crash()
    try again.expectModel("after a crash")
  }

  @Test("After a clean stop and the loss of its positions a store numbers on above what was used")
  func lostPositions() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(5)
    for step in 0..<300 { try rig.put((0..<5).map { (UInt32($0), Int64(step), Double(step)) }) }
    try rig.store.close(nowMicroseconds: rig.now)
    try damage(directory.path) { _ in [try rootPage(of: "meta", in: directory.path) - 1] }
    let again = try StoreRig(directory.path)
    #expect(again.store.statistics.setAsideFiles.count == 1)
    #expect(again.store.appliedSequence >= 301)
    again.model = rig.model
    #expect(
      try again.put([(3, 9_000, 4)]) == [.stored], "a new sample is not taken for a known one")
    try runRescues(again)
    try again.expectModel()
  }

  @Test("A replacement that a crash cut short is finished or begun anew at the next start")
  func interruptedReplacement() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(2)
    try rig.put([(0, 1, 1)])
    try rig.store.close(nowMicroseconds: rig.now)
    let path = StoreDatabase.path(in: directory.path)
    // Cut short while the new file was built: the old one is still in its place.
    try Data("half".utf8).write(to: URL(fileURLWithPath: path + ".new"))
    let second = try StoreRig(directory.path)
    #expect(try second.samples(0) == [1: 1.0.bitPattern])
    #expect(!FileManager.default.fileExists(atPath: path + ".new"))
    try second.store.close(nowMicroseconds: second.now)
    // Cut short between the two renames: the new one is whole.
    try Directory.rename(path, to: path + ".new")
    let third = try StoreRig(directory.path)
    #expect(try third.samples(0) == [1: 1.0.bitPattern])
  }

  @Test("What a job computed from a database that is gone is refused")
  func staleWriteSet() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(3)
    for step in 0..<100 { try rig.put((0..<3).map { (UInt32($0), Int64(step), Double(step)) }) }
    try rig.flush(everything: true)
    var stale = WriteSet()
    stale.replaces = [1, 2, 3]
    stale.generation = rig.store.current.generation
    rig.store.enqueue(stale)
    _ = try rig.store.replaceDamagedDatabase()
    rig.store.enqueue(stale)
    for step in 100..<110 { try rig.put((0..<3).map { (UInt32($0), Int64(step), Double(step)) }) }
    try rig.flush(everything: true)
    try runRescues(rig)
    try rig.expectModel()
  }

  @Test("A damaged chunk is left out and reported; the rest of the series is served")
  func damagedChunk() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.chunkSamplesMax = 100 }
    try rig.define(1)
    for step in 0..<300 { try rig.put([(0, Int64(step), Double(step))]) }
    try rig.flush(everything: true)
    try rig.store.database.write { db in
      try db.execute(
        sql:
          "UPDATE chunk SET blob = zeroblob(length(blob)) WHERE id = (SELECT id FROM chunk LIMIT 1 OFFSET 1)"
      )
    }
    let reader = rig.reader
    let page = try reader.page(of: 0, from: .distantPast, through: .distantFuture, count: 10_000)
    #expect(page.columns.count == 200)
    #expect(reader.damagedChunkIDs.count == 1)
  }

  @Test("The quarantine is bounded, oldest first, and what goes is booked")
  func quarantineIsBounded() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.quarantineRowsMax = 5 }
    var batch = Batch()
    for number in 0..<12 {
      batch.items.append(
        .quarantined(
          Quarantined(
            cause: .malformed, topic: "t\(number)", reason: "r", received: .epoch,
            payload: [1, 2], payloadSize: 2)))
    }
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    try rig.flush()
    let topics = try rig.store.database.read {
      try String.fetchAll($0, sql: "SELECT topic FROM quarantine ORDER BY id")
    }
    #expect(topics == (7..<12).map { "t\($0)" })
    let booked = try rig.store.database.read {
      try Int.fetchOne($0, sql: "SELECT count FROM loss WHERE cause = 'quarantine_full'")
    }
    #expect(booked == 7)
  }

  @Test("An event id is a duplicate before and after its row is in the database")
  func eventIDs() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    var batch = Batch()
    batch.items.append(.event(Event(id: "e1", name: "Login", time: .epoch)))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    #expect(try rig.store.hasEvent(id: "e1"))
    #expect(try rig.store.hasEvent(id: "e2") == false)
    try rig.flush()
    #expect(try rig.store.hasEvent(id: "e1"))
  }

  @Test(
    "Aggregates from headers equal those from samples",
    arguments: [100_000, 1_000_000, 60_000_000] as [Int64])
  func aggregates(step: Int64) throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path) { $0.chunkSamplesMax = 64 }
    try rig.define(1)
    var random = SeededGenerator(seed: 21)
    var time: Int64 = 0
    for number in 0..<2_000 {
      time += Int64.random(in: 1...40_000, using: &random)
      let late = number % 97 == 0 ? Int64.random(in: 0...500_000, using: &random) : 0
      try rig.put([(0, max(0, time - late), Double(Int.random(in: 0...99, using: &random)))])
      if number % 400 == 399 { try rig.flush() }
    }
    let definition = rig.store.catalog.series[0]
    let range = Timestamp(microseconds: 150_000)..<Timestamp(microseconds: time - 777)
    var buckets: [AggregateBucket] = []
    try rig.reader.aggregate(
      definition, range: range, stepMicroseconds: step, now: .distantFuture
    ) { buckets.append($0) }
    let sorted = try #require(rig.model[0]).sorted { $0.key < $1.key }
    var aggregator = StepAggregator(
      range: range.lowerBound.microseconds..<range.upperBound.microseconds, step: step)
    var expected: [AggregateBucket] = []
    if let before = sorted.last(where: { $0.key < range.lowerBound.microseconds }) {
      aggregator.precede(bits: before.value)
    }
    for (time, bits) in sorted where range.contains(Timestamp(microseconds: time)) {
      aggregator.add(time: time, bits: bits) { expected.append($0) }
    }
    aggregator.finish { expected.append($0) }
    #expect(buckets.count == expected.count)
    for (got, want) in zip(buckets, expected) {
      #expect(got.start == want.start && got.count == want.count)
      #expect(got.min == want.min && got.max == want.max)
      #expect(abs(got.sum - want.sum) < 1e-6 && abs(got.increase - want.increase) < 1e-6)
      #expect(got.first == want.first && got.last == want.last)
      #expect(abs(got.integral - want.integral) < 1e-3 && got.held == want.held)
    }
  }

  @Test("SELECT over samples sees sealed and open ones and looks up device, metric and time")
  func sql() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try rig.define(2)
    let start: Int64 = 1_700_000_000_000_000
    for step in 0..<100 { try rig.put([(0, start + Int64(step) * 1_000_000, Double(step))]) }
    try rig.flush(everything: true)
    for step in 100..<120 { try rig.put([(0, start + Int64(step) * 1_000_000, Double(step))]) }
    let console = SQLConsole(secondsMax: 20, rowsMax: 50)
    let count = try console.run(
      "SELECT count(*), sum(value) FROM samples WHERE device = 'd'", reader: rig.reader)
    #expect(count.rows == [[.integer(120), .real(7_140)]])
    let narrow = try console.run(
      "SELECT time, value FROM samples WHERE metric = 'm0' AND time >= '2023-11-14T22:14:58Z' AND time < '2023-11-14T22:15:01Z'",
      reader: rig.reader)
    #expect(narrow.rows.map { $0[1] } == [.real(98), .real(99), .real(100)])
    #expect(narrow.rows[0][0] == .text("2023-11-14T22:14:58.000000Z"))
    let cut = try console.run("SELECT * FROM samples", reader: rig.reader)
    #expect(cut.rows.count == 50 && cut.isTruncated)
    for bad in [
      "DELETE FROM chunk", "ATTACH '/etc/passwd' AS x", "PRAGMA journal_mode = DELETE", "SELEC 1",
    ] {
      #expect(throws: SQLProblem.self) { try console.run(bad, reader: rig.reader) }
    }
    #expect(throws: SQLProblem.self) {
      try SQLConsole(secondsMax: 0.05, rowsMax: 10).run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        reader: rig.reader)
    }
  }
}
