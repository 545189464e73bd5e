import Telemetry
import TestSupport
import Testing

@testable import Storage

@Suite("Rows because of which something leaves")
struct UrgentRowTests {
  private func output(_ header: RecordHeader) -> StageOutput {
    var output = StageOutput()
    let moment = RecordMoment(
      sequence: header.sequence, wall: header.wall, elapsedMicroseconds: 0)
    output.add(
      "Alarm", at: moment, properties: .object([("effects", .array([]))]), hasEffects: true)
    output.add("Note", at: moment, properties: .object([]))
    return output
  }

  @Test("They are due two milliseconds after the last transaction, and read in their order alone")
  func due() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    rig.store.begin(nowMicroseconds: rig.now)
    #expect(rig.store.urgentFlushDue == nil)
    for _ in 0..<2 {
      let header = try rig.store.commit(Batch(), header: rig.header())
      rig.store.put(output(header), of: header, items: 0)
    }
    let due = try #require(rig.store.urgentFlushDue)
    #expect(rig.store.isFlushDue(nowMicroseconds: due))
    #expect(!rig.store.isFlushDue(nowMicroseconds: due - 1))
    try rig.flush()
    #expect(rig.store.urgentFlushDue == nil)
    let rows = try rig.reader.effectRows(after: 0, limit: 10)
    #expect(rows.count == 2)
    #expect(rows.map(\.id) == rows.map(\.id).sorted())
    #expect(rows.allSatisfy { $0.properties == #"{"effects":[]}"# })
    #expect(try rig.reader.effectRows(after: rows[0].id, limit: 10) == [rows[1]])
  }

  @Test(
    "After a flush that failed they wait the usual time: a full disk is not asked 500 times a second"
  )
  func failed() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    rig.store.begin(nowMicroseconds: rig.now)
    let header = try rig.store.commit(Batch(), header: rig.header())
    rig.store.put(output(header), of: header, items: 0)
    rig.store.flushFailed(nowMicroseconds: rig.now)
    #expect(rig.store.urgentFlushDue == nil)
    #expect(!rig.store.isFlushDue(nowMicroseconds: rig.now + 4_000_000))
    #expect(rig.store.isFlushDue(nowMicroseconds: rig.now + 5_000_000))
    try rig.flush()
    #expect(try rig.reader.effectRows(after: 0, limit: 10).count == 1)
  }

  @Test("Cursors are written and forgotten with a write set")
  func cursors() throws {
    let scratch = try Scratch()
    let rig = try StoreRig(scratch.path)
    rig.store.begin(nowMicroseconds: rig.now)
    for cursors in [
      [("effects", 5), ("effects.mqtt", 7), ("other", 1)], [("effects", 8), ("effects.mqtt", nil)],
    ] as [[(String, Int64?)]] {
      var set = WriteSet()
      set.cursors = cursors.map { (name: $0.0, position: $0.1) }
      rig.store.enqueue(set)
      try rig.flush()
    }
    #expect(try rig.reader.cursors(prefix: "effects") == ["effects": 8])
    #expect(try rig.reader.cursors(prefix: "other") == ["other": 1])
  }
}
