import GRDBSQLite
import Telemetry

/// `SELECT … FROM samples`: every sample of the store as a row, sealed or open.
///
/// ```sql
/// samples(device TEXT, metric TEXT, time TEXT, epoch REAL, value, unit TEXT, quality TEXT)
/// ```
/// Equality on `device` and `metric` and ranges on `time` (RFC 3339 text, a date, or epoch seconds) or
/// `epoch` are looked up, not scanned. `value` is REAL, 0/1 or TEXT by the type of the series.
/// An eponymous virtual table: it exists on each connection where it was registered.
enum SamplesTable {
  enum Column: Int32, CaseIterable {
    case device, metric, time, epoch, value, unit, quality
  }

  /// What a chosen constraint means to `filter`; one letter each in the index string.
  private enum Use: UInt8 {
    case device = 0x64  // d
    case metric = 0x6D  // m
    case from = 0x66  // f
    case after = 0x61  // a
    case through = 0x74  // t
    case before = 0x62  // b
  }

  /// Shared by all cursors of a connection; lives as long as the module.
  final class Context {
    let reader: StoreReader
    let catalog: Catalog

    init(reader: StoreReader, catalog: Catalog) {
      self.reader = reader
      self.catalog = catalog
    }
  }

  private struct TableBox {
    var base: sqlite3_vtab
    var context: Unmanaged<Context>
  }

  private struct CursorBox {
    var base: sqlite3_vtab_cursor
    var cursor: Unmanaged<SamplesCursor>
  }

  /// - Returns: SQLite's result code.
  static func register(on connection: OpaquePointer?, reader: StoreReader, catalog: Catalog)
    -> Int32
  {
    let context = Unmanaged.passRetained(Context(reader: reader, catalog: catalog))
    return sqlite3_create_module_v2(connection, "samples", module, context.toOpaque()) {
      Unmanaged<Context>.fromOpaque($0!).release()
    }
  }

  /// The callbacks; SQLite keeps the pointer for as long as the process runs.
  nonisolated(unsafe) private static let module: UnsafeMutablePointer<sqlite3_module> = {
    // Written once here and only read afterwards.
    let module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    module.initialize(to: sqlite3_module())
    module.pointee.xConnect = { db, auxiliary, _, _, table, _ in
      let schema = """
        CREATE TABLE samples(device TEXT, metric TEXT, time TEXT, epoch REAL, value, unit TEXT,
        quality TEXT)
        """
      let code = sqlite3_declare_vtab(db, schema)
      guard code == SQLITE_OK else { return code }
      let box = UnsafeMutablePointer<TableBox>.allocate(capacity: 1)
      box.initialize(
        to: TableBox(
          base: sqlite3_vtab(), context: Unmanaged<Context>.fromOpaque(auxiliary!)))
      table!.pointee = UnsafeMutableRawPointer(box).assumingMemoryBound(to: sqlite3_vtab.self)
      return SQLITE_OK
    }
    module.pointee.xDisconnect = { table in
      UnsafeMutableRawPointer(table!).assumingMemoryBound(to: TableBox.self).deallocate()
      return SQLITE_OK
    }
    module.pointee.xBestIndex = { _, info in SamplesTable.plan(&info!.pointee) }
    module.pointee.xOpen = { table, cursor in
      let context = UnsafeMutableRawPointer(table!).assumingMemoryBound(to: TableBox.self)
        .pointee.context.takeUnretainedValue()
      let box = UnsafeMutablePointer<CursorBox>.allocate(capacity: 1)
      box.initialize(
        to: CursorBox(
          base: sqlite3_vtab_cursor(),
          cursor: .passRetained(SamplesCursor(reader: context.reader, catalog: context.catalog))))
      cursor!.pointee = UnsafeMutableRawPointer(box).assumingMemoryBound(
        to: sqlite3_vtab_cursor.self)
      return SQLITE_OK
    }
    module.pointee.xClose = { cursor in
      let box = UnsafeMutableRawPointer(cursor!).assumingMemoryBound(to: CursorBox.self)
      box.pointee.cursor.release()
      box.deallocate()
      return SQLITE_OK
    }
    module.pointee.xFilter = { cursor, _, uses, count, values in
      SamplesTable.guarded(cursor) { try $0.start(SamplesTable.filter(uses, count, values)) }
    }
    module.pointee.xNext = { cursor in SamplesTable.guarded(cursor) { try $0.advance() } }
    module.pointee.xEof = { SamplesTable.cursor($0).isAtEnd ? 1 : 0 }
    module.pointee.xColumn = { cursor, context, column in
      SamplesTable.cursor(cursor).result(column: column, into: context)
      return SQLITE_OK
    }
    module.pointee.xRowid = { cursor, rowID in
      rowID!.pointee = SamplesTable.cursor(cursor).rowID
      return SQLITE_OK
    }
    return module
  }()

  private static func cursor(_ pointer: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> SamplesCursor
  {
    UnsafeMutableRawPointer(pointer!).assumingMemoryBound(to: CursorBox.self)
      .pointee.cursor.takeUnretainedValue()
  }

  /// Runs `body`; an error becomes the table's message.
  private static func guarded(
    _ pointer: UnsafeMutablePointer<sqlite3_vtab_cursor>?, _ body: (SamplesCursor) throws -> Void
  ) -> Int32 {
    do {
      try body(cursor(pointer))
      return SQLITE_OK
    } catch {
      let table = pointer!.pointee.pVtab!
      sqlite3_free(table.pointee.zErrMsg)
      table.pointee.zErrMsg = copied("\(error)")
      return SQLITE_ERROR
    }
  }

  private static func copied(_ text: String) -> UnsafeMutablePointer<CChar>? {
    let count = text.utf8.count
    guard let memory = sqlite3_malloc64(UInt64(count + 1)) else { return nil }
    text.withCString { memory.copyMemory(from: $0, byteCount: count + 1) }
    return memory.assumingMemoryBound(to: CChar.self)
  }

  // MARK: - Planning

  private static func plan(_ info: inout sqlite3_index_info) -> Int32 {
    var uses: [UInt8] = []
    for index in 0..<Int(info.nConstraint) {
      let constraint = info.aConstraint[index]
      guard constraint.usable != 0, let use = use(of: constraint) else { continue }
      uses.append(use.rawValue)
      info.aConstraintUsage[index].argvIndex = Int32(uses.count)
      // Compared as moments, not as text: SQLite must not compare again.
      info.aConstraintUsage[index].omit = 1
    }
    info.idxStr = copied(String(decoding: uses, as: UTF8.self))
    info.needToFreeIdxStr = 1
    let narrows = Set(uses)
    var cost = 1e9
    if narrows.contains(Use.device.rawValue) { cost /= 100 }
    if narrows.contains(Use.metric.rawValue) { cost /= 10 }
    if narrows.contains(Use.from.rawValue) || narrows.contains(Use.after.rawValue) { cost /= 10 }
    if narrows.contains(Use.through.rawValue) || narrows.contains(Use.before.rawValue) {
      cost /= 10
    }
    info.estimatedCost = cost
    info.estimatedRows = sqlite3_int64(cost)
    return SQLITE_OK
  }

  private static func use(of constraint: sqlite3_index_constraint) -> Use? {
    let comparison = Int32(constraint.op)
    switch Column(rawValue: constraint.iColumn) {
    case .device: return comparison == SQLITE_INDEX_CONSTRAINT_EQ ? .device : nil
    case .metric: return comparison == SQLITE_INDEX_CONSTRAINT_EQ ? .metric : nil
    case .time, .epoch:
      switch comparison {
      case SQLITE_INDEX_CONSTRAINT_GE: return .from
      case SQLITE_INDEX_CONSTRAINT_GT: return .after
      case SQLITE_INDEX_CONSTRAINT_LE: return .through
      case SQLITE_INDEX_CONSTRAINT_LT: return .before
      default: return nil
      }
    default: return nil
    }
  }

  private static func filter(
    _ uses: UnsafePointer<CChar>?, _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?
  ) throws -> SamplesFilter {
    var filter = SamplesFilter()
    for index in 0..<Int(count) {
      guard let use = Use(rawValue: UInt8(bitPattern: uses![index])) else { continue }
      let value = values![index]
      switch use {
      case .device: filter.device = text(value)
      case .metric: filter.metric = text(value)
      case .from: filter.from = max(filter.from, try moment(value))
      case .after: filter.from = max(filter.from, try moment(value).advanced(byMicroseconds: 1))
      case .through: filter.through = min(filter.through, try moment(value))
      case .before:
        filter.through = min(filter.through, try moment(value).advanced(byMicroseconds: -1))
      }
    }
    return filter
  }

  private static func text(_ value: OpaquePointer?) -> String {
    sqlite3_value_text(value).map { String(cString: $0) } ?? ""
  }

  struct NotAMoment: Error, CustomStringConvertible {
    let text: String
    var description: String {
      "'\(text)' is no time: write RFC 3339 ('2026-11-21T08:00:00Z'), a date or epoch seconds"
    }
  }

  private static func moment(_ value: OpaquePointer?) throws -> Timestamp {
    switch sqlite3_value_type(value) {
    case SQLITE_INTEGER:
      if let time = Timestamp(epoch: sqlite3_value_int64(value)) { return time }
    case SQLITE_FLOAT:
      if let time = Timestamp(epoch: sqlite3_value_double(value)) { return time }
    default: break
    }
    let text = text(value)
    guard let time = Timestamp(humanText: text) else { throw NotAMoment(text: text) }
    return time
  }
}

extension Timestamp {
  /// RFC 3339, the same without a zone (UTC then), or a date alone (midnight UTC).
  public init?(humanText text: String) {
    let candidates = [text, text + "Z", text + ":00Z", text + "T00:00:00Z"]
    for candidate in candidates {
      if let time = Timestamp(rfc3339: candidate) {
        self = time
        return
      }
    }
    return nil
  }
}
