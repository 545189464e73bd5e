import Foundation
import Storage
import Telemetry

/// JSON written by hand where the order of members and constant memory matter.
extension JSONText {
  /// Shortest text that reads back as the same number; what JSON cannot write is null.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
    return "\(value)"
  }

  static func value(_ value: Value?) -> String {
    switch value {
    case .number(let number): JSONText.number(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .text(let word): quoted(word)
    case nil: "null"
    }
  }

  static func object(_ members: [(String, String)]) -> String {
    "{" + members.map { quoted($0.0) + ": " + $0.1 }.joined(separator: ", ") + "}"
  }

  static func cell(_ cell: SQLResult.Cell) -> String {
    switch cell {
    case .null: "null"
    case .integer(let number): String(number)
    case .real(let number): JSONText.number(number)
    case .text(let text): quoted(text)
    case .blob(let bytes): quoted(Data(bytes).base64EncodedString())
    }
  }
}
