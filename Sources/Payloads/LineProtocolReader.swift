import Telemetry

/// Reads Influx line protocol: `measurement,tag=value field=1.5,other=2i 1700000000000000000`.
///
/// Each line is a point. A metric is named `measurement.field`, or `measurement` alone when the field
/// is called `value`. The tag `device`, else `device_id`, else `host` is the device; the other tags
/// follow the name, sorted: `cpu.usage_idle{cpu=cpu0,rack=4}`. Blank lines and comments (`#`) are
/// passed over, CRLF ends a line too. A bad line is refused as `line N` and the next goes on; a NaN or
/// infinity is refused alone.
struct LineProtocolReader: ~Copyable {
  let base: UnsafePointer<UInt8>
  let end: Int
  let precision: TimePrecision
  let limits: PayloadLimits
  private var position = 0
  private var line = 1
  private var tags: [Tag] = []
  static let tagsMax = 64

  private struct Tag {
    var key: Slice
    var value: Slice
  }

  private struct Fault: Error {
    var code = "bad_line"
    var detail: String
  }

  init(
    base: UnsafePointer<UInt8>, count: Int, precision: TimePrecision, limits: PayloadLimits
  ) {
    self.base = base
    self.end = count
    self.precision = precision
    self.limits = limits
  }

  mutating func read(into readings: inout Readings) throws(PayloadError) {
    while position < end {
      skipBlanks()
      let start = position
      let byte = next
      if byte == Ascii.hash || byte == Ascii.newline || position == end {
        toNextLine()
        line += 1
        continue
      }
      let fieldsStart = readings.fields.count
      let scratchStart = readings.scratch.count
      do throws(Fault) {
        try readLine(into: &readings)
      } catch {
        readings.fields.removeSubrange(fieldsStart...)
        readings.scratch.removeSubrange(scratchStart...)
        readings.refuse("line \(line)", error.code, error.detail, max: limits.refusalsMax)
        position = start
        toNextLine()
      }
      if readings.points.count > limits.fieldsMax || readings.fields.count > limits.fieldsMax {
        throw PayloadError(
          code: "too_many_fields",
          detail: "A payload may hold \(limits.fieldsMax) metrics and points; send it in parts.")
      }
      for index in start..<position where base[index] == Ascii.newline { line += 1 }
    }
    try readings.checkAnythingRead(sawNull: false)
  }

  private mutating func readLine(into readings: inout Readings) throws(Fault) {
    let start = position
    let scratchStart = readings.scratch.count
    let measurement = try word(endingAt: Ascii.comma, or: Ascii.blank, "measurement", &readings)
    tags.removeAll(keepingCapacity: true)
    while next == Ascii.comma {
      position += 1
      try readTag(&readings)
    }
    guard next == Ascii.blank else { throw Fault(detail: "Fields are missing.") }
    let device = takeDevice(readings)
    sortTags(readings)
    skipBlanks()
    let fieldsStart = readings.fields.count
    let suffix = makeSuffix(&readings)
    try readField(measurement, suffix, &readings)
    while next == Ascii.comma {
      position += 1
      try readField(measurement, suffix, &readings)
    }
    let time = try readTime()
    guard isUTF8(base, from: start, to: position) else {
      throw Fault(code: "bad_utf8", detail: "The line is not valid UTF-8.")
    }
    toNextLine()
    guard readings.fields.count > fieldsStart else {
      return readings.scratch.removeSubrange(scratchStart...)
    }
    readings.points.append(
      Point(
        device: device, time: time, item: Int32(clamping: line - 1),
        fieldsEnd: readings.fields.count))
  }

  private mutating func readTag(_ readings: inout Readings) throws(Fault) {
    guard tags.count < Self.tagsMax else { throw Fault(detail: "A line may have 64 tags.") }
    let key = try word(endingAt: Ascii.equals, or: Ascii.equals, "tag name", &readings)
    guard next == Ascii.equals else { throw Fault(detail: "A tag has no value.") }
    position += 1
    let value = try word(endingAt: Ascii.comma, or: Ascii.blank, "tag value", &readings)
    tags.append(Tag(key: key, value: value))
  }

  /// Reads up to an unescaped stop; backslashes before comma, equals sign and blank are dropped.
  private mutating func word(
    endingAt stop: UInt8, or otherStop: UInt8, _ what: String, _ readings: inout Readings
  ) throws(Fault) -> Slice {
    let start = position
    var escapes = 0
    while position < end {
      let byte = base[position]
      if byte == stop || byte == otherStop || byte == Ascii.newline { break }
      if isEscape(position) {
        escapes += 1
        position += 1
      }
      position += 1
    }
    guard position > start else { throw Fault(detail: "A \(what) is missing.") }
    guard position - start <= limits.nameBytesMax else {
      throw Fault(code: "name_too_long", detail: "A \(what) is too long.")
    }
    guard escapes > 0 else {
      return Slice(offset: start, count: position - start, isScratch: false)
    }
    let made = readings.scratch.count
    var index = start
    while index < position {
      if isEscape(index) { index += 1 }
      readings.scratch.append(base[index])
      index += 1
    }
    return Slice(offset: made, count: readings.scratch.count - made, isScratch: true)
  }

  private func isEscape(_ index: Int) -> Bool {
    guard base[index] == Ascii.backslash, index + 1 < end else { return false }
    let byte = base[index + 1]
    return byte == Ascii.comma || byte == Ascii.equals || byte == Ascii.blank
  }

  private mutating func takeDevice(_ readings: Readings) -> Slice? {
    for key in ["device", "device_id", "host"] as [StaticString] {
      let match = tags.firstIndex { isEqual($0.key, key, readings) }
      if let match { return tags.remove(at: match).value }
    }
    return nil
  }

  /// By insertion: senders write tags sorted already.
  private mutating func sortTags(_ readings: Readings) {
    for index in tags.indices.dropFirst() {
      var place = index
      while place > 0, precedes(tags[place].key, tags[place - 1].key, readings) {
        tags.swapAt(place, place - 1)
        place -= 1
      }
    }
  }

  private func precedes(_ a: Slice, _ b: Slice, _ readings: Readings) -> Bool {
    readings.withBytes(of: a, payload: payload) { a in
      readings.withBytes(of: b, payload: payload) { a.lexicographicallyPrecedes($0) }
    }
  }

  private func makeSuffix(_ readings: inout Readings) -> Slice {
    let start = readings.scratch.count
    for (index, tag) in tags.enumerated() {
      readings.scratch.append(index == 0 ? Ascii.openBrace : Ascii.comma)
      append(tag.key, &readings)
      readings.scratch.append(Ascii.equals)
      append(tag.value, &readings)
    }
    if !tags.isEmpty { readings.scratch.append(Ascii.closeBrace) }
    return Slice(offset: start, count: readings.scratch.count - start, isScratch: true)
  }

  private mutating func readField(
    _ measurement: Slice, _ suffix: Slice, _ readings: inout Readings
  ) throws(Fault) {
    let key = try word(endingAt: Ascii.equals, or: Ascii.equals, "field name", &readings)
    guard next == Ascii.equals else { throw Fault(detail: "A field has no value.") }
    position += 1
    guard let value = try readValue(&readings) else {
      return readings.refuse(
        "line \(line)", "not_a_number", "NaN and infinities are no values.",
        max: limits.refusalsMax)
    }
    // Beyond the limit the payload is refused as soon as the line ends.
    guard readings.fields.count <= limits.fieldsMax else { return }
    let name = try makeName(measurement, key, suffix, &readings)
    readings.fields.append(Field(name: name, value: value))
  }

  private func makeName(
    _ measurement: Slice, _ key: Slice, _ suffix: Slice, _ readings: inout Readings
  ) throws(Fault) -> Slice {
    let isValue = isEqual(key, "value", readings)
    if isValue, suffix.count == 0 { return measurement }
    guard measurement.count + key.count + suffix.count < limits.nameBytesMax else {
      throw Fault(code: "name_too_long", detail: "Measurement, field and tags are too long.")
    }
    let start = readings.scratch.count
    append(measurement, &readings)
    if !isValue {
      readings.scratch.append(Ascii.point)
      append(key, &readings)
    }
    append(suffix, &readings)
    return Slice(offset: start, count: readings.scratch.count - start, isScratch: true)
  }

  /// `nil` for NaN and infinities.
  private mutating func readValue(_ readings: inout Readings) throws(Fault) -> ReadingValue? {
    if next == Ascii.quote { return .text(try readString(&readings)) }
    let start = position
    let number = scanLenientNumber(base, from: start, to: end)
    if number.end > start {
      position = number.end
      if number.isWhole, next == 0x69 || next == 0x75 { position += 1 }
      guard isValueEnd else { throw Fault(detail: "A number is malformed.") }
      guard number.value.isFinite else {
        throw Fault(code: "bad_number", detail: "A number is beyond the range of a double.")
      }
      return .number(number.value)
    }
    while !isValueEnd { position += 1 }
    let word = UnsafeBufferPointer(start: base + start, count: position - start)
    func isOne(of words: [StaticString]) -> Bool {
      words.contains {
        word.elementsEqual(UnsafeBufferPointer(start: $0.utf8Start, count: $0.utf8CodeUnitCount))
      }
    }
    if isOne(of: ["t", "T", "true", "True", "TRUE"]) { return .boolean(true) }
    if isOne(of: ["f", "F", "false", "False", "FALSE"]) { return .boolean(false) }
    if isOne(of: ["NaN", "nan", "Inf", "+Inf", "-Inf", "inf", "-inf", "Infinity", "-Infinity"]) {
      return nil
    }
    throw Fault(detail: "A value is no number, boolean or quoted text.")
  }

  private var isValueEnd: Bool {
    position == end || next == Ascii.comma || next == Ascii.blank || next == Ascii.newline
      || next == Ascii.carriageReturn
  }

  private mutating func readString(_ readings: inout Readings) throws(Fault) -> Slice {
    let start = position + 1
    let made = readings.scratch.count
    position = start
    var isCopied = false
    while position < end {
      let byte = base[position]
      if byte == Ascii.quote { break }
      let isEscape =
        byte == Ascii.backslash && position + 1 < end
        && (base[position + 1] == Ascii.quote || base[position + 1] == Ascii.backslash)
      if isEscape {
        if !isCopied {
          append(Slice(offset: start, count: position - start, isScratch: false), &readings)
        }
        isCopied = true
        position += 1
      }
      if isCopied { readings.scratch.append(base[position]) }
      position += 1
    }
    guard position < end else { throw Fault(detail: "A text does not end.") }
    let count = isCopied ? readings.scratch.count - made : position - start
    position += 1
    guard isValueEnd else { throw Fault(detail: "Bytes follow a text.") }
    return Slice(offset: isCopied ? made : start, count: count, isScratch: isCopied)
  }

  private mutating func readTime() throws(Fault) -> Timestamp? {
    skipBlanks()
    let start = position
    while !isValueEnd { position += 1 }
    guard position > start else { return nil }
    let whole = wholeNumber(base, from: start, to: position)
    guard let time = whole.flatMap({ precision.timestamp($0) }) else {
      throw Fault(code: "bad_timestamp", detail: "The timestamp is not a whole number in range.")
    }
    skipBlanks()
    guard position == end || next == Ascii.newline else {
      throw Fault(detail: "Bytes follow the timestamp.")
    }
    return time
  }

  private var next: UInt8 { position < end ? base[position] : 0 }

  private mutating func skipBlanks() {
    while next == Ascii.blank || next == Ascii.carriageReturn || next == Ascii.tab { position += 1 }
  }

  private mutating func toNextLine() {
    while position < end, base[position] != Ascii.newline { position += 1 }
    if position < end { position += 1 }
  }

  private func isEqual(_ slice: Slice, _ word: StaticString, _ readings: Readings) -> Bool {
    readings.withBytes(of: slice, payload: payload) {
      $0.elementsEqual(
        UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
  }

  private var payload: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: end) }

  private func append(_ slice: Slice, _ readings: inout Readings) {
    for offset in 0..<Int(slice.count) {
      let index = Int(slice.offset) + offset
      readings.scratch.append(slice.isScratch ? readings.scratch[index] : base[index])
    }
  }
}
