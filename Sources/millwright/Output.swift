import Foundation

/// Collects text and hands it to a file in large pieces.
struct BufferedOutput {
  private let file: FileHandle
  private var buffer: [UInt8] = []
  private(set) var byteCount = 0

  init(_ file: FileHandle) {
    self.file = file
    buffer.reserveCapacity(1 << 17)
  }

  mutating func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { flush() }
  }

  mutating func flush() {
    guard !buffer.isEmpty else { return }
    byteCount += buffer.count
    file.write(Data(buffer))
    buffer.removeAll(keepingCapacity: true)
  }
}

/// A table with aligned columns; numbers to the right.
struct Table {
  var titles: [String]
  /// Columns whose cells stand at the right edge.
  var rightAligned: Set<Int> = []
  var rows: [[String]] = []

  init(_ titles: [String], rightAligned: Set<Int> = []) {
    self.titles = titles
    self.rightAligned = rightAligned
  }

  var text: String {
    var widths = titles.map(\.count)
    for row in rows {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    let lines = ([titles] + rows).map { row in
      row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        if rightAligned.contains(column) { return space + cell }
        return column == row.count - 1 ? cell : cell + space
      }.joined(separator: "  ")
    }
    return lines.joined(separator: "\n")
  }
}

/// Comma-separated values (RFC 4180): quoted only where needed.
enum CSV {
  static func line(_ cells: [String]) -> String {
    cells.map(cell).joined(separator: ",") + "\r\n"
  }

  private static func cell(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else {
      return text
    }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
