import Telemetry
import TestSupport
import Testing

@testable import Storage

@Suite("What decoders remember, and series that went stale")
struct MemoryTests {
  private func remember(_ rig: StoreRig, _ name: String, _ content: [UInt8]) throws {
    var batch = Batch()
    batch.items.append(.remembered(name: name, content: content))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
  }

  @Test("What was remembered last is there after a crash, flushed or not")
  func memory() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    try remember(rig, "a", [1])
    try remember(rig, "b", [2])
    try rig.flush()
    try remember(rig, "a", [3])
    try remember(rig, "b", [])
    try remember(rig, "c", [4])
    let expected: [String: [UInt8]] = ["a": [3], "c": [4]]
    #expect(rig.store.memory == expected)
    _ = try rig.crash()
    #expect(rig.store.memory == expected)
    try rig.flush()
    _ = try rig.crash()
    #expect(rig.store.memory == expected)
  }

  @Test("A series that goes stale repeats its last value, at its place in the record and once")
  func stale() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    try rig.define(2)
    var batch = Batch()
    let time = Timestamp(microseconds: 1_700_000_000_000_000)
    batch.samples.append(Sample(series: 0, time: time, bits: (1.0).bitPattern))
    batch.endDelivery(packetID: 0)
    batch.items.append(.wentStale(Staleness(device: 0, time: time.advanced(byMicroseconds: 5))))
    batch.endDelivery(packetID: 0)
    batch.items.append(.wentStale(Staleness(device: 0, time: time.advanced(byMicroseconds: 6))))
    batch.endDelivery(packetID: 0)
    batch.samples.append(
      Sample(series: 0, time: time.advanced(byMicroseconds: 9), bits: (2.0).bitPattern))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    func check() throws {
      let page = try rig.reader.page(of: 0, from: .distantPast, through: .distantFuture, count: 9)
      #expect(page.columns.times.map { $0 - time.microseconds } == [0, 5, 9])
      #expect(
        page.columns.bits.map(Double.init(bitPattern:)) == [1, 1, 2])
      #expect(
        page.columns.qualities.map { Quality(rawValue: $0).text }
          == ["good", "uncertain (stale)", "good"])
      // Series 1 never had a value, so it has none to lose.
      #expect(try rig.samples(1).isEmpty)
    }
    try check()
    _ = try rig.crash()
    try check()
    try rig.flush(everything: true)
    _ = try rig.crash()
    try check()
  }

  @Test("A retained value that stands in goes stale without becoming a sample")
  func retained() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    try rig.define(1)
    var batch = Batch()
    let time = Timestamp(microseconds: 1_700_000_000_000_000)
    batch.samples.append(
      Sample(
        series: 0, time: time, bits: (3.0).bitPattern, isReceiveStamped: true, isCurrentOnly: true))
    batch.endDelivery(packetID: 0)
    batch.items.append(.wentStale(Staleness(device: 0, time: time)))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    #expect(try rig.samples(0).isEmpty)
    #expect((rig.store.current(of: [0]).first ?? nil)?.quality == [.uncertain, .stale])
  }

  @Test("Files that nobody runs show what went stale in the journal's tail")
  func offline() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    try rig.define(1)
    try rig.put([(0, 1_700_000_000_000_000, 4)])
    try rig.flush()
    var batch = Batch()
    batch.items.append(
      .wentStale(Staleness(device: 0, time: Timestamp(microseconds: 1_700_000_000_500_000))))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    try rig.store.database.close()
    let store = try OfflineStore(directory: scratch.path)
    let page = try store.reader.page(of: 0, from: .distantPast, through: .distantFuture, count: 9)
    #expect(
      page.columns.qualities.map { Quality(rawValue: $0).text } == ["good", "uncertain (stale)"])
  }

  @Test("At the end of time nothing traps")
  func endOfTime() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    try rig.define(1)
    try rig.put([(0, .max, 4)])
    var batch = Batch()
    batch.items.append(.wentStale(Staleness(device: 0, time: Timestamp(microseconds: 5))))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    #expect(rig.store.current(of: [0]).count == 1)
  }

  @Test("No value at all is bad, and an older time does not put it before the value that it ends")
  func bad() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    try rig.define(1)
    try rig.put([(0, 1_700_000_000_000_000, 4)])
    var batch = Batch()
    batch.items.append(
      .wentStale(
        Staleness(device: 0, series: [0], time: Timestamp(microseconds: 1), quality: .bad)))
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
    let last = try #require(rig.store.current(of: [0]).first ?? nil)
    #expect(last.quality == .bad)
    #expect(last.time == Timestamp(microseconds: 1_700_000_000_000_001))
  }
}
