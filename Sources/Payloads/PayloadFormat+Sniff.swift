extension PayloadFormat {
  /// Bytes that are looked at; a format shows itself early.
  private static let sniffedMax = 4_096

  /// Guesses the format of a payload from its first bytes; anything at all is at least a `scalar`.
  ///
  /// JSON with the member names `device_id` and `metrics` near its start is the device shape. A first
  /// line `name[,tags] field=value` that is no comment is line protocol.
  public static func sniff(_ bytes: UnsafeRawBufferPointer) -> PayloadFormat {
    var head = bytes.prefix(sniffedMax)
    if head.starts(with: [0xEF, 0xBB, 0xBF]) { head = head.dropFirst(3) }
    head = head.drop { $0 <= Ascii.blank }
    switch head.first {
    case Ascii.openBrace, Ascii.openBracket:
      return contains(head, "\"device_id\"") && contains(head, "\"metrics\"") ? .device : .json
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
