import Dispatch
import GRDBSQLite
import Telemetry

/// The result of a statement, column by name and row by row.
public struct SQLResult: Sendable {
  public enum Cell: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
  }

  public var columns: [String] = []
  public var rows: [[Cell]] = []
  /// More rows were there than the limit allows.
  public var isTruncated = false

  public init() {}
}

/// Why a statement was not run or not finished; a sentence for the person who wrote it.
public struct SQLProblem: Error, Sendable, Equatable, CustomStringConvertible {
  public let code: String
  public let description: String
}

/// Runs statements of people on a read-only connection, with limits of time and rows.
public struct SQLConsole: Sendable {
  public var secondsMax: Double
  public var rowsMax: Int
  /// Whether the tables that speak of people may be read: `event` and `answer`.
  public var readsPeople: Bool

  public init(secondsMax: Double, rowsMax: Int, readsPeople: Bool = true) {
    self.secondsMax = secondsMax
    self.rowsMax = rowsMax
    self.readsPeople = readsPeople
  }

  /// Runs one SELECT (or other reading) statement. Blocks.
  /// - Throws: `SQLProblem` for everything the author of the statement can mend.
  public func run(
    _ sql: String, reader: StoreReader
  ) throws -> SQLResult {
    let catalog = try reader.catalog()
    let deadline = Deadline(seconds: secondsMax)
    let connection = try open(reader)
    // Deferred closing also waits for a statement that an error left unfinished.
    defer { sqlite3_close_v2(connection) }
    sqlite3_busy_timeout(connection, 5_000)
    guard SamplesTable.register(on: connection, reader: reader, catalog: catalog) == SQLITE_OK
    else { throw problem(connection, deadline) }
    // The table connects at its first use, which declares a schema: before that is forbidden.
    guard sqlite3_exec(connection, "SELECT 1 FROM samples LIMIT 0", nil, nil, nil) == SQLITE_OK
    else { throw problem(connection, deadline) }
    let guardian = PeopleGuard(readsPeople: readsPeople)
    restrict(connection, guardian)
    let context = Unmanaged.passUnretained(deadline).toOpaque()
    sqlite3_progress_handler(
      connection, 1_000,
      { Unmanaged<Deadline>.fromOpaque($0!).takeUnretainedValue().hasPassed ? 1 : 0 }, context)
    return try withExtendedLifetime((deadline, guardian)) {
      do {
        return try fetch(sql, connection, deadline)
      } catch {
        throw guardian.hasRefused ? SQLProblem.people : error
      }
    }
  }

  private func open(_ reader: StoreReader) throws -> OpaquePointer? {
    var connection: OpaquePointer?
    let path = StoreDatabase.readOnlyURI(StoreDatabase.path(in: reader.directory))
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
    let code = sqlite3_open_v2(path, &connection, flags, nil)
    guard code == SQLITE_OK else {
      sqlite3_close_v2(connection)
      throw SQLProblem(
        code: "not_open",
        description: "the store cannot be opened: \(String(cString: sqlite3_errstr(code)))")
    }
    return connection
  }

  private func fetch(
    _ sql: String, _ connection: OpaquePointer?, _ deadline: Deadline
  ) throws -> SQLResult {
    let statement = try prepare(sql, connection, deadline)
    defer { sqlite3_finalize(statement) }
    let count = sqlite3_column_count(statement)
    var result = SQLResult()
    result.columns = (0..<count).map { String(cString: sqlite3_column_name(statement, $0)) }
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return result }
      guard code == SQLITE_ROW else { throw problem(connection, deadline) }
      if deadline.hasPassed { throw SQLProblem.timeOut(secondsMax) }
      if result.rows.count == rowsMax {
        result.isTruncated = true
        return result
      }
      result.rows.append((0..<count).map { cell(statement, $0) })
    }
  }

  private func prepare(
    _ sql: String, _ connection: OpaquePointer?, _ deadline: Deadline
  ) throws -> OpaquePointer? {
    var statement: OpaquePointer?
    var rest = ""
    let code = sql.withCString { text in
      var tail: UnsafePointer<CChar>?
      let code = sqlite3_prepare_v2(connection, text, -1, &statement, &tail)
      rest = tail.map { String(cString: $0) } ?? ""
      return code
    }
    guard code == SQLITE_OK else { throw problem(connection, deadline) }
    guard let statement else {
      throw SQLProblem(code: "empty", description: "there is no statement to run")
    }
    guard sqlite3_stmt_readonly(statement) != 0, rest.allSatisfy({ $0.isWhitespace || $0 == ";" })
    else {
      sqlite3_finalize(statement)
      throw SQLProblem(
        code: "not_read_only", description: "exactly one statement that reads is run here")
    }
    return statement
  }

  private func cell(_ statement: OpaquePointer?, _ column: Int32) -> SQLResult.Cell {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
    case SQLITE_TEXT:
      return .text(sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
    case SQLITE_BLOB:
      let count = Int(sqlite3_column_bytes(statement, column))
      return .blob(
        [UInt8](UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, column), count: count))
      )
    default: return .null
    }
  }

  /// Nothing but reading: no other files, no settings, no transactions; people only where they may be read.
  private func restrict(_ connection: OpaquePointer?, _ guardian: PeopleGuard) {
    sqlite3_set_authorizer(
      connection,
      { context, action, table, _, _, _ in
        switch action {
        case SQLITE_SELECT, SQLITE_FUNCTION, SQLITE_RECURSIVE: return SQLITE_OK
        case SQLITE_READ:
          let guardian = Unmanaged<PeopleGuard>.fromOpaque(context!).takeUnretainedValue()
          return guardian.permits(table.map { String(cString: $0) } ?? "") ? SQLITE_OK : SQLITE_DENY
        default: return SQLITE_DENY
        }
      }, Unmanaged.passUnretained(guardian).toOpaque())
  }

  /// Keeps tables that speak of people from those who may not read them, and remembers that it had to.
  private final class PeopleGuard {
    private static let tables: Set<String> = ["event", "answer"]
    private let readsPeople: Bool
    private(set) var hasRefused = false

    init(readsPeople: Bool) { self.readsPeople = readsPeople }

    func permits(_ table: String) -> Bool {
      if readsPeople || !Self.tables.contains(table) { return true }
      hasRefused = true
      return false
    }
  }

  private func problem(_ connection: OpaquePointer?, _ deadline: Deadline) -> SQLProblem {
    switch sqlite3_errcode(connection) {
    case SQLITE_INTERRUPT: return .timeOut(secondsMax)
    case SQLITE_AUTH:
      return SQLProblem(
        code: "not_read_only", description: "exactly one statement that reads is run here")
    default:
      return SQLProblem(code: "sql_error", description: String(cString: sqlite3_errmsg(connection)))
    }
  }

  /// A moment after which a statement is stopped.
  private final class Deadline {
    private let end: UInt64

    init(seconds: Double) { end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9) }

    var hasPassed: Bool { DispatchTime.now().uptimeNanoseconds > end }
  }
}

extension SQLProblem {
  public static let people = SQLProblem(
    code: "people", description: "the tables `event` and `answer` speak of people")

  static func timeOut(_ seconds: Double) -> SQLProblem {
    SQLProblem(
      code: "time_out",
      description: "the statement ran longer than \(seconds) s: narrow it by device, metric or time"
    )
  }
}
