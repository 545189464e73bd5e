import GRDB
import Synchronization
import Telemetry

/// A store that nobody runs, opened for reading: the database and, in memory, the journal's tail.
///
/// Writes nothing to the journal or the database (SQLite may make its `-shm` file anew). Use it only while
/// no gateway holds the directory; beside one, segments could go while they are read.
public final class OfflineStore: Sendable {
  public let reader: StoreReader
  /// What was replayed, and the damage that was met; nothing of it is booked.
  public let report: RecoveryReport
  /// Items of the tail that are not in the database: events, refused payloads and so on.
  private let tail: [(id: Int64, item: Item)]

  /// - Throws: `DatabaseError` when the file is missing or damaged; `millwright doctor` can mend that.
  public init(directory: String) throws {
    let queue = try StoreDatabase.openReadOnly(path: StoreDatabase.path(in: directory))
    var shelf = SeriesShelf(chunkSamplesMax: .max)
    var (catalog, position) = try queue.read { db in
      let catalog = try Catalog.load(db)
      try shelf.load(catalog, db)
      return (catalog, try StoredPosition.load(db))
    }
    let journal = try JournalReader(directory: directory + "/journal")
    var found: [(id: Int64, item: Item)] = []
    try journal.readAll(after: position.replayFrom) { header, batch in
      for (place, item) in batch.items.enumerated() {
        catalog.apply(item)
        if case .series(let definition) = item { shelf.define(definition) }
        guard header.sequence > position.rows else { continue }
        found.append((Int64(bitPattern: header.sequence << 20) + Int64(place), item))
      }
      shelf.apply(header, batch, seriesOf: { catalog.series(ofDevice: $0) }, note: { _, _ in })
    }
    let tail = found
    self.tail = tail
    report = RecoveryReport(
      records: journal.recordCount, samples: journal.sampleCount, damages: journal.damages,
      isDatabaseAhead: position.rows > journal.lastSequence)
    let open = OpenShelf(shelf)
    reader = StoreReader(
      directory: directory, database: CurrentDatabase(queue),
      fetchCatalog: {
        var catalog = try queue.read { try Catalog.load($0) }
        for row in tail { catalog.apply(row.item) }
        return catalog
      },
      fetchOpen: { open.parts(of: $0) })
  }

  /// What decoders remember, as of the end of the journal.
  public func memory() throws -> [String: [UInt8]] {
    var memory = try reader.database.read { try Store.loadMemory($0) }
    for (_, item) in tail {
      if case .remembered(let name, let content) = item {
        memory[name] = content.isEmpty ? nil : content
      }
    }
    return memory
  }

  /// What the quarantine holds, oldest first, as of the end of the journal.
  public func quarantine() throws -> [HeldPayload] {
    var held = try reader.quarantine()
    for (id, item) in tail {
      switch item {
      case .quarantined(let payload): held.append(HeldPayload(id: id, payload: payload))
      case .released(let rows, _): held.removeAll { rows.contains($0.id) }
      default: break
      }
    }
    return held
  }

  /// The open chunks; a lock, because readers come from any thread and decoding caches inside.
  private final class OpenShelf: Sendable {
    private let shelf: Mutex<SeriesShelf>

    init(_ shelf: sending SeriesShelf) { self.shelf = Mutex(shelf) }

    func parts(of series: [UInt32]) -> [OpenPart] { shelf.withLock { $0.openParts(of: series) } }
  }
}

extension StoreReader {
  /// What the quarantine table holds, oldest first; bounded by the settings of the store.
  public func quarantine() throws -> [HeldPayload] {
    try database.read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM quarantine ORDER BY id").map(HeldPayload.init)
    }
  }
}
