import Telemetry

/// A day of the Gregorian calendar, without a place.
public struct LocalDate: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Days since 1970-01-01.
  public var dayNumber: Int

  public init(dayNumber: Int) { self.dayNumber = dayNumber }

  /// Reads `2026-12-24`; `nil` for anything else and for days that do not exist.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == 0x2D, bytes[7] == 0x2D,
      let start = Timestamp(rfc3339: text + "T00:00:00Z")
    else { return nil }
    dayNumber = Int(start.microseconds.flooredQuotient(86_400_000_000))
  }

  public var weekday: Weekday {
    // 1970-01-01 was a Thursday.
    Weekday.allCases[((dayNumber + 3) % 7 + 7) % 7]
  }

  public func adding(days: Int) -> LocalDate { LocalDate(dayNumber: dayNumber + days) }

  public var description: String {
    String(Timestamp(microseconds: Int64(dayNumber) * 86_400_000_000).rfc3339.prefix(10))
  }

  public static func < (a: LocalDate, b: LocalDate) -> Bool { a.dayNumber < b.dayNumber }
}

/// What the clock on the wall shows.
public struct LocalTime: Hashable, Sendable {
  public var date: LocalDate
  /// Seconds after midnight as the wall shows them; 86,400 and more are on later days.
  public var second: Int

  public init(date: LocalDate, second: Int) {
    self.date = date
    self.second = second
  }
}

public enum Weekday: String, Sendable, Hashable, CaseIterable {
  case mon, tue, wed, thu, fri, sat, sun
}

/// A time of day such as `06:00` or `24:00`, in seconds after midnight.
public struct TimeOfDay: Hashable, Sendable, Comparable, CustomStringConvertible {
  public var second: Int

  public init(second: Int) { self.second = second }

  /// Reads `6:00`, `06:00`, `06:00:30` and `24:00`.
  public init?(_ text: String) {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(fields.count) else { return nil }
    var numbers: [Int] = []
    for field in fields {
      guard (1...2).contains(field.utf8.count),
        field.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int(field)
      else { return nil }
      numbers.append(number)
    }
    let second = numbers[0] * 3_600 + numbers[1] * 60 + (numbers.count > 2 ? numbers[2] : 0)
    guard numbers[1] < 60, numbers.count < 3 || numbers[2] < 60, second <= 86_400 else {
      return nil
    }
    self.second = second
  }

  public var description: String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let seconds = second % 60 == 0 ? "" : ":" + two(second % 60)
    return "\(two(second / 3_600)):\(two(second / 60 % 60))\(seconds)"
  }

  public static func < (a: TimeOfDay, b: TimeOfDay) -> Bool { a.second < b.second }
}
