import Foundation
import Storage
import Telemetry

extension JSONText {
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
