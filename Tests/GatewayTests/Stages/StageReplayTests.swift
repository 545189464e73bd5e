import Foundation
import GRDB
import Storage
import Telemetry
import TestSupport
import Testing

@testable import Gateway

/// What the stages conclude is a function of the journal alone (durability rule 16).
@Suite("Replays of the stages")
struct StageReplayTests {
  private static let plant = Result {
    try PlantRecords(
      seed: 5, hours: 24, seconds: 60, devices: try PlantRecords.exampleDevices())
  }

  private struct Life {
    var outputs: [StageOutput] = []
    var bytes: [UInt8] = []
  }

  /// - Parameter cuts: of so many records one is followed by saving and restoring; 0: none.
  private static func live(cuts: UInt64, seed: UInt64) throws -> Life {
    var stages = Stages()
    var life = Life()
    var random = PlantRecords.Draw(state: seed)
    for (header, batch) in try plant.get().records {
      var output = StageOutput()
      stages.apply(header, batch, into: &output)
      life.outputs.append(output)
      if cuts > 0, random.below(cuts) == 0 { stages = try Stages(encoded: stages.encoded) }
    }
    life.bytes = stages.encoded
    return life
  }

  @Test("A day of the plant gives the same rows and the same bytes wherever it is cut")
  func cuts() throws {
    let whole = try Self.live(cuts: 0, seed: 0)
    let events = whole.outputs.flatMap(\.events)
    // It is a day worth replaying.
    #expect(
      Set(events.map(\.event.name)).isSuperset(of: [
        "GatewayStarted", "AlarmRaised", "AlarmCleared", "AlarmAcknowledged", "RuleActive",
        "MaintenanceRecommended", "MachineStateChanged",
      ]), "\(Set(events.map(\.event.name)))")
    #expect(Set(events.map(\.event.id)).count == events.count)
    for seed in 1...2 as ClosedRange<UInt64> {
      let cut = try Self.live(cuts: 150, seed: seed)
      let different = zip(whole.outputs, cut.outputs).enumerated().first {
        $0.element.0 != $0.element.1
      }
      #expect(different == nil, "record \(different?.offset ?? 0)")
      #expect(cut.bytes == whole.bytes)
    }
  }

  // MARK: - With the store

  /// Journal, store and stages as the ingest loop drives them, with kills in between.
  private final class Rig {
    private let directory: String
    private var store: Store
    private var stages: Stages
    private var snapshots: StageSnapshots
    private var verdicts: [Verdict] = []
    private var output = StageOutput()
    private var now: Int64 = 0

    init(directory: String) throws {
      self.directory = directory
      (store, stages, snapshots) = try Self.open(directory)
    }

    private static func open(_ directory: String) throws -> (Store, Stages, StageSnapshots) {
      var settings = StoreSettings(directory: directory)
      settings.journal.synchronizes = false
      settings.ballastBytes = 0
      let store = try Store(settings: settings)
      let begun = try StageRecovery.begin(store)
      #expect(begun.problem == nil)
      var stages = begun.stages
      var verdicts: [Verdict] = []
      var output = StageOutput()
      _ = try store.recover(from: stages.position) { header, batch in
        store.apply(header, batch, verdicts: &verdicts)
        stages.replay(header, batch, into: store, &output)
      }
      store.begin(nowMicroseconds: 0)
      return (store, stages, begun.snapshots)
    }

    func take(_ record: (header: RecordHeader, batch: Batch)) throws {
      let committed = try store.commit(record.batch, header: record.header)
      #expect(committed.sequence == record.header.sequence)
      store.apply(committed, record.batch, verdicts: &verdicts)
      output.removeAll()
      stages.apply(committed, record.batch, into: &output)
      store.put(output, of: committed, items: record.batch.items.count)
      now += 1_000_000
    }

    func flush() throws { try store.flush(nowMicroseconds: now) }

    func snapshot() throws {
      try snapshots.write(stages.saved(), position: stages.position)
      store.snapshotWritten(position: stages.position)
    }

    /// Memory goes; what is on the disk stays. With a database of earlier, as after a power cut.
    func kill(restoring copy: String?) throws {
      try store.database.close()
      if let copy {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.hasPrefix("store.sqlite") {
          try FileManager.default.removeItem(atPath: directory + "/" + name)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: copy) {
          try FileManager.default.copyItem(
            atPath: copy + "/" + name, toPath: directory + "/" + name)
        }
      }
      (store, stages, snapshots) = try Self.open(directory)
    }

    /// Database and WAL as they are now.
    func copyDatabase(to copy: String) throws {
      if FileManager.default.fileExists(atPath: copy) {
        try FileManager.default.removeItem(atPath: copy)
      }
      try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
      for name in try FileManager.default.contentsOfDirectory(atPath: directory)
      where name.hasPrefix("store.sqlite") && !name.hasSuffix("-shm") {
        try FileManager.default.copyItem(atPath: directory + "/" + name, toPath: copy + "/" + name)
      }
    }

    var position: UInt64 { stages.position }
    var isReleasing: Bool { store.stagePosition > 0 }

    /// Everything the stages left, sorted.
    func dump() throws -> (rows: [String], bytes: [UInt8]) {
      try flush()
      let rows = try store.database.read { db in
        try String.fetchAll(
          db,
          sql: """
            SELECT 'event ' || id || ' ' || event_id || ' ' || name || ' ' || time || ' ' || origin
              || ' ' || ifnull(device, '') || ' ' || ifnull(user, '') || ' ' || properties FROM event
            UNION ALL
            SELECT 'standing ' || kind || ' ' || key || ' ' || sequence || ' ' || time || ' ' || body
              FROM standing
            ORDER BY 1
            """)
      }
      return (rows, stages.encoded)
    }

    func close() throws { try store.close(nowMicroseconds: now, stages: stages.saved()) }
  }

  @Test("Kills at random places, other flushes and a database of earlier change nothing")
  func kills() throws {
    let records = try Self.plant.get().records
    let scratch = try Scratch()
    let whole = try Rig(directory: scratch.path + "/whole")
    for record in records { try whole.take(record) }
    let expected = try whole.dump()
    #expect(expected.rows.count > 60)
    for seed in 1...2 as ClosedRange<UInt64> {
      var random = PlantRecords.Draw(state: seed)
      let rig = try Rig(directory: scratch.path + "/killed\(seed)")
      let copy = scratch.path + "/copy\(seed)"
      try rig.copyDatabase(to: copy)
      for record in records {
        try rig.take(record)
        if random.below(20) == 0 { try rig.flush() }
        if random.below(120) == 0 { try rig.snapshot() }
        // No synced commit lies between the copy and the kill: a power cut loses no more.
        if !rig.isReleasing, random.below(60) == 0 { try rig.copyDatabase(to: copy) }
        if random.below(150) == 0 {
          let isPowerCut = !rig.isReleasing && random.below(2) == 0
          try rig.kill(restoring: isPowerCut ? copy : nil)
          #expect(rig.position == record.header.sequence)
        }
      }
      let dump = try rig.dump()
      let missing = Set(expected.rows).subtracting(dump.rows).sorted().first
      let more = Set(dump.rows).subtracting(expected.rows).sorted().first
      #expect(missing == nil)
      #expect(more == nil)
      #expect(dump.rows.count == expected.rows.count)
      #expect((dump.bytes == expected.bytes) == true)
      try rig.close()
      let again = try Rig(directory: scratch.path + "/killed\(seed)")
      #expect(try again.dump().rows == expected.rows)
    }
  }
}

extension Stages {
  /// What a snapshot holds.
  var encoded: [UInt8] { saved().withBytes { Array($0) } }
}
