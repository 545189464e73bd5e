import Devices
import Telemetry

/// Where each character of an expression stands in its YAML file, whatever the style of the scalar.
///
/// The text of a plain, quoted, literal (`|`) or folded (`>`) scalar is found again in the file by its
/// characters in order; blanks and line ends between them may differ.
struct ExpressionPlace {
  let file: String
  private let start: YAMLPosition
  private let places: [(line: Int, column: Int)]

  init(text: String, at start: YAMLPosition, in file: ConfigurationFile) {
    self.file = file.name
    self.start = start
    var cursor = SourceCursor(file.content)
    cursor.move(to: start)
    switch cursor.scalar {
    case "|", ">": cursor.skipLine()
    case "\"", "'": cursor.advance()
    default: break
    }
    var places: [(line: Int, column: Int)] = []
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        places.append((cursor.line, cursor.column))
        continue
      }
      while let here = cursor.scalar, here != scalar { cursor.advance() }
      places.append((cursor.line, cursor.column))
      cursor.advance()
    }
    places.append((cursor.line, cursor.column))
    self.places = places
  }

  func diagnostic(
    at offset: Int, _ message: String, severity: Diagnostic.Severity = .error
  ) -> Diagnostic {
    let place = places[min(max(0, offset), places.count - 1)]
    return Diagnostic(
      file: file, line: place.line, column: place.column, severity: severity, message: message)
  }
}

private struct SourceCursor {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private(set) var line = 1
  private(set) var column = 1

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  var scalar: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  mutating func advance() {
    guard let here = scalar else { return }
    position += 1
    if here == "\n" {
      (line, column) = (line + 1, 1)
    } else {
      column += 1
    }
  }

  mutating func move(to place: YAMLPosition) {
    while scalar != nil, (line, column) < (place.line, place.column) { advance() }
  }

  mutating func skipLine() {
    let now = line
    while scalar != nil, line == now { advance() }
  }
}
