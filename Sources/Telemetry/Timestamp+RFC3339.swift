extension Timestamp {
  /// Reads RFC 3339 text such as `2026-11-21T08:15:30.25Z` or `2026-11-21 08:15:30+01:00`.
  ///
  /// Digits beyond the microsecond are dropped. A leap second (`:60`) is the next second.
  /// - Returns: `nil` when the bytes are not a complete RFC 3339 date-time (a zone is required).
  public init?(rfc3339 bytes: UnsafeRawBufferPointer) {
    var scan = DigitScan()
    guard let year = scan.digits(4, in: bytes), scan.byte(0x2D, in: bytes),
      let month = scan.digits(2, in: bytes), scan.byte(0x2D, in: bytes),
      let day = scan.digits(2, in: bytes),
      (1...12).contains(month), (1...Timestamp.daysIn(month: month, year: year)).contains(day),
      scan.byte(0x54, in: bytes) || scan.byte(0x74, in: bytes) || scan.byte(0x20, in: bytes),
      let hour = scan.digits(2, in: bytes), hour < 24, scan.byte(0x3A, in: bytes),
      let minute = scan.digits(2, in: bytes), minute < 60, scan.byte(0x3A, in: bytes),
      let second = scan.digits(2, in: bytes), second <= 60,
      let fraction = scan.fractionMicroseconds(in: bytes),
      let offsetSeconds = scan.zoneOffsetSeconds(in: bytes), scan.position == bytes.count
    else { return nil }
    let days = Timestamp.daysSinceEpoch(year: year, month: month, day: day)
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offsetSeconds
    self.microseconds = Int64(seconds) * 1_000_000 + Int64(fraction)
  }

  /// Reads RFC 3339 text; see `init(rfc3339:)` over bytes.
  public init?(rfc3339 text: String) {
    var text = text
    let parsed = text.withUTF8 { Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// RFC 3339 in UTC with as many fraction digits (0, 3 or 6) as the moment needs:
  /// `2026-11-21T08:15:30.250Z`.
  public var rfc3339: String {
    let seconds = microseconds.flooredQuotient(1_000_000)
    let fraction = Int(microseconds - seconds * 1_000_000)
    let days = seconds.flooredQuotient(86_400)
    let secondOfDay = Int(seconds - days * 86_400)
    let (year, month, day) = Timestamp.civil(daysSinceEpoch: Int(days))
    var text = ""
    text.reserveCapacity(27)
    text.appendPadded(year, width: 4)
    text.append("-")
    text.appendPadded(month, width: 2)
    text.append("-")
    text.appendPadded(day, width: 2)
    text.append("T")
    text.appendPadded(secondOfDay / 3_600, width: 2)
    text.append(":")
    text.appendPadded(secondOfDay / 60 % 60, width: 2)
    text.append(":")
    text.appendPadded(secondOfDay % 60, width: 2)
    if fraction % 1_000 != 0 {
      text.append(".")
      text.appendPadded(fraction, width: 6)
    } else if fraction != 0 {
      text.append(".")
      text.appendPadded(fraction / 1_000, width: 3)
    }
    text.append("Z")
    return text
  }

  /// Days from 1970-01-01 in the proleptic Gregorian calendar (Hinnant's `days_from_civil`:
  /// 2000-03-01 → 11,017).
  static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear.flooredQuotient(400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The inverse of `daysSinceEpoch`.
  static func civil(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  static func daysIn(month: Int, year: Int) -> Int {
    if month == 2 {
      return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }
}

/// A position in RFC 3339 text; each verb moves on only when it matched.
private struct DigitScan {
  var position = 0

  mutating func digits(_ count: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
    guard position + count <= bytes.count else { return nil }
    var value = 0
    for index in position..<position + count {
      let digit = bytes[index] &- 0x30
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    position += count
    return value
  }

  mutating func byte(_ wanted: UInt8, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard position < bytes.count,
      bytes[position] == wanted
    else { return false }
    position += 1
    return true
  }

  /// `.25` → 250,000; nothing → 0; a point without digits → `nil`.
  mutating func fractionMicroseconds(in bytes: UnsafeRawBufferPointer) -> Int? {
    guard byte(0x2E, in: bytes) else { return 0 }
    var value = 0
    var count = 0
    while position < bytes.count {
      let digit = bytes[position] &- 0x30
      guard digit < 10 else { break }
      if count < 6 { value = value * 10 + Int(digit) }
      count += 1
      position += 1
    }
    guard count > 0 else { return nil }
    for _ in 0..<max(0, 6 - count) { value *= 10 }
    return value
  }

  mutating func zoneOffsetSeconds(in bytes: UnsafeRawBufferPointer) -> Int? {
    if byte(0x5A, in: bytes) || byte(0x7A, in: bytes) { return 0 }
    let sign: Int
    if byte(0x2B, in: bytes) {
      sign = 1
    } else if byte(0x2D, in: bytes) {
      sign = -1
    } else {
      return nil
    }
    guard let hours = digits(2, in: bytes), hours < 24 else { return nil }
    _ = byte(0x3A, in: bytes)
    guard let minutes = digits(2, in: bytes), minutes < 60 else { return nil }
    return sign * (hours * 3_600 + minutes * 60)
  }
}

extension String {
  /// Appends a non-negative number with leading zeros up to `width`.
  fileprivate mutating func appendPadded(_ number: Int, width: Int) {
    let digits = String(number)
    for _ in 0..<max(0, width - digits.utf8.count) { append("0") }
    append(digits)
  }
}
