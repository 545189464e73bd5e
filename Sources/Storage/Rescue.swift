import Foundation
import GRDB
import Telemetry

/// Brings back chunks and events that a set-aside database still holds, while the gateway runs.
///
/// A job: it reads the damaged file and hands over write sets, each of which says how far it came; so one that
/// was cut short goes on there. It is owed as long as its row in `cursor` says 0. Definitions, positions and
/// other small tables were taken over when the file was set aside.
public struct Rescue {
  private static let prefix = "rescue:"
  private static let tables = ["chunk", "event"]
  /// Bytes of one write set.
  private static let bytesMax = 200_000

  /// Path of the damaged database.
  public let file: String
  private let done: [String: Int64]

  /// The files in `directory` whose rescue is not finished.
  public static func owed(directory: String, database: any DatabaseReader) throws -> [Rescue] {
    try database.read { db in
      try owed(db).map { name in
        var done: [String: Int64] = [:]
        for table in tables {
          done[table] = try Int64.fetchOne(
            db, sql: "SELECT position FROM cursor WHERE name = ?",
            arguments: [progressName(table, name)])
        }
        return Rescue(file: directory + "/" + name, done: done)
      }
    }
  }

  static func owed(_ db: Database) throws -> [String] {
    try String.fetchAll(
      db, sql: "SELECT substr(name, ?) FROM cursor WHERE name GLOB ? AND position = 0",
      arguments: [prefix.count + 1, prefix + "*"])
  }

  static func owe(file: String, _ db: Database) throws { try mark(prefix + name(file), 0, db) }

  static func finish(file: String, _ db: Database) throws { try mark(prefix + name(file), 1, db) }

  static func mark(_ name: String, _ position: Int64, _ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO cursor VALUES (?, ?)", arguments: [name, position])
  }

  private static func name(_ file: String) -> String {
    URL(fileURLWithPath: file).lastPathComponent
  }
  private static func progressName(_ table: String, _ name: String) -> String {
    "rescued-\(table):\(name)"
  }

  /// Reads the file through once.
  ///
  /// - Parameters:
  ///   - catalog: today's series; chunks of a series that is another one now stay where they are, booked.
  ///   - put: takes a write set; what it throws ends the rescue, which goes on there the next time.
  public func run(
    now: Timestamp, catalog: Catalog, put: @escaping (WriteSet) throws -> Void
  ) throws -> SalvageReport {
    var last = WriteSet()
    last.time = now.microseconds
    last.rescued = file
    let source: DatabaseQueue
    do {
      source = try StoreDatabase.openReadOnly(path: file)
    } catch let error as DatabaseError
      where error.isUnreadable || error.resultCode == .SQLITE_CANTOPEN
    {
      try put(last)  // That nothing of it can be read was booked when it was set aside.
      return SalvageReport(setAside: file)
    }
    let known = try Rescue.sameSeries(source, catalog, file: file)
    var strangers = 0
    var salvage = Salvage(source: source, setAside: file) { [file] table, rows in
      var batch: [Row] = []
      var bytes = 0
      var through: Int64 = 0
      func handOver() throws {
        guard through > 0 else { return }
        var set = WriteSet()
        set.rows = RescuedRows(batch, of: table)
        set.progress = (Rescue.progressName(table, Rescue.name(file)), through)
        try put(set)
        batch.removeAll()
        bytes = 0
      }
      for row in rows {
        through = Salvage.id(row)
        if table == "chunk", !known.contains(row.integer("series") ?? -1) {
          strangers += 1
          continue
        }
        batch.append(row)
        bytes += row.databaseValues.reduce(64) { $0 + $1.byteCount }
        if bytes >= Rescue.bytesMax { try handOver() }
      }
      try handOver()
    }
    try salvage.run(Rescue.tables, after: done)
    last.losses = salvage.losses
    if strangers > 0 {
      last.losses.append(
        LossEntry(
          cause: .damage, count: strangers,
          detail: "chunks of series whose definitions were lost stay in \(file)"))
    }
    try put(last)
    return salvage.report
  }

  /// Ids that mean the same series in the damaged file and today.
  private static func sameSeries(
    _ source: DatabaseQueue, _ catalog: Catalog, file: String
  ) throws -> Set<Int64> {
    var devices: [Int64: String] = [:]
    var same = Set<Int64>()
    var salvage = Salvage(source: source, setAside: file) { table, rows in
      for row in rows {
        let id = Salvage.id(row)
        if table == "device" {
          devices[id] = row.text("name")
        } else if (0..<Int64(catalog.series.count)).contains(id),
          let device = row.integer("device"), let name = devices[device],
          let metric = row.text("metric"),
          catalog.isSeries(UInt32(id), device: name, metric: metric)
        {
          same.insert(id)
        }
      }
    }
    try salvage.run(["device", "series"])
    return same
  }
}

extension Catalog {
  /// Whether the series has this metric and its device has, or had, this id.
  fileprivate func isSeries(_ index: UInt32, device name: String, metric: String) -> Bool {
    let definition = series[Int(index)]
    let device = devices[Int(definition.device)]
    return definition.metric == metric && (device.id == name || device.was.contains(name))
  }
}

/// Rows of a damaged database on their way into the new one.
struct RescuedRows: Sendable {
  var table = ""
  var columns: [String] = []
  var rows: [[DatabaseValue]] = []

  init() {}

  init(_ rows: [Row], of table: String) {
    self.table = table
    columns = (rows.first.map { Array($0.columnNames) } ?? []).filter { $0 != "rowid_" }
    self.rows = rows.map { row in columns.map { row[$0] as DatabaseValue } }
  }

  /// Chunks get ids of the new file; one that is there already to the last byte is not written again.
  private static let chunkIdentity = ["series", "t0", "t1", "min_seq", "max_seq", "count", "blob"]

  func insert(_ db: Database) throws {
    guard !rows.isEmpty else { return }
    var names = columns
    var condition = ""
    if table == "chunk" {
      names.removeAll { $0 == "id" }
      let equal = Self.chunkIdentity.map { "\($0) IS ?\(names.firstIndex(of: $0)! + 1)" }
      condition =
        " WHERE NOT EXISTS (SELECT 1 FROM chunk WHERE \(equal.joined(separator: " AND ")))"
    }
    let marks = names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    let statement = try db.cachedStatement(
      sql:
        "INSERT OR IGNORE INTO \(table) (\(names.joined(separator: ", "))) SELECT \(marks)\(condition)"
    )
    let places = names.map { columns.firstIndex(of: $0)! }
    for row in rows { try statement.execute(arguments: StatementArguments(places.map { row[$0] })) }
  }
}

extension DatabaseValue {
  /// About what it takes in a row.
  fileprivate var byteCount: Int {
    switch storage {
    case .blob(let data): data.count
    case .string(let text): text.utf8.count
    default: 8
    }
  }
}
