import Telemetry

/// Reads a payload that is one value: `21.5`, `21.5 °C`, `true`, `OPEN`.
///
/// ASCII blanks around it are dropped. A number is read as people write it (`+5`, `.5`), a unit may
/// follow at once or after blanks: a letter, `%`, `°`, `µ` or another non-ASCII sign, then anything
/// but blanks and digits other than 2 and 3, at most 16 bytes. So `12:30`, `1.2.3` and `21,5` are
/// texts. `true` and `false` are booleans; every other word (`ON`, `CLOSED`) stays text, except that
/// NaN and infinities are an error. At most 4 KiB of UTF-8 without control characters.
struct ScalarReader {
  let base: UnsafePointer<UInt8>
  let count: Int
  static let bytesMax = 4_096
  private static let unitBytesMax = 16

  func read(into readings: inout Readings) throws(PayloadError) {
    guard count <= Self.bytesMax else {
      throw PayloadError(
        code: "too_large", detail: "A bare value may have \(Self.bytesMax) bytes.")
    }
    let trimmed = trimmedRange()
    guard !trimmed.isEmpty else {
      throw PayloadError(code: "empty", detail: "The payload holds nothing but blanks.")
    }
    try checkText(trimmed)
    var field = Field(name: .none, value: .text(slice(trimmed)))
    let number = scanLenientNumber(base, from: trimmed.lowerBound, to: trimmed.upperBound)
    if isWord(trimmed, "true") {
      field.value = .boolean(true)
    } else if isWord(trimmed, "false") {
      field.value = .boolean(false)
    } else if isNotANumber(trimmed) {
      throw PayloadError(
        code: "not_a_number", detail: "NaN and infinities are no values; send nothing instead.")
    } else if number.end > trimmed.lowerBound, let unit = unit(number.end..<trimmed.upperBound) {
      guard number.value.isFinite else {
        throw PayloadError(
          code: "bad_number", detail: "The number is beyond the range of a double.")
      }
      field.value = .number(number.value)
      field.unit = unit.isEmpty ? nil : slice(unit)
    }
    readings.fields.append(field)
    readings.points.append(Point(fieldsEnd: 1))
  }

  private func trimmedRange() -> Range<Int> {
    var range = 0..<count
    while let first = range.first, isBlank(base[first]) { range.removeFirst() }
    while let last = range.last, isBlank(base[last]) { range.removeLast() }
    return range
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == Ascii.blank || byte == Ascii.tab || byte == Ascii.newline
      || byte == Ascii.carriageReturn
  }

  private func checkText(_ range: Range<Int>) throws(PayloadError) {
    if let offset = range.first(where: { base[$0] < 0x20 || base[$0] == 0x7F }) {
      throw PayloadError(
        code: "control_character", detail: "A bare value may not hold control characters.",
        offset: offset)
    }
    guard isUTF8(base, from: range.lowerBound, to: range.upperBound) else {
      throw PayloadError(code: "bad_utf8", detail: "The payload is not valid UTF-8.")
    }
  }

  /// The unit that fills `range` after blanks, empty when there is none; `nil` when it is no unit.
  private func unit(_ range: Range<Int>) -> Range<Int>? {
    let unit = range.drop { base[$0] == Ascii.blank || base[$0] == Ascii.tab }
    guard let first = unit.first else { return unit }
    let isStart =
      (base[first] | 0x20) &- 0x61 < 26 || base[first] == 0x25 || base[first] >= 0x80
    guard isStart, unit.count <= Self.unitBytesMax else { return nil }
    let isClean = unit.allSatisfy { index in
      let byte = base[index]
      let isDigit = byte &- Ascii.zero < 10
      return byte != Ascii.blank && (!isDigit || byte == 0x32 || byte == 0x33)
    }
    return isClean ? unit : nil
  }

  private func isNotANumber(_ range: Range<Int>) -> Bool {
    var range = range
    if base[range.lowerBound] == Ascii.minus || base[range.lowerBound] == Ascii.plus {
      range.removeFirst()
    }
    return isWord(range, "nan") || isWord(range, "inf") || isWord(range, "infinity")
  }

  /// Whether the letters in `range` are `word`, in any case.
  private func isWord(_ range: Range<Int>, _ word: StaticString) -> Bool {
    range.count == word.utf8CodeUnitCount
      && range.enumerated().allSatisfy { base[$1] | 0x20 == word.utf8Start[$0] }
  }

  private func slice(_ range: Range<Int>) -> Slice {
    Slice(offset: range.lowerBound, count: range.count, isScratch: false)
  }
}
