import Telemetry

/// The time one part takes at the best: the planned run time per item (PRI), exact.
public struct IdealCycle: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// µs a part; above zero.
  public let microseconds: Fraction
  /// As it was written.
  public let description: String

  /// - Returns: `nil` unless above zero.
  public init?(microseconds: Fraction, description: String? = nil) {
    guard !microseconds.isZero, !microseconds.isNegative else { return nil }
    self.microseconds = microseconds
    self.description =
      description ?? JSONValue.seconds(microseconds.rounded).encoded + " s"
  }

  /// Reads a time per part (`1.2 s`, `450 ms`, `1 min`) or a rate (`900 parts/h`, `3000/h`, `50 1/min`).
  ///
  /// A rate is kept as the quotient it is: 7,000 parts/h are 3,600/7,000 s, not 0.514286 s.
  public init?(_ text: String) {
    guard let (number, unit) = DecimalText.split(text) else { return nil }
    if let scale = DecimalText.microsecondScales[unit] {
      self.init(microseconds: number * Fraction(scale), description: text)
      return
    }
    guard let slash = unit.lastIndex(of: "/") else { return nil }
    let counted = unit[..<slash]
    let per = String(unit[unit.index(after: slash)...])
    let names = ["", "1", "part", "parts", "pcs", "pc", "pieces", "items", "{count}"]
    guard names.contains(String(counted)), let scale = DecimalText.microsecondScales[per],
      !number.isZero
    else { return nil }
    self.init(microseconds: Fraction(scale) / number, description: text)
  }

  public static func < (a: IdealCycle, b: IdealCycle) -> Bool { a.microseconds < b.microseconds }
}

/// Decimal numbers with units, read without passing through a double.
enum DecimalText {
  static let microsecondScales: [String: Int] = [
    "us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000, "sec": 1_000_000, "min": 60_000_000,
    "h": 3_600_000_000, "d": 86_400_000_000,
  ]

  /// `420 min` → (420, "min"); blanks inside the unit are dropped. At most 15 digits.
  static func split(_ text: String) -> (number: Fraction, unit: String)? {
    let trimmed = text.drop { $0 == " " }
    let digits = trimmed.prefix { "+-.0123456789".contains($0) }
    guard let number = fraction(String(digits)) else { return nil }
    return (number, String(trimmed[digits.endIndex...].filter { $0 != " " }))
  }

  /// `-1.25` → −5/4; `nil` for anything but plain decimal notation.
  static func fraction(_ text: String) -> Fraction? {
    var rest = Substring(text)
    var sign: Int128 = 1
    if let first = rest.first, first == "-" || first == "+" {
      sign = first == "-" ? -1 : 1
      rest = rest.dropFirst()
    }
    let fields = rest.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(fields.count), !fields[0].isEmpty, fields.last?.isEmpty == false,
      fields.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let digits = Int64(fields.joined()), fields.joined().utf8.count <= 15
    else { return nil }
    var scale: Int128 = 1
    for _ in 0..<(fields.count > 1 ? fields[1].utf8.count : 0) { scale *= 10 }
    return Fraction(sign * Int128(digits), over: scale)
  }
}
