/// A text with places for captures of a topic pattern: `{line}-{device}`.
public struct TopicTemplate: Hashable, Sendable, CustomStringConvertible {
  enum Part: Hashable, Sendable {
    case literal(String)
    case capture(String)
  }

  let parts: [Part]
  public let description: String

  public init(_ text: String) throws(TopicPattern.SyntaxError) {
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw .init(message: "`{` without `}` in `\(text)`")
      }
      let name = String(rest[rest.index(after: open)..<close])
      guard isCaptureName(name) else {
        throw .init(message: "`{\(name)}` is not a capture: use letters, digits and `_`")
      }
      parts.append(.capture(name))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.literal(String(rest))) }
    guard !parts.isEmpty else { throw .init(message: "a template must not be empty") }
    self.parts = parts
    self.description = text
  }

  public var captureNames: [String] {
    parts.compactMap { part in
      if case .capture(let name) = part { name } else { nil }
    }
  }

  /// The text with captures filled in; the levels of a `{rest#}` are joined by `separator`.
  public func filled(with captures: [TopicCapture], separator: String) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .literal(let literal): text += literal
      case .capture(let name):
        let levels = captures.first { $0.name == name }?.levels ?? []
        text += levels.joined(separator: separator)
      }
    }
    return text
  }
}
