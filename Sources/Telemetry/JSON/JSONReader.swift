/// Reads JSON (RFC 8259) from UTF-8 bytes, strictly: no comments, no trailing commas, one value.
///
/// Nesting is bounded, so that no body can exhaust the stack.
public struct JSONReader {
  public static let depthMax = 32

  public struct Failure: Error {
    public var detail: String
    public var offset: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// - Throws: `Failure` that says where reading stopped.
  public static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
    let result: Result<JSONValue, Failure> = bytes.withUnsafeBufferPointer { buffer in
      var reader = JSONReader(bytes: buffer)
      return Result { () throws(Failure) in try reader.whole() }
    }
    return try result.get()
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private mutating func whole() throws(Failure) -> JSONValue {
    let value = try value(depth: 0)
    skipBlanks()
    guard position == bytes.count else { throw failure("something follows the JSON value") }
    return value
  }

  private func failure(_ detail: String) -> Failure { Failure(detail: detail, offset: position) }

  private mutating func skipBlanks() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> JSONValue {
    guard depth <= Self.depthMax else { throw failure("nested deeper than \(Self.depthMax)") }
    skipBlanks()
    guard position < bytes.count else { throw failure("the text ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue
  {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { throw failure("no JSON value") }
    for index in 0..<count where bytes[position + index] != text.utf8Start[index] {
      throw failure("no JSON value")
    }
    position += count
    return value
  }

  private mutating func object(depth: Int) throws(Failure) -> JSONValue {
    position += 1
    var members: [(String, JSONValue)] = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipBlanks()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw failure("a member's name is missing")
      }
      let name = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw failure("a colon is missing") }
      members.append((name, try value(depth: depth + 1)))
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw failure("a comma or `}` is missing") }
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(Failure) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw failure("a comma or `]` is missing") }
      return .array(elements)
    }
  }

  private mutating func digits() -> Int {
    let start = position
    while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
    return position - start
  }

  private mutating func number() throws(Failure) -> JSONValue {
    let start = position
    _ = take(UInt8(ascii: "-"))
    let isZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
    let count = digits()
    guard count > 0, !(isZero && count > 1) else { throw failure("no JSON value") }
    if take(UInt8(ascii: ".")), digits() == 0 { throw failure("digits are missing") }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      if digits() == 0 { throw failure("digits are missing") }
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func string() throws(Failure) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let text = try text(start..<position)
        position += 1
        return text
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw failure("a control character in a string must be escaped")
      default: position += 1
      }
    }
    throw failure("a string has no end")
  }

  private func text(_ range: Range<Int>) throws(Failure) -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw Failure(detail: "a string is not UTF-8", offset: range.lowerBound)
    }
    return text
  }

  private mutating func escapedString(from start: Int) throws(Failure) -> String {
    var content = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw Failure(detail: "a string is not UTF-8", offset: start)
        }
        return text
      case UInt8(ascii: "\\"): try appendEscape(to: &content)
      case 0..<0x20: throw failure("a control character in a string must be escaped")
      default: content.append(byte)
      }
    }
    throw failure("a string has no end")
  }

  private mutating func appendEscape(to content: inout [UInt8]) throws(Failure) {
    guard position < bytes.count else { throw failure("a string has no end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "u"): content.append(contentsOf: Array(String(try unicode()).utf8))
    default: throw failure("an unknown escape")
    }
  }

  private mutating func unicode() throws(Failure) -> Character {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    // A high surrogate stands for nothing without the low one that follows it.
    guard (0xD800..<0xDC00).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u"))
    else {
      throw failure("half of a surrogate pair")
    }
    let second = try hexadecimal()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw failure("half of a surrogate pair") }
    return Character(scalar)
  }

  private mutating func hexadecimal() throws(Failure) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("four hexadecimal digits are missing") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw failure("four hexadecimal digits are missing")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
