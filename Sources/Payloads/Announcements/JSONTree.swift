import Telemetry

/// A JSON document as values, for what is read once: announcements, not samples.
///
/// Bounded: nesting as in `JSONScanner`, `valuesMax` values, so that no sender can fill memory.
enum JSONTree: Hashable, Sendable {
  case null
  case boolean(Bool)
  case number(Double)
  case text(String)
  case list([JSONTree])
  case object([Member])

  struct Member: Hashable, Sendable {
    var name: String
    var value: JSONTree
  }

  static let valuesMax = 500_000

  /// - Throws: `empty`, `not_json`, `trailing_bytes`, `too_deep`, `bad_utf8`, `bad_number`,
  ///   `too_many_fields`.
  init(reading payload: UnsafeRawBufferPointer) throws(PayloadError) {
    guard let start = payload.baseAddress, payload.count > 0 else {
      throw PayloadError(code: "empty", detail: "The payload is empty.")
    }
    var reader = JSONTreeReader(
      scanner: JSONScanner(
        base: start.assumingMemoryBound(to: UInt8.self), count: payload.count))
    self = try reader.document()
  }

  /// The first member of an object called `name`; `nil` for anything else, also for null.
  subscript(_ name: String) -> JSONTree? {
    guard case .object(let members) = self,
      let value = members.first(where: { $0.name == name })?.value, value != .null
    else { return nil }
    return value
  }

  /// What stands at a path of member names and indices; `nil` when it leads nowhere.
  subscript(path names: [String]) -> JSONTree? {
    names.reduce(self) { (place: JSONTree?, name) in
      if case .list(let values)? = place {
        return Int(name).flatMap { values.indices.contains($0) ? values[$0] : nil }
      }
      return place?[name]
    }
  }

  var members: [Member] { if case .object(let members) = self { members } else { [] } }
  var values: [JSONTree] { if case .list(let values) = self { values } else { [] } }
  var isObject: Bool { if case .object = self { true } else { false } }
  var number: Double? { if case .number(let number) = self { number } else { nil } }
  var string: String? { if case .text(let text) = self { text } else { nil } }

  /// A scalar as a source writes it when it has no choice but text: `ON`, `true`, `1`.
  var word: String? {
    switch self {
    case .text(let text): text
    case .boolean(let value): value ? "true" : "false"
    case .number(let number):
      number == number.rounded() && number.magnitude < 1e15 ? String(Int(number)) : "\(number)"
    case .null, .list, .object: nil
    }
  }
}

private struct JSONTreeReader {
  var scanner: JSONScanner
  var scratch: [UInt8] = []
  var count = 0

  mutating func document() throws(PayloadError) -> JSONTree {
    scanner.skipBlanks()
    guard scanner.position < scanner.end else {
      throw PayloadError(code: "empty", detail: "The payload holds nothing but blanks.")
    }
    let tree = try value()
    scanner.skipBlanks()
    guard scanner.position == scanner.end else {
      throw PayloadError(
        code: "trailing_bytes", detail: "Bytes follow the end of the JSON document.",
        offset: scanner.position)
    }
    return tree
  }

  private mutating func value() throws(PayloadError) -> JSONTree {
    count += 1
    guard count <= JSONTree.valuesMax else {
      throw PayloadError(
        code: "too_many_fields",
        detail: "An announcement may hold \(JSONTree.valuesMax) values; send it in parts.")
    }
    switch scanner.next {
    case Ascii.openBrace: return .object(try members())
    case Ascii.openBracket: return .list(try elements())
    default: return try scalar()
    }
  }

  private mutating func members() throws(PayloadError) -> [JSONTree.Member] {
    var members: [JSONTree.Member] = []
    guard try scanner.open(closing: Ascii.closeBrace) else { return members }
    repeat {
      let name = try string(try scanner.memberName(into: &scratch))
      members.append(JSONTree.Member(name: name, value: try value()))
    } while try scanner.advance(closing: Ascii.closeBrace)
    return members
  }

  private mutating func elements() throws(PayloadError) -> [JSONTree] {
    var elements: [JSONTree] = []
    guard try scanner.open(closing: Ascii.closeBracket) else { return elements }
    repeat { elements.append(try value()) } while try scanner.advance(closing: Ascii.closeBracket)
    return elements
  }

  private mutating func scalar() throws(PayloadError) -> JSONTree {
    let start = scanner.position
    switch try scanner.scalar(into: &scratch) {
    case .null: return .null
    case .boolean(let value): return .boolean(value)
    case .number(let number, _): return .number(number)
    case .text(let text): return .text(try string(text))
    case .notANumber, .outOfRange:
      throw PayloadError(
        code: "bad_number", detail: "A number is not finite or beyond the range of a double.",
        offset: start)
    }
  }

  private mutating func string(_ text: ScannedText) throws(PayloadError) -> String {
    defer { scratch.removeAll(keepingCapacity: true) }
    guard text.isValid else {
      throw PayloadError(
        code: "bad_utf8", detail: "A text is not valid UTF-8.", offset: scanner.position)
    }
    let range = Int(text.slice.offset)..<Int(text.slice.offset) + Int(text.slice.count)
    if text.slice.isScratch { return String(decoding: scratch[range], as: UTF8.self) }
    return String(
      decoding: UnsafeBufferPointer(start: scanner.base, count: scanner.end)[range], as: UTF8.self)
  }
}
