import NIOCore
import Telemetry

/// Writes columns of samples as text straight into a buffer: the fast path of exports.
///
/// A decimal number with up to six places is written by integer arithmetic (about 10 ns); others through
/// the shortest text that reads back the same. Times share the text of their day.
struct TextColumns {
  /// The longest text of a time or a number, with a comma.
  private static let textBytesMax = 34

  private var day = Int64.min
  /// `2026-11-21T`
  private var dayText: [UInt8] = []
  /// Places of the last decimal number: the next one most likely has as many.
  private var places = 0

  /// The form in which times are written.
  enum TimeForm: Sendable {
    case rfc3339
    /// Whole units of this many microseconds since the epoch.
    case epoch(microseconds: Int64)
    case epochNanoseconds

    init?(name: String) {
      switch name {
      case "s": self = .epoch(microseconds: 1_000_000)
      case "ms": self = .epoch(microseconds: 1_000)
      case "us": self = .epoch(microseconds: 1)
      case "ns": self = .epochNanoseconds
      default: return nil
      }
    }
  }

  /// Times with commas between them.
  mutating func write(times: ArraySlice<Int64>, form: TimeForm, to buffer: inout ByteBuffer) {
    let room = times.count * Self.textBytesMax
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
      var cursor = TextCursor(bytes: bytes)
      for time in times {
        if cursor.count > 0 { cursor.append(byte: 0x2C) }
        append(time, form: form, isQuoted: true, to: &cursor)
      }
      return cursor.count
    }
  }

  mutating func append(_ time: Int64, form: TimeForm, isQuoted: Bool, to cursor: inout TextCursor) {
    switch form {
    case .epoch(let unit): cursor.append(time.flooredQuotient(by: unit))
    case .epochNanoseconds:
      let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: 1_000)
      cursor.append(overflow ? time : nanoseconds)
    case .rfc3339:
      if isQuoted { cursor.append(byte: 0x22) }
      let whole = time.flooredQuotient(by: 1_000_000)
      let days = whole.flooredQuotient(by: 86_400)
      if days != day {
        day = days
        dayText = Array(Timestamp(microseconds: days * 86_400_000_000).rfc3339.utf8.dropLast(9))
      }
      cursor.append(dayText)
      cursor.appendClock(secondOfDay: Int(whole - days * 86_400))
      cursor.appendFraction(Int(time - whole * 1_000_000))
      cursor.append(byte: 0x5A)
      if isQuoted { cursor.append(byte: 0x22) }
    }
  }

  /// Numbers with commas between them; NaN and infinities become null.
  mutating func write(numbers: ArraySlice<UInt64>, to buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: numbers.count * Self.textBytesMax) {
      bytes in
      var cursor = TextCursor(bytes: bytes)
      for bits in numbers {
        if cursor.count > 0 { cursor.append(byte: 0x2C) }
        append(Double(bitPattern: bits), notFinite: "null", to: &cursor)
      }
      return cursor.count
    }
  }

  mutating func append(_ number: Double, notFinite: String, to cursor: inout TextCursor) {
    guard number.isFinite else { return cursor.append(notFinite) }
    if !cursor.append(decimal: number, places: &places) { cursor.append("\(number)") }
  }

  /// Qualities in quotes, with commas between them.
  static func write(qualities: ArraySlice<UInt8>, to buffer: inout ByteBuffer) {
    let texts = qualityTexts
    let room = qualities.count * (texts.map(\.count).max()! + 1)
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
      var cursor = TextCursor(bytes: bytes)
      for quality in qualities {
        if cursor.count > 0 { cursor.append(byte: 0x2C) }
        cursor.append(texts[Int(quality)])
      }
      return cursor.count
    }
  }

  /// `"good"` and the like, by raw value.
  private static let qualityTexts: [[UInt8]] = (0...255).map {
    Array(JSONText.quoted(Quality(rawValue: UInt8($0)).text).utf8)
  }

  static func write(booleans: ArraySlice<UInt64>, to buffer: inout ByteBuffer) {
    write(booleans, to: &buffer) { $0 == 0 ? "false" : "true" }
  }

  /// Texts that are JSON already, one for each element, with commas between them.
  static func write<Element>(
    _ elements: ArraySlice<Element>, to buffer: inout ByteBuffer, text: (Element) -> String
  ) {
    var isFirst = true
    for element in elements {
      if !isFirst { buffer.writeInteger(UInt8(0x2C)) }
      isFirst = false
      buffer.writeString(text(element))
    }
  }
}

/// A place to write text at; the caller has made sure of the room.
struct TextCursor {
  let bytes: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  @inline(__always) mutating func append(byte: UInt8) {
    bytes[count] = byte
    count += 1
  }

  mutating func append(_ text: [UInt8]) {
    text.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: source)
    }
    count += text.count
  }

  mutating func append(_ text: String) {
    for byte in text.utf8 { append(byte: byte) }
  }

  mutating func append(_ number: Int64) {
    if number < 0 { append(byte: 0x2D) }
    appendDigits(number.magnitude, width: 1)
  }

  /// `digits` with leading zeros up to `width`.
  private mutating func appendDigits(_ digits: UInt64, width: Int) {
    var places = 1
    var power: UInt64 = 10
    while places < 20, digits >= power {
      places += 1
      let (next, overflow) = power.multipliedReportingOverflow(by: 10)
      if overflow { break }
      power = next
    }
    places = max(places, width)
    var rest = digits
    var place = count + places
    count = place
    for _ in 0..<places {
      place -= 1
      bytes[place] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
      rest /= 10
    }
  }

  /// `.250` or `.250125`, or nothing.
  mutating func appendFraction(_ microseconds: Int) {
    guard microseconds != 0 else { return }
    append(byte: 0x2E)
    if microseconds % 1_000 == 0 {
      appendDigits(UInt64(microseconds / 1_000), width: 3)
    } else {
      appendDigits(UInt64(microseconds), width: 6)
    }
  }

  /// `08:15:30`
  mutating func appendClock(secondOfDay: Int) {
    appendTwoDigits(secondOfDay / 3_600)
    append(byte: 0x3A)
    appendTwoDigits(secondOfDay / 60 % 60)
    append(byte: 0x3A)
    appendTwoDigits(secondOfDay % 60)
  }

  @inline(__always) private mutating func appendTwoDigits(_ number: Int) {
    append(byte: UInt8(truncatingIfNeeded: number / 10) &+ 0x30)
    append(byte: UInt8(truncatingIfNeeded: number % 10) &+ 0x30)
  }

  /// Writes a number that has at most six decimal places, without trailing zeros.
  ///
  /// - Parameter places: tried first; afterwards what the number was found to have, zeros included.
  /// - Returns: false when it has more places, or is too large: nothing is written then.
  mutating func append(decimal number: Double, places: inout Int) -> Bool {
    let magnitude = number.magnitude
    // Below 2⁵³ after scaling two decimals never share a double: the one that reads back is the one meant.
    guard magnitude < 9e9, magnitude >= 1e-4 || magnitude == 0 else { return false }
    guard var digits = Self.digits(of: magnitude, places: places) ?? Self.search(magnitude, &places)
    else { return false }
    var shown = places
    while shown > 0, digits % 10 == 0 {
      digits /= 10
      shown -= 1
    }
    if number.sign == .minus { append(byte: 0x2D) }
    let unit = Self.units[shown]
    appendDigits(digits / unit, width: 1)
    if shown > 0 {
      append(byte: 0x2E)
      appendDigits(digits % unit, width: shown)
    }
    return true
  }

  private static func search(_ magnitude: Double, _ places: inout Int) -> UInt64? {
    for count in 0...6 {
      guard let digits = digits(of: magnitude, places: count) else { continue }
      places = count
      return digits
    }
    return nil
  }

  /// `magnitude` times ten to the power of `places`, when that is a whole number that divides back exactly.
  @inline(__always) private static func digits(of magnitude: Double, places: Int) -> UInt64? {
    let unit = units[places]
    let digits = UInt64(magnitude * Double(unit) + 0.5)
    return Double(digits) / Double(unit) == magnitude ? digits : nil
  }

  private static let units: [UInt64] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
}

extension Int64 {
  /// Division that rounds towards minus infinity.
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
