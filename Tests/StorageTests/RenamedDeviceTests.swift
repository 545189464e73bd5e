import Foundation
import GRDB
import Telemetry
import TestSupport
import Testing

@testable import Storage

/// A device that was renamed: 0 was `a`, then `b`, and its old name is another device's.
@Suite struct RenamedDeviceTests {
  private func commit(_ rig: StoreRig, _ items: [Item]) throws {
    var batch = Batch()
    batch.items = items
    batch.endDelivery(packetID: 0)
    try rig.commit(batch)
  }

  private func device(_ index: UInt32, _ id: String, was: [String] = []) -> Item {
    .device(DeviceDefinition(index: index, id: id, isAdopted: true, isPlaced: true, was: was))
  }

  private func series(_ index: UInt32, of device: UInt32) -> Item {
    .series(
      SeriesDefinition(index: index, device: device, metric: "m", type: .number, kind: .gauge))
  }

  /// History under the old name, then the rename, then a new device of the old name.
  private func live(_ rig: StoreRig, flushing: Bool) throws {
    try commit(rig, [device(0, "a"), series(0, of: 0)])
    try rig.put((0..<1_000).map { (0, Int64($0), Double($0)) })
    if flushing { try rig.flush(everything: true) }
    try commit(rig, [device(0, "b", was: ["a"])])
    try rig.put([(0, 2_000, 1)])
    if flushing { try rig.flush() }
    try commit(rig, [device(0, "b"), device(1, "a"), series(1, of: 1)])
    try rig.put([(1, 2_000, 2)])
  }

  private func expectNames(_ rig: StoreRig) throws {
    #expect(rig.store.catalog.devices.map(\.id) == ["b", "a"])
    #expect(rig.store.catalog.devices.map(\.isPlaced) == [true, true])
    try rig.flush(everything: true)
    let names = try rig.store.database.read {
      try String.fetchAll($0, sql: "SELECT name FROM device ORDER BY id")
    }
    #expect(names == ["b", "a"])
    try rig.expectModel()
  }

  @Test("Names survive a crash before and after a flush", arguments: [true, false])
  func crash(flushing: Bool) throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try live(rig, flushing: flushing)
    _ = try rig.crash()
    try expectNames(rig)
    _ = try rig.crash()
    try expectNames(rig)
  }

  @Test("Names that change hands in a ring within one flush are all written")
  func ring() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try commit(rig, [device(0, "a"), device(1, "b"), device(2, "c")])
    try rig.flush()
    try commit(rig, [device(0, "x"), device(1, "a"), device(2, "b"), device(0, "c", was: ["a"])])
    try rig.flush()
    let names = try rig.store.database.read {
      try String.fetchAll($0, sql: "SELECT name FROM device ORDER BY id")
    }
    #expect(names == ["c", "a", "b"])
    _ = try rig.crash()
    #expect(rig.store.catalog.devices.map(\.id) == names)
    #expect(rig.store.catalog.presentID(ofFormer: "a") == "c")
  }

  @Test(
    "A database replaced after damage replays old names and ends with the new ones",
    arguments: [true, false])
  func replaced(crashes: Bool) throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try live(rig, flushing: true)
    _ = try rig.store.replaceDamagedDatabase()
    // A start before the next flush replays all of the journal that is left.
    if crashes { _ = try rig.crash() }
    try rescue(rig)
    try expectNames(rig)
  }

  @Test("Chunks of a damaged file come back though their device was renamed since")
  func rescued() throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try commit(rig, [device(0, "a"), series(0, of: 0)])
    try rig.put((0..<1_000).map { (0, Int64($0), Double($0)) })
    try rig.flush(everything: true)
    _ = try rig.store.replaceDamagedDatabase()
    try commit(rig, [device(0, "b", was: ["a"])])
    try rescue(rig)
    try rig.expectModel()
  }

  private func rescue(_ rig: StoreRig) throws {
    for rescue in try Rescue.owed(directory: rig.directory, database: rig.store.database) {
      _ = try rescue.run(now: .epoch, catalog: rig.store.catalog) { set in
        rig.store.enqueue(set)
        try rig.flush()
      }
    }
  }

  @Test(
    "What is held of a device is found under the name it has, written before or with the rename",
    arguments: [true, false])
  func quarantine(flushing: Bool) throws {
    let directory = TemporaryDirectory()
    let rig = try StoreRig(directory.path)
    try commit(rig, [device(0, "a")])
    try commit(
      rig,
      [
        .quarantined(
          Quarantined(
            cause: .partlyRefused, topic: "t", device: "a", reason: "r", received: .epoch,
            payload: [1], payloadSize: 1))
      ])
    if flushing { try rig.flush() }
    try commit(rig, [device(0, "b", was: ["a"])])
    _ = try rig.crash()
    #expect(rig.store.catalog.devices.map(\.was) == [["a"]])
    try rig.flush()
    #expect(try rig.reader.heldPayloads().map(\.payload.device) == ["b"])
  }
}
