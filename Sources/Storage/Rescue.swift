import Foundation
import GRDB
import Telemetry

/// Brings back what a set-aside database still holds, while the gateway runs.
///
/// A job: it reads the damaged file and hands over write sets. A row that is there already is not written
/// again, so a rescue that was cut short begins anew. It is owed as long as its row in `cursor` says 0.
public struct Rescue {
  private static let prefix = "rescue:"
  /// Definitions are not among them: the store had them in memory or took them over when it opened.
  private static let tables = ["chunk", "event", "quarantine", "configuration", "loss"]
  /// Chunks of one write set: about 200 kB.
  private static let chunksMax = 24

  /// Path of the damaged database.
  public let file: String

  /// The files in `directory` whose rescue is not finished.
  public static func owed(directory: String, database: any DatabaseReader) throws -> [Rescue] {
    try database.read { db in try owed(db) }.map { Rescue(file: directory + "/" + $0) }
  }

  static func owed(_ db: Database) throws -> [String] {
    try String.fetchAll(
      db, sql: "SELECT substr(name, ?) FROM cursor WHERE name GLOB ? AND position = 0",
      arguments: [prefix.count + 1, prefix + "*"])
  }

  static func owe(file: String, _ db: Database) throws {
    try mark(file: file, position: 0, db)
  }

  static func mark(file: String, position: Int, _ db: Database) throws {
    let name = prefix + URL(fileURLWithPath: file).lastPathComponent
    try db.execute(
      sql: "INSERT OR REPLACE INTO cursor VALUES (?, ?)", arguments: [name, position])
  }

  /// Reads the file through once.
  ///
  /// - Parameters:
  ///   - catalog: today's series; chunks of a series that is another one now stay where they are, booked.
  ///   - put: takes a write set; what it throws ends the rescue, which then stays owed.
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
      where Store.isDamage(error) || error.resultCode == .SQLITE_CANTOPEN
    {
      last.losses = [LossEntry(cause: .damage, detail: "nothing of \(file) could be read")]
      try put(last)
      return SalvageReport(setAside: file)
    }
    let known = try Rescue.sameSeries(source, catalog, file: file)
    var strangers = 0
    var salvage = Salvage(source: source, setAside: file) { table, rows in
      guard table == "chunk" else { return try put(WriteSet(rescuing: rows, of: table)) }
      let kept = rows.filter { known.contains($0["series"] as Int64? ?? -1) }
      strangers += rows.count - kept.count
      for start in stride(from: 0, to: kept.count, by: Rescue.chunksMax) {
        let end = min(start + Rescue.chunksMax, kept.count)
        try put(WriteSet(rescuing: Array(kept[start..<end]), of: table))
      }
    }
    try salvage.run(Rescue.tables)
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
        guard let id = row["id"] as Int64? else { continue }
        if table == "device" {
          devices[id] = row["name"]
        } else if id < catalog.series.count, let device = row["device"] as Int64?,
          let name = devices[device], let metric = row["metric"] as String?,
          catalog.key(of: UInt32(id)) == SeriesKey(device: name, metric: metric)
        {
          same.insert(id)
        }
      }
    }
    try salvage.run(["device", "series"])
    return same
  }
}

/// Rows of a damaged database on their way into the new one.
struct RescuedRows: Sendable {
  var table = ""
  var columns: [String] = []
  var rows: [[DatabaseValue]] = []

  /// What makes a row the same as another where the id does not: ids of the new file are its own.
  private static let identities = [
    "chunk": ["series", "t0", "t1", "max_seq"], "loss": ["time", "cause", "detail"],
  ]

  func insert(_ db: Database) throws {
    guard !rows.isEmpty else { return }
    var names = columns
    var condition = ""
    if let identity = Self.identities[table] {
      names.removeAll { $0 == "id" }
      let equal = identity.map { "\($0) IS ?\(names.firstIndex(of: $0)! + 1)" }
      condition =
        " WHERE NOT EXISTS (SELECT 1 FROM \(table) WHERE \(equal.joined(separator: " AND ")))"
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

extension WriteSet {
  init(rescuing rows: [Row], of table: String) {
    self.init()
    let columns = (rows.first.map { Array($0.columnNames) } ?? []).filter { $0 != "rowid_" }
    self.rows = RescuedRows(
      table: table, columns: columns,
      rows: rows.map { row in columns.map { row[$0] as DatabaseValue } })
  }
}
