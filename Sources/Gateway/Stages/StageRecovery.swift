import Storage
import Telemetry

/// Where the stages of a start come from.
struct StageRecovery {
  var stages: Stages
  var snapshots: StageSnapshots
  /// They begin anew, knowing definitions alone.
  var isNew = false
  /// Why earlier state could not be used; `nil`: nothing was lost.
  var problem: String?

  /// The newest snapshot that SQLite has caught up with; without one, stages that begin where SQLite stands.
  ///
  /// After damage to the database the newest snapshot counts: what SQLite held is rescued, not derived anew.
  static func begin(_ store: Store) throws -> StageRecovery {
    let snapshots = StageSnapshots(
      directory: store.settings.directory + "/state",
      synchronizes: store.settings.journal.synchronizes)
    let through = store.isReplacement ? UInt64.max : store.rowsThrough
    let positions = snapshots.positions().filter { $0 <= through }
    for position in positions.reversed() {
      guard let bytes = snapshots.read(position), let stages = try? Stages(encoded: bytes) else {
        continue  // Damaged or of another version: an older one, and what the journal still has.
      }
      let isNewest = position == positions.last
      // Newer ones belong to records that will be made again, maybe otherwise.
      try snapshots.removeNewer(than: position)
      store.keep(snapshots, position: position)
      return StageRecovery(
        stages: stages, snapshots: snapshots,
        problem: isNewest ? nil : "the newest snapshot of the stages could not be read")
    }
    let stages = Stages(catalog: store.catalog, position: store.rowsThrough)
    try snapshots.removeNewer(than: 0)
    // A crash before the first snapshot of this life must find where it began.
    try snapshots.write(stages.saved(), position: stages.position)
    store.keep(snapshots, position: stages.position)
    return StageRecovery(
      stages: stages, snapshots: snapshots, isNew: true,
      problem: positions.isEmpty ? nil : "no snapshot of the stages could be read; they begin anew")
  }
}

extension Stages {
  /// Takes a record of the journal's tail; one that is part of the snapshot is passed over.
  ///
  /// What leaves the box because of its rows does so from SQLite, behind a cursor: never from here.
  mutating func replay(
    _ header: RecordHeader, _ batch: Batch, into store: Store, _ output: inout StageOutput
  ) {
    guard header.sequence > position else { return }
    output.removeAll()
    apply(header, batch, into: &output)
    store.put(output, of: header, items: batch.items.count)
  }
}
