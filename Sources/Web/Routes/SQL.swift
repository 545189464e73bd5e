import Foundation
import Gateway
import NIOCore
import Storage
import Telemetry

extension RouteTable {
  var sqlRoutes: [Route] {
    [Route(.post, "/api/v1/query/sql", scope: .read, body: .json, handler: runSQL)]
  }

  @Sendable private func runSQL(_ call: Call) async throws -> Reply {
    let body = try call.json()
    guard let sql = body["sql"]?.text, !sql.isEmpty else {
      throw Problem.invalid("/sql", "missing", "send `{\"sql\": \"SELECT …\"}`")
    }
    let format = body["format"]?.text ?? "json"
    guard ["json", "csv"].contains(format) else {
      throw Problem.invalid("/format", "unknown_format", "`format` is json or csv")
    }
    let console = SQLConsole(
      secondsMax: settings.sqlSecondsMax, rowsMax: settings.sqlRowsMax,
      readsPeople: call.caller.scopes.contains(.people))
    // New devices and events wait in memory for some seconds; who asks wants to see them.
    await gateway.flush()
    let buffer: ByteBuffer
    do {
      buffer = try await gateway.queries.fetch { reader in
        let result = try console.run(sql, reader: reader)
        return format == "csv" ? SQLForm.csv(result) : SQLForm.json(result)
      }
    } catch let problem as SQLProblem where problem == .people {
      throw Problem.forbidden(scope: Scope.people.rawValue, key: call.caller.name)
    }
    return Reply(
      contentType: format == "csv" ? "text/csv; charset=utf-8" : "application/json", buffer: buffer)
  }
}

/// How the result of a statement is written.
enum SQLForm {
  static func json(_ result: SQLResult) -> ByteBuffer {
    var buffer = ByteBuffer(string: #"{"columns":"#)
    buffer.writeString(JSONValue.array(result.columns.map(JSONValue.string)).encoded)
    buffer.writeString(#","rows":["#)
    for (index, row) in result.rows.enumerated() {
      buffer.writeString(index == 0 ? "[" : ",[")
      TextColumns.write(row[...], to: &buffer, text: jsonText)
      buffer.writeString("]")
    }
    buffer.writeString(#"],"truncated":\#(result.isTruncated)}"#)
    return buffer
  }

  private static func jsonText(_ cell: SQLResult.Cell) -> String {
    switch cell {
    case .null: "null"
    case .integer(let number): String(number)
    case .real(let number): number.isFinite ? "\(number)" : "null"
    case .text(let text): JSONText.quoted(text)
    case .blob(let bytes): JSONText.quoted(Data(bytes).base64EncodedString())
    }
  }

  static func csv(_ result: SQLResult) -> ByteBuffer {
    var buffer = ByteBuffer(
      string: result.columns.map(CSVText.field).joined(separator: ",") + "\r\n")
    for row in result.rows {
      buffer.writeString(row.map(csvText).joined(separator: ",") + "\r\n")
    }
    return buffer
  }

  private static func csvText(_ cell: SQLResult.Cell) -> String {
    switch cell {
    case .null: ""
    case .integer(let number): String(number)
    case .real(let number): "\(number)"
    case .text(let text): CSVText.field(text)
    case .blob(let bytes): Data(bytes).base64EncodedString()
    }
  }
}

/// RFC 4180.
enum CSVText {
  static func field(_ text: String) -> String {
    let needsQuotes = text.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
    return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
  }
}
