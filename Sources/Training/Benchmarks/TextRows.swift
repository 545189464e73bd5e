/// Why a data file cannot be read: the file, the line and a sentence.
public struct DataFileError: Error, Equatable, CustomStringConvertible {
  public var file: String
  /// From 1; 0 for the whole file.
  public var line: Int
  public var sentence: String

  public var description: String {
    line > 0 ? "\(file):\(line): \(sentence)" : "\(file): \(sentence)"
  }
}

/// Lines of a text, numbered, without empty ones.
struct TextRows {
  let file: String
  let lines: [(number: Int, cells: [Substring])]

  /// - Parameter separator: `nil` is any run of blanks.
  init(_ text: String, file: String, separator: Character?) {
    self.file = file
    var lines: [(Int, [Substring])] = []
    let all = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in all.enumerated() {
      let cells =
        separator.map { line.split(separator: $0, omittingEmptySubsequences: false) }
        ?? line.split(whereSeparator: \.isWhitespace)
      guard cells.contains(where: { !$0.isEmpty }) else { continue }
      lines.append((index + 1, cells))
    }
    self.lines = lines
  }

  func failure(_ line: Int, _ sentence: String) -> DataFileError {
    DataFileError(file: file, line: line, sentence: sentence)
  }

  /// A finite number.
  func number(_ cell: Substring, line: Int, column: Int) throws(DataFileError) -> Double {
    guard let value = Double(cell), value.isFinite else {
      throw failure(line, "column \(column) holds “\(cell.prefix(40))”, which is no number")
    }
    return value
  }
}
