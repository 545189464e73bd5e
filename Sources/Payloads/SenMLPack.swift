import Telemetry

/// Resolves the records of a SenML pack (RFC 8428 section 4.6), whatever they are written in.
///
/// The reader says `begin()`, `take` for each field and `end()` for each record. A record becomes a
/// point of one field, or of two: a sum `s` is a metric of its own, named `<metric>.total` (so that it
/// is guessed a counter), in the unit times seconds. Base values are added where the record has the
/// field: a base value or base sum alone is no measurement, and a record of nothing but base fields is
/// none either.
///
/// Times below 2²⁸ s count from the receipt of the message (`Point.receiptOffset`). The update time
/// `ut` has no effect. Binary values are kept as text in base64url without padding.
///
/// A bad field refuses its record, with the place of the field. A bad *base* field ends the pack:
/// nobody can tell what the records behind it mean.
struct SenMLPack {
  let payload: UnsafeRawBufferPointer
  let limits: PayloadLimits
  /// A base field was refused; what follows is not to be read.
  private(set) var isBroken = false

  private var baseName = Slice.none
  private var baseUnit = Slice.none
  private var baseMicroseconds: Int64 = 0
  private var baseValue = 0.0
  private var baseSum = 0.0

  private var item: Int32 = -1
  private var record = Record()

  /// The version of SenML that is read; RFC 8428 is 10.
  private static let version = 10.0
  /// Times from here on are absolute, in seconds after the epoch (RFC 8428 section 4.5.3).
  private static let absoluteMicrosecondsMin: Int64 = (1 << 28) * 1_000_000
  /// Seconds that two times can have and their sum still fits.
  private static let secondsMax = 4e12

  /// The fields of one record.
  private struct Record {
    var name = Slice.none
    var unit = Slice.none
    var value: ReadingValue?
    var sum: Double?
    var microseconds: Int64 = 0
    var hasOwnFields = false
    var refusal: (member: String?, code: String, detail: String)?
  }

  init(payload: UnsafeRawBufferPointer, limits: PayloadLimits) {
    self.payload = payload
    self.limits = limits
  }

  mutating func begin() {
    item += 1
    record = Record()
  }

  /// Refuses the record being read, or its field `member`; the first refusal counts.
  mutating func refuse(_ code: String, _ detail: String, member: String? = nil) {
    if record.refusal == nil { record.refusal = (member, code, detail) }
  }

  /// Refuses a field of the record; that of a base field counts more than any other.
  private mutating func refuse(_ code: String, _ detail: String, _ label: SenMLLabel) {
    if label.isBase, !isBroken {
      isBroken = true
      record.refusal = nil
    }
    refuse(code, detail, member: label.name)
  }

  /// Takes a field that SenML has no meaning for; RFC 8428 section 4.4: one whose name ends in `_`
  /// must be understood.
  mutating func takeExtension(_ name: UnsafeRawBufferPointer) {
    guard name.last == 0x5F else { return }
    let name = String(decoding: name.prefix(64), as: UTF8.self)
    refuse(
      "must_understand", "The field `\(name)` must be understood, and is not known here.",
      member: name)
  }

  mutating func take(_ label: SenMLLabel, _ scalar: SenMLScalar, _ readings: inout Readings) {
    if !label.isBase { record.hasOwnFields = true }
    switch label {
    case .baseVersion: takeVersion(scalar)
    case .baseName: if let text = text(scalar, label) { baseName = text }
    case .baseUnit: if let text = text(scalar, label) { baseUnit = text }
    case .baseTime: if let time = time(scalar, label) { baseMicroseconds = time }
    case .baseValue: if let number = number(scalar, label) { baseValue = number }
    case .baseSum: if let number = number(scalar, label) { baseSum = number }
    case .name: if let text = text(scalar, label) { record.name = text }
    case .unit: if let text = text(scalar, label) { record.unit = text }
    case .time: if let time = time(scalar, label) { record.microseconds = time }
    case .sum: if let number = number(scalar, label) { record.sum = number }
    case .updateTime: _ = number(scalar, label)
    case .value, .text, .boolean, .binary: takeValue(scalar, label, &readings)
    }
  }

  /// Closes the record: a point, nothing, or a refusal.
  mutating func end(into readings: inout Readings) throws(PayloadError) {
    let fieldsStart = readings.fields.count
    let scratchStart = readings.scratch.count
    var point = Point(item: item, fieldsEnd: 0)
    if record.refusal == nil, record.hasOwnFields { try resolve(&point, &readings) }
    if let refusal = record.refusal {
      readings.fields.removeSubrange(fieldsStart...)
      readings.scratch.removeSubrange(scratchStart...)
      let place = "/\(item)" + (refusal.member.map { "/\($0)" } ?? "")
      let rest = isBroken ? " The records from here on depend on it and are refused, too." : ""
      return readings.refuse(
        place, refusal.code, refusal.detail + rest, max: limits.refusalsMax)
    }
    guard readings.fields.count > fieldsStart else { return }
    point.fieldsEnd = readings.fields.count
    try readings.endPoint(point, max: limits.fieldsMax)
  }
}

extension SenMLPack {
  private mutating func takeVersion(_ scalar: SenMLScalar) {
    guard let version = number(scalar, .baseVersion), version > Self.version else { return }
    refuse(
      "unsupported_version", "Versions up to 10 are read, not \(version).",
      .baseVersion)
  }

  private mutating func takeValue(
    _ scalar: SenMLScalar, _ label: SenMLLabel, _ readings: inout Readings
  ) {
    if record.value != nil {
      refuse("two_values", "A record has one of v, vs, vb and vd.", label)
    }
    switch label {
    case .value: record.value = number(scalar, label).map { .number($0) }
    case .text: record.value = text(scalar, label).map { .text($0) }
    case .boolean:
      if case .boolean(let boolean) = scalar { record.value = .boolean(boolean) }
      if record.value == nil { refuse("bad_field", "Expected true or false.", label) }
    default: record.value = binary(scalar, &readings).map { .text($0) }
    }
  }

  private mutating func number(_ scalar: SenMLScalar, _ label: SenMLLabel) -> Double? {
    switch scalar {
    case .number(let number) where number.isFinite: return number
    case .number, .notANumber:
      refuse("not_a_number", "NaN and infinities are no values.", label)
    case .outOfRange:
      refuse("bad_number", "The number is beyond the range of a double.", label)
    default: refuse("bad_field", "Expected a number.", label)
    }
    return nil
  }

  private mutating func time(_ scalar: SenMLScalar, _ label: SenMLLabel) -> Int64? {
    guard let seconds = number(scalar, label) else { return nil }
    guard seconds.magnitude < Self.secondsMax else {
      refuse("bad_timestamp", "Times are seconds; this one is out of range.", label)
      return nil
    }
    return Int64((seconds * 1e6).rounded())
  }

  private mutating func text(_ scalar: SenMLScalar, _ label: SenMLLabel) -> Slice? {
    guard case .text(let text) = scalar else {
      refuse("bad_field", "Expected a text.", label)
      return nil
    }
    guard text.isValid else {
      refuse("bad_utf8", "The text is not valid UTF-8.", label)
      return nil
    }
    return text.slice
  }

  /// The base64url text of a binary value: as JSON has it, or made from the bytes that CBOR has.
  private mutating func binary(_ scalar: SenMLScalar, _ readings: inout Readings) -> Slice? {
    if case .bytes(let bytes) = scalar {
      let start = readings.scratch.count
      let raw = readings.withBytes(of: bytes, payload: payload) { Array($0) }
      appendBase64URL(raw, to: &readings.scratch)
      return Slice(offset: start, count: readings.scratch.count - start, isScratch: true)
    }
    guard let text = text(scalar, .binary) else { return nil }
    let count = readings.withBytes(of: text, payload: payload, base64URLCount)
    guard let count else {
      refuse(
        "bad_base64", "Binary values are base64 with the URL alphabet (RFC 4648 section 5).",
        .binary)
      return nil
    }
    return text.prefix(count)
  }

  private mutating func resolve(
    _ point: inout Point, _ readings: inout Readings
  ) throws(PayloadError) {
    guard record.value != nil || record.sum != nil else {
      return refuse("no_value", "A record has one of v, vs, vb, vd and s.")
    }
    guard checkName(readings) else { return }
    let unit = record.unit.count > 0 ? record.unit : baseUnit
    let known = readings.withBytes(of: unit, payload: payload, SenMLUnit.named)
    let name = SenMLName(base: baseName, name: record.name, readings, payload: payload)
    point.device = name.device
    setTime(of: &point)
    let metric =
      name.metric.count > 0 ? name.metric : readings.place(known?.metric ?? "value")
    let written = known?.ucum.map { readings.place($0) } ?? unit
    if let value = record.value {
      var field = Field(name: metric, value: value)
      if case .number(let number) = value {
        // Adding zero would take the sign of a negative zero.
        field.value = .number(baseValue == 0 ? number : number + baseValue)
        field.unit = written.count > 0 ? written : nil
      }
      try add(field, &readings)
    }
    if let sum = record.sum { try addTotal(sum + baseSum, of: metric, in: written, &readings) }
  }

  private mutating func addTotal(
    _ sum: Double, of metric: Slice, in unit: Slice, _ readings: inout Readings
  ) throws(PayloadError) {
    guard readings.scratch.count < limits.scratchBytesMax else {
      throw PayloadError(code: "too_large", detail: "The names of the payload are too long.")
    }
    var field = Field(
      name: readings.join(metric, ".total", payload: payload), value: .number(sum))
    if unit.count > 0 { field.unit = readings.join(unit, ".s", payload: payload) }
    try add(field, &readings)
  }

  private mutating func add(_ field: Field, _ readings: inout Readings) throws(PayloadError) {
    if case .number(let number) = field.value, !number.isFinite {
      return refuse("bad_number", "With its base, the number is beyond the range of a double.")
    }
    try readings.add(field, max: limits.fieldsMax)
  }

  /// RFC 8428 section 4.5.1: the resolved name begins with a letter or digit and has only letters,
  /// digits and `-` `:` `.` `/` `_`.
  private mutating func checkName(_ readings: Readings) -> Bool {
    let member = record.name.count > 0 ? "n" : nil
    let count = Int(baseName.count) + Int(record.name.count)
    if count == 0 {
      refuse("no_name", "A record needs a name `n` or a base name `bn` before it.")
    } else if count > limits.nameBytesMax {
      refuse("name_too_long", "A name may have \(limits.nameBytesMax) bytes.", member: member)
    } else {
      var isFirst = true
      for part in [baseName, record.name] {
        let isGood = readings.withBytes(of: part, payload: payload) { bytes in
          bytes.allSatisfy { byte in
            defer { isFirst = false }
            return isSenMLNameByte(byte, isFirst: isFirst)
          }
        }
        if isGood { continue }
        refuse(
          "bad_name", "A name begins with a letter or digit and has only those and - : . / _",
          member: member)
      }
    }
    return record.refusal == nil
  }

  private func setTime(of point: inout Point) {
    let microseconds = baseMicroseconds + record.microseconds
    if microseconds >= Self.absoluteMicrosecondsMin {
      point.time = Timestamp(microseconds: microseconds)
    } else {
      point.receiptOffset = microseconds
    }
  }
}

extension Readings {
  /// Copies `text` into scratch.
  fileprivate mutating func place(_ text: StaticString) -> Slice {
    let start = scratch.count
    scratch.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    return Slice(offset: start, count: scratch.count - start, isScratch: true)
  }

  /// `slice` and `ending` behind it, in scratch.
  fileprivate mutating func join(
    _ slice: Slice, _ ending: StaticString, payload: UnsafeRawBufferPointer
  ) -> Slice {
    let start = scratch.count
    let bytes = withBytes(of: slice, payload: payload) { Array($0) }
    scratch.append(contentsOf: bytes)
    _ = place(ending)
    return Slice(offset: start, count: scratch.count - start, isScratch: true)
  }
}
