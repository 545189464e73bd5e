/// Reads SenML in JSON (RFC 8428 section 5): `[{"bn":"press1/","n":"temp","u":"Cel","v":21.5}]`.
///
/// The records are resolved by `SenMLPack`. Extension fields are passed over, whatever they hold.
struct SenMLReader: ~Copyable {
  private var scanner: JSONScanner
  private var pack: SenMLPack

  init(base: UnsafePointer<UInt8>, count: Int, limits: PayloadLimits) {
    self.scanner = JSONScanner(base: base, count: count)
    self.pack = SenMLPack(
      payload: UnsafeRawBufferPointer(start: base, count: count), limits: limits)
  }

  mutating func read(into readings: inout Readings) throws(PayloadError) {
    scanner.skipBlanks()
    guard scanner.position < scanner.end else {
      throw PayloadError(code: "empty", detail: "The payload holds nothing but blanks.")
    }
    guard scanner.next == Ascii.openBracket else {
      let offset = scanner.position
      try scanner.skipValue(scratch: &readings.scratch)
      throw PayloadError(
        code: "not_an_array", detail: "A SenML pack is an array of records.", offset: offset)
    }
    if try scanner.open(closing: Ascii.closeBracket) {
      repeat {
        try readRecord(into: &readings)
        if pack.isBroken { return try readings.checkAnythingRead(sawNull: false) }
      } while try scanner.advance(closing: Ascii.closeBracket)
    }
    scanner.skipBlanks()
    guard scanner.position == scanner.end else {
      throw PayloadError(
        code: "trailing_bytes", detail: "Bytes follow the end of the pack.",
        offset: scanner.position)
    }
    try readings.checkAnythingRead(sawNull: false)
  }

  private mutating func readRecord(into readings: inout Readings) throws(PayloadError) {
    pack.begin()
    if scanner.next == Ascii.openBrace {
      try readFields(into: &readings)
    } else {
      try scanner.skipValue(scratch: &readings.scratch)
      pack.refuse("not_an_object", "A SenML record is an object.")
    }
    try pack.end(into: &readings)
  }

  private mutating func readFields(into readings: inout Readings) throws(PayloadError) {
    guard try scanner.open(closing: Ascii.closeBrace) else { return }
    repeat {
      let mark = readings.scratch.count
      let name = try scanner.memberName(into: &readings.scratch)
      let label = readings.withBytes(of: name.slice, payload: pack.payload) {
        SenMLLabel(name: $0)
      }
      if let label {
        readings.scratch.removeSubrange(mark...)
        pack.take(label, try scalar(into: &readings), &readings)
      } else {
        readings.withBytes(of: name.slice, payload: pack.payload) { pack.takeExtension($0) }
        readings.scratch.removeSubrange(mark...)
        try scanner.skipValue(scratch: &readings.scratch)
      }
    } while try scanner.advance(closing: Ascii.closeBrace)
  }

  private mutating func scalar(into readings: inout Readings) throws(PayloadError) -> SenMLScalar {
    if scanner.next == Ascii.openBrace || scanner.next == Ascii.openBracket {
      try scanner.skipValue(scratch: &readings.scratch)
      return .other
    }
    return switch try scanner.scalar(into: &readings.scratch) {
    case .number(let number, _): .number(number)
    case .boolean(let boolean): .boolean(boolean)
    case .text(let text): .text(text)
    case .null: .other
    case .notANumber: .notANumber
    case .outOfRange: .outOfRange
    }
  }
}
