import NIOCore
import Telemetry

/// Writes columns of samples as text straight into a buffer: the fast path of exports.
///
/// A decimal number with up to six places is written by integer arithmetic (about 10 ns); others through
/// the shortest text that reads back the same. Times share the text of their second.
struct TextColumns {
  /// The longest text of a time or a number, with a comma.
  private static let textBytesMax = 34

  private var second = Int64.min
  private var secondText: [UInt8] = []

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
      if whole != second {
        second = whole
        secondText = Array(Timestamp(microseconds: whole * 1_000_000).rfc3339.utf8.dropLast())
      }
      cursor.append(secondText)
      cursor.appendFraction(Int(time - whole * 1_000_000))
      cursor.append(byte: 0x5A)
      if isQuoted { cursor.append(byte: 0x22) }
    }
  }

  /// Numbers with commas between them; NaN and infinities become null.
  static func write(numbers: ArraySlice<UInt64>, to buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: numbers.count * textBytesMax) {
      bytes in
      var cursor = TextCursor(bytes: bytes)
      for bits in numbers {
        if cursor.count > 0 { cursor.append(byte: 0x2C) }
        cursor.append(Double(bitPattern: bits), notFinite: "null")
      }
      return cursor.count
    }
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

  /// `good` and the like in quotes, by raw value.
  static let qualityTexts: [String] = (0...255).map {
    JSONText.quoted(Quality(rawValue: UInt8($0)).text)
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

  private static let powers: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

  mutating func append(_ number: Double, notFinite: String) {
    guard number.isFinite else { return append(notFinite) }
    let magnitude = number.magnitude
    // Below 2⁵³ after scaling both steps are exact enough for the comparison to decide.
    if magnitude < 9e9, magnitude >= 1e-4 || magnitude == 0 {
      for places in 0...6 {
        let power = Self.powers[places]
        let scaled = (magnitude * power).rounded()
        if scaled / power == magnitude {
          if number.sign == .minus { append(byte: 0x2D) }
          let digits = UInt64(scaled)
          let unit = UInt64(power)
          appendDigits(digits / unit, width: 1)
          if places > 0 {
            append(byte: 0x2E)
            appendDigits(digits % unit, width: places)
          }
          return
        }
      }
    }
    append("\(number)")
  }
}

extension Int64 {
  /// Division that rounds towards minus infinity.
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
