extension PayloadFormat {
  /// Bytes that are looked at; a format shows itself early.
  private static let sniffedMax = 4_096

  /// Guesses the format of a payload from its first bytes; anything at all is at least a `scalar`.
  ///
  /// JSON with the member names `device_id` and `metrics` near its start is the device shape. A JSON
  /// array is SenML when its first object has no other members than SenML's fields, and among them a
  /// base field, or a name and a value: `[{"v":1,"u":"Cel","t":2}]` stays JSON. CBOR is SenML when it
  /// begins with an array and a map whose first label is one of SenML's. A first line
  /// `name[,tags] field=value` that is no comment is line protocol.
  public static func sniff(_ bytes: UnsafeRawBufferPointer) -> PayloadFormat {
    var head = bytes.prefix(sniffedMax)
    if head.starts(with: [0xEF, 0xBB, 0xBF]) { head = head.dropFirst(3) }
    head = head.drop { $0 <= Ascii.blank }
    switch head.first {
    case Ascii.openBrace, Ascii.openBracket:
      if contains(head, "\"device_id\"") && contains(head, "\"metrics\"") { return .device }
      return isSenML(UnsafeRawBufferPointer(rebasing: head)) ? .senml : .json
    case let byte? where byte >= 0x80 && isSenMLCBOR(bytes):
      return .senmlCBOR
    default:
      return isLineProtocol(head) ? .line : .scalar
    }
  }

  private static func contains(
    _ bytes: Swift.Slice<UnsafeRawBufferPointer>, _ word: StaticString
  ) -> Bool {
    let count = word.utf8CodeUnitCount
    guard bytes.count >= count else { return false }
    let wanted = UnsafeBufferPointer(start: word.utf8Start, count: count)
    return (bytes.startIndex...bytes.endIndex - count).contains { start in
      bytes[start] == wanted[0] && bytes[start..<start + count].elementsEqual(wanted)
    }
  }

  private static func isSenML(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.first == Ascii.openBracket else { return false }
    var scanner = JSONScanner(base: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    do throws(PayloadError) {
      guard try scanner.open(closing: Ascii.closeBracket) else { return false }
      return try isSenMLRecord(&scanner, bytes)
    } catch {
      // Not JSON, or cut off: whatever it is, the first record did not show it.
      return false
    }
  }

  private static func isSenMLRecord(
    _ scanner: inout JSONScanner, _ bytes: UnsafeRawBufferPointer
  ) throws(PayloadError) -> Bool {
    guard scanner.next == Ascii.openBrace, try scanner.open(closing: Ascii.closeBrace) else {
      return false
    }
    var readings = Readings()
    var hasBase = false
    var hasName = false
    var hasValue = false
    repeat {
      let name = try scanner.memberName(into: &readings.scratch)
      let label = readings.withBytes(of: name.slice, payload: bytes) { SenMLLabel(name: $0) }
      guard let label else { return false }
      let isText = scanner.next == Ascii.quote
      switch label {
      case .baseName, .name, .unit, .baseUnit, .text, .binary:
        if !isText { return false }
      default:
        if isText { return false }
      }
      if label.isBase { hasBase = true }
      if label == .name { hasName = true }
      if label.isValue || label == .sum { hasValue = true }
      try scanner.skipValue(scratch: &readings.scratch)
    } while try scanner.advance(closing: Ascii.closeBrace)
    return hasBase || (hasName && hasValue)
  }

  private static func isSenMLCBOR(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    var scanner = CBORScanner(base: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    do throws(PayloadError) {
      guard try scanner.untaggedHead().major == 4, try scanner.untaggedHead().major == 5 else {
        return false
      }
      let label = try scanner.head()
      return label.major == 0 && label.argument <= 8 || label.major == 1 && label.argument <= 5
    } catch {
      // Not CBOR, or cut off before the first label.
      return false
    }
  }

  private static func isLineProtocol(_ bytes: Swift.Slice<UnsafeRawBufferPointer>) -> Bool {
    var rest = bytes
    while rest.first == Ascii.hash {
      rest = rest.drop { $0 != Ascii.newline }.drop { $0 <= Ascii.blank }
    }
    var blanks = 0
    var fieldStart = rest.startIndex
    var isEscaped = false
    for index in rest.indices {
      let byte = rest[index]
      if byte == Ascii.newline { return false }
      if byte == Ascii.blank, !isEscaped {
        blanks += 1
        fieldStart = index + 1
        if blanks > 1 || index == rest.startIndex { return false }
      }
      if byte == Ascii.equals, blanks == 1, !isEscaped {
        return index > fieldStart && index + 1 < rest.endIndex && rest[index + 1] > Ascii.blank
      }
      isEscaped = byte == Ascii.backslash && !isEscaped
    }
    return false
  }
}
