/// A string found in JSON: its bytes without quotes and escapes.
struct ScannedText {
  var slice: Slice
  /// False for malformed UTF-8 and for lone surrogates.
  var isValid: Bool
}

/// A scalar found in JSON.
enum ScannedScalar {
  case number(Double, isWhole: Bool)
  case boolean(Bool)
  case text(ScannedText)
  case null
  /// A bare `NaN` or `Infinity`, which RFC 8259 does not have but Python writes.
  case notANumber
  /// A number beyond the range of a double.
  case outOfRange
}

/// Moves once through JSON text (RFC 8259). Every verb leaves `position` behind what it read.
///
/// Two things are tolerated: a byte order mark at the start and the bare words `NaN`, `nan`,
/// `Infinity`, `inf` with an optional minus. Everything else that is not JSON throws `not_json` with
/// its offset. Nesting is limited to `nestingMax` containers (`too_deep`).
struct JSONScanner {
  let base: UnsafePointer<UInt8>
  let end: Int
  var position = 0
  var nesting = 0
  static let nestingMax = 32

  init(base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.end = count
    if count >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF { position = 3 }
  }

  /// The byte at `position`, 0 at the end (a zero byte begins nothing in JSON).
  @inline(__always)
  var next: UInt8 { position < end ? base[position] : 0 }

  @inline(__always)
  mutating func skipBlanks() {
    while position < end {
      let byte = base[position]
      guard byte <= Ascii.blank,
        byte == Ascii.blank || byte == Ascii.newline || byte == Ascii.carriageReturn
          || byte == Ascii.tab
      else { return }
      position += 1
    }
  }

  /// Steps into the container whose opening bracket is next; false when it is empty.
  @inline(__always)
  mutating func open(closing: UInt8) throws(PayloadError) -> Bool {
    nesting += 1
    if nesting > Self.nestingMax { throw tooDeep() }
    position += 1
    skipBlanks()
    guard next == closing else { return true }
    position += 1
    nesting -= 1
    return false
  }

  /// Steps over the comma to the next element, or over the closing bracket: then false.
  @inline(__always)
  mutating func advance(closing: UInt8) throws(PayloadError) -> Bool {
    skipBlanks()
    let byte = next
    if byte == Ascii.comma {
      position += 1
      skipBlanks()
      return true
    }
    guard byte == closing else {
      throw syntaxError(
        closing == Ascii.closeBrace
          ? "a comma or a closing brace is missing" : "a comma or a closing bracket is missing")
    }
    position += 1
    nesting -= 1
    return false
  }

  /// Reads a member name and its colon, up to the value.
  @inline(__always)
  mutating func memberName(into scratch: inout [UInt8]) throws(PayloadError) -> ScannedText {
    guard next == Ascii.quote else { throw syntaxError("a quoted member name is missing") }
    let name = try text(into: &scratch)
    skipBlanks()
    guard next == Ascii.colon else { throw syntaxError("a colon is missing") }
    position += 1
    skipBlanks()
    return name
  }

  /// Reads the string whose quote is next; only escapes make a copy in `scratch`.
  @inline(__always)
  mutating func text(into scratch: inout [UInt8]) throws(PayloadError) -> ScannedText {
    let start = position + 1
    var index = start
    var union: UInt8 = 0
    while index + 8 <= end {
      let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self).littleEndian
      let stops = Self.stringStops(word)
      if stops != 0 {
        let count = stops.trailingZeroBitCount >> 3
        let before = word & ((1 << UInt64(count * 8)) &- 1)
        if before & Self.highBits != 0 { union = 0x80 }
        index += count
        break
      }
      if word & Self.highBits != 0 { union = 0x80 }
      index += 8
    }
    while index < end {
      let byte = base[index]
      if byte == Ascii.quote {
        position = index + 1
        return ScannedText(
          slice: Slice(offset: start, count: index - start, isScratch: false),
          isValid: union < 0x80 || isUTF8(base, from: start, to: index))
      }
      if byte == Ascii.backslash || byte < 0x20 {
        return try escapedText(from: start, into: &scratch)
      }
      union |= byte
      index += 1
    }
    position = end
    throw syntaxError("a string does not end")
  }

  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// The lowest bit set tells the first of eight bytes that is a quote, a backslash or a control
  /// character. (Borrows make false hits only above a true one, so the lowest is exact.)
  @inline(__always)
  private static func stringStops(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = word ^ (ones &* UInt64(Ascii.quote))
    let backslashes = word ^ (ones &* UInt64(Ascii.backslash))
    return
      ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
      | (word &- ones &* 0x20) & ~word) & highBits
  }

  /// Reads the scalar that is next.
  @inline(__always)
  mutating func scalar(into scratch: inout [UInt8]) throws(PayloadError) -> ScannedScalar {
    let byte = next
    if byte == Ascii.quote { return .text(try text(into: &scratch)) }
    if byte &- Ascii.zero < 10 || byte == Ascii.minus {
      let number = scanJSONNumber(base, from: position, to: end)
      if number.end > position {
        position = number.end
        return number.value.isFinite ? .number(number.value, isWhole: number.isWhole) : .outOfRange
      }
    }
    return try word()
  }

  /// Steps over the value that is next, checking its syntax.
  mutating func skipValue(scratch: inout [UInt8]) throws(PayloadError) {
    switch next {
    case Ascii.openBrace:
      guard try open(closing: Ascii.closeBrace) else { return }
      repeat {
        let mark = scratch.count
        _ = try memberName(into: &scratch)
        scratch.removeSubrange(mark...)
        try skipValue(scratch: &scratch)
      } while try advance(closing: Ascii.closeBrace)
    case Ascii.openBracket:
      guard try open(closing: Ascii.closeBracket) else { return }
      repeat {
        try skipValue(scratch: &scratch)
      } while try advance(closing: Ascii.closeBracket)
    default:
      let mark = scratch.count
      _ = try scalar(into: &scratch)
      scratch.removeSubrange(mark...)
    }
  }

  func syntaxError(_ what: String) -> PayloadError {
    PayloadError(
      code: "not_json",
      detail: position >= end ? "The payload ends too early: \(what)." : "Not JSON: \(what).",
      offset: position)
  }

  private func tooDeep() -> PayloadError {
    PayloadError(
      code: "too_deep", detail: "Objects and arrays may be nested \(Self.nestingMax) deep.",
      offset: position)
  }

  private mutating func word() throws(PayloadError) -> ScannedScalar {
    if take("true") { return .boolean(true) }
    if take("false") { return .boolean(false) }
    if take("null") { return .null }
    let start = position
    if next == Ascii.minus { position += 1 }
    if take("NaN") || take("nan") || take("Infinity") || take("inf") { return .notANumber }
    position = start
    throw syntaxError("a value is missing or malformed")
  }

  /// Steps over `word` when it is next and nothing that could belong to it follows.
  private mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard position + count <= end else { return false }
    for offset in 0..<count where base[position + offset] != word.utf8Start[offset] { return false }
    if position + count < end, isWordByte(base[position + count]) { return false }
    position += count
    return true
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- Ascii.zero < 10 || byte == 0x5F
  }

  private mutating func escapedText(
    from start: Int, into scratch: inout [UInt8]
  ) throws(PayloadError) -> ScannedText {
    let mark = scratch.count
    var isValid = true
    position = start
    while position < end {
      let byte = base[position]
      if byte == Ascii.quote {
        position += 1
        let made = scratch.count
        isValid =
          isValid
          && scratch.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { isUTF8($0, from: mark, to: made) } ?? true
          }
        return ScannedText(
          slice: Slice(offset: mark, count: made - mark, isScratch: true), isValid: isValid)
      }
      if byte < 0x20 { throw syntaxError("a control character in a string is not escaped") }
      position += 1
      if byte == Ascii.backslash {
        if try !escape(into: &scratch) { isValid = false }
      } else {
        scratch.append(byte)
      }
    }
    throw syntaxError("a string does not end")
  }

  /// Reads what follows a backslash; false for a lone surrogate, which no UTF-8 can hold.
  private mutating func escape(into scratch: inout [UInt8]) throws(PayloadError) -> Bool {
    let byte = next
    switch byte {
    case Ascii.quote, Ascii.backslash, Ascii.slash: scratch.append(byte)
    case 0x62: scratch.append(0x08)
    case 0x66: scratch.append(0x0C)
    case 0x6E: scratch.append(Ascii.newline)
    case 0x72: scratch.append(Ascii.carriageReturn)
    case 0x74: scratch.append(Ascii.tab)
    case 0x75:
      position += 1
      return try unicodeEscape(into: &scratch)
    default: throw syntaxError("an escape in a string is not known")
    }
    position += 1
    return true
  }

  private mutating func unicodeEscape(into scratch: inout [UInt8]) throws(PayloadError) -> Bool {
    let unit = try hexUnit()
    guard unit & 0xF800 == 0xD800 else {
      appendUTF8(unit, to: &scratch)
      return true
    }
    guard unit < 0xDC00, position + 1 < end, base[position] == Ascii.backslash,
      base[position + 1] == 0x75
    else { return false }
    position += 2
    let low = try hexUnit()
    guard low & 0xFC00 == 0xDC00 else { return false }
    appendUTF8(0x1_0000 + (unit & 0x3FF) << 10 + low & 0x3FF, to: &scratch)
    return true
  }

  private mutating func hexUnit() throws(PayloadError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      let byte = next
      switch byte {
      case 0x30...0x39: unit = unit << 4 | UInt32(byte - 0x30)
      case 0x41...0x46, 0x61...0x66: unit = unit << 4 | UInt32((byte | 0x20) - 0x61 + 10)
      default: throw syntaxError("an escape needs four hexadecimal digits")
      }
      position += 1
    }
    return unit
  }
}
