import Telemetry

/// A number of parts (or kilograms, metres: whatever a counter counts), exact to a millionth.
public struct Parts: Hashable, Sendable, Comparable, CustomStringConvertible {
  public var millionths: Int64

  public static let zero = Parts(millionths: 0)

  public init(millionths: Int64) { self.millionths = millionths }

  public init(_ whole: Int) {
    let (product, overflow) = Int64(whole).multipliedReportingOverflow(by: 1_000_000)
    millionths = overflow ? (whole > 0 ? .max : .min) : product
  }

  /// Rounded to the millionth; `nil` for NaN and what is not below 9 × 10¹² in magnitude.
  public init?(_ number: Double) {
    guard number.magnitude < 9e12 else { return nil }
    millionths = Int64((number * 1e6).rounded())
  }

  public var fraction: Fraction { Fraction(Int128(millionths), over: 1_000_000) }
  public var number: Double { fraction.value }
  /// Plain decimal digits: `370`, `0.5`.
  public var description: String { JSONValue.parts(self).encoded }

  public static func + (a: Parts, b: Parts) -> Parts {
    let (sum, overflow) = a.millionths.addingReportingOverflow(b.millionths)
    return Parts(millionths: overflow ? (a.millionths > 0 ? .max : .min) : sum)
  }
  public static func - (a: Parts, b: Parts) -> Parts { a + Parts(millionths: -b.millionths) }
  public static func += (a: inout Parts, b: Parts) { a = a + b }
  public static func < (a: Parts, b: Parts) -> Bool { a.millionths < b.millionths }
}

extension JSONValue {
  /// Every digit of millionths as a decimal number: 1500000 → 1.5.
  static func millionths(_ count: Int64) -> JSONValue {
    let (whole, rest) = count.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    var text = (count < 0 ? "-" : "") + String(whole)
    if rest > 0 {
      var digits = String(String(1_000_000 + rest).dropFirst())
      while digits.hasSuffix("0") { digits.removeLast() }
      text += "." + digits
    }
    return .number(text)
  }

  /// A time of `microseconds` in seconds, every digit of it.
  static func seconds(_ microseconds: Int64) -> JSONValue { millionths(microseconds) }

  static func parts(_ parts: Parts) -> JSONValue { millionths(parts.millionths) }

  static func time(_ moment: Timestamp) -> JSONValue { .string(moment.rfc3339) }

  static func span(_ span: Span) -> JSONValue {
    .object([("from", .time(span.from)), ("to", .time(span.to))])
  }
}
