import Foundation
import GRDB
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
public struct SQLProblem: Error, Sendable, CustomStringConvertible {
  public let code: String
  public let description: String
}

/// Runs statements of people on a read-only connection, with limits of time and rows.
public struct SQLConsole: Sendable {
  public var secondsMax: Double
  public var rowsMax: Int

  public init(secondsMax: Double, rowsMax: Int) {
    self.secondsMax = secondsMax
    self.rowsMax = rowsMax
  }

  /// Runs one SELECT (or other reading) statement. Blocks.
  /// - Throws: `SQLProblem` for everything the author of the statement can mend.
  public func run(_ sql: String, reader: StoreReader) throws -> SQLResult {
    let queue = try StoreDatabase.openReadOnly(path: StoreDatabase.path(in: reader.directory))
    let catalog = try reader.catalog()
    let deadline = Deadline(seconds: secondsMax)
    return try queue.read { db in
      try SamplesTable.register(on: db, reader: reader, catalog: catalog)
      // Declares the table's columns, which would no longer be allowed under the restrictions.
      _ = try Row.fetchOne(db, sql: "SELECT 1 FROM samples LIMIT 0")
      restrict(db)
      // The end of the reading transaction must be allowed again.
      defer { sqlite3_set_authorizer(db.sqliteConnection, nil, nil) }
      let context = Unmanaged.passUnretained(deadline).toOpaque()
      sqlite3_progress_handler(
        db.sqliteConnection, 1_000,
        { Unmanaged<Deadline>.fromOpaque($0!).takeUnretainedValue().hasPassed ? 1 : 0 }, context)
      defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
      do {
        return try fetch(sql, db, deadline: deadline)
      } catch let error as DatabaseError {
        throw problem(error, deadline: deadline)
      }
    }
  }

  private func fetch(_ sql: String, _ db: Database, deadline: Deadline) throws -> SQLResult {
    let statement = try db.makeStatement(sql: sql)
    guard sqlite3_stmt_readonly(statement.sqliteStatement) != 0 else {
      throw SQLProblem(code: "not_read_only", description: "only statements that read are run here")
    }
    var result = SQLResult()
    result.columns = statement.columnNames
    let rows = try Row.fetchCursor(statement)
    while let row = try rows.next() {
      if result.rows.count == rowsMax || deadline.hasPassed {
        result.isTruncated = true
        if deadline.hasPassed { throw SQLProblem.timeOut(secondsMax) }
        break
      }
      result.rows.append(
        (0..<row.count).map { column in
          switch (row[column] as DatabaseValue).storage {
          case .null: .null
          case .int64(let number): .integer(number)
          case .double(let number): .real(number)
          case .string(let text): .text(text)
          case .blob(let data): .blob([UInt8](data))
          }
        })
    }
    return result
  }

  /// Nothing but reading: no other files, no settings.
  private func restrict(_ db: Database) {
    sqlite3_set_authorizer(
      db.sqliteConnection,
      { _, action, _, _, _, _ in
        switch action {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE: SQLITE_OK
        default: SQLITE_DENY
        }
      }, nil)
  }

  private func problem(_ error: DatabaseError, deadline: Deadline) -> SQLProblem {
    if deadline.hasPassed || error.resultCode == .SQLITE_INTERRUPT { return .timeOut(secondsMax) }
    if error.resultCode == .SQLITE_AUTH {
      return SQLProblem(code: "not_read_only", description: "only statements that read are run here")
    }
    return SQLProblem(code: "sql_error", description: error.message ?? "\(error)")
  }

  /// A moment after which a statement is stopped.
  private final class Deadline {
    private let end: UInt64

    init(seconds: Double) { end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9) }

    var hasPassed: Bool { DispatchTime.now().uptimeNanoseconds > end }
  }
}

extension SQLProblem {
  static func timeOut(_ seconds: Double) -> SQLProblem {
    SQLProblem(
      code: "time_out",
      description: "the statement ran longer than \(seconds) s: narrow it by device, metric or time")
  }
}
