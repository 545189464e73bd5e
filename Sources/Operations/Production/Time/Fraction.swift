/// An exact quotient in lowest terms: ratios are carried as such and become a double once, at the end.
///
/// The example behind it: 420 of 480 min, 400 parts of 1 min, 380 good is 380/480 = .7917; the product of
/// the rounded factors .875 × .952 × .95 prints .791.
///
/// Terms are 128 bits wide. A result that does not fit is rounded to 62 bits, a relative error below 10⁻¹⁸;
/// nothing traps but a division by zero.
public struct Fraction: Hashable, Sendable, Comparable {
  public let numerator: Int128
  /// Above zero.
  public let denominator: Int128

  public static let zero = Fraction(0)

  public init(_ whole: some BinaryInteger) {
    numerator = Int128(whole)
    denominator = 1
  }

  public init(_ numerator: Int128, over denominator: Int128) {
    precondition(denominator != 0, "a fraction over zero has no value")
    let sign: Int128 = denominator < 0 ? -1 : 1
    let shared = max(1, greatestCommonDivisor(numerator.magnitude, denominator.magnitude))
    self.numerator = sign * numerator / Int128(shared)
    self.denominator = sign * denominator / Int128(shared)
  }

  public var isZero: Bool { numerator == 0 }
  public var isNegative: Bool { numerator < 0 }

  public static func + (a: Fraction, b: Fraction) -> Fraction {
    if a.denominator == b.denominator {
      let (sum, overflow) = a.numerator.addingReportingOverflow(b.numerator)
      if !overflow { return Fraction(sum, over: a.denominator) }
    }
    let shared = Int128(greatestCommonDivisor(a.denominator.magnitude, b.denominator.magnitude))
    let (left, o1) = a.numerator.multipliedReportingOverflow(by: b.denominator / shared)
    let (right, o2) = b.numerator.multipliedReportingOverflow(by: a.denominator / shared)
    let (sum, o3) = left.addingReportingOverflow(right)
    let (under, o4) = a.denominator.multipliedReportingOverflow(by: b.denominator / shared)
    if o1 || o2 || o3 || o4 { return a.shortened + b.shortened }
    return Fraction(sum, over: under)
  }

  public static func - (a: Fraction, b: Fraction) -> Fraction {
    a + Fraction(-b.numerator, over: b.denominator)
  }

  public static func * (a: Fraction, b: Fraction) -> Fraction {
    // Dividing crosswise first keeps the terms small.
    let x = Int128(max(1, greatestCommonDivisor(a.numerator.magnitude, b.denominator.magnitude)))
    let y = Int128(max(1, greatestCommonDivisor(b.numerator.magnitude, a.denominator.magnitude)))
    let (over, o1) = (a.numerator / x).multipliedReportingOverflow(by: b.numerator / y)
    let (under, o2) = (a.denominator / y).multipliedReportingOverflow(by: b.denominator / x)
    if o1 || o2 { return a.shortened * b.shortened }
    return Fraction(over, over: under)
  }

  /// Traps when `b` is zero: ask before.
  public static func / (a: Fraction, b: Fraction) -> Fraction {
    precondition(!b.isZero, "division by zero")
    return a * Fraction(b.denominator, over: b.numerator)
  }

  public static func < (a: Fraction, b: Fraction) -> Bool { (a - b).isNegative }

  /// The nearest double.
  public var value: Double {
    let limit: Int128 = 1 << 53
    if numerator.magnitude <= limit, denominator <= limit {
      return Double(Int64(numerator)) / Double(Int64(denominator))
    }
    var over = numerator.magnitude
    var under = denominator.magnitude
    let excess = max(0, 64 - under.leadingZeroBitCount)
    over >>= UInt128(excess)
    under >>= UInt128(excess)
    let shift = over.leadingZeroBitCount
    let (quotient, remainder) = (over << UInt128(shift)).quotientAndRemainder(dividingBy: under)
    // The lowest bit stands for everything that was cut off, so that the one rounding below goes the right way.
    let sticky = remainder == 0 ? quotient : quotient | 1
    let result = Double(sticky) * Double(sign: .plus, exponent: -shift, significand: 1)
    return numerator < 0 ? -result : result
  }

  /// The nearest whole number, halves away from zero; saturates.
  public var rounded: Int64 {
    let (whole, rest) = numerator.magnitude.quotientAndRemainder(dividingBy: denominator.magnitude)
    let up = rest >= denominator.magnitude - rest ? whole + 1 : whole
    let bounded = up > UInt128(Int64.max) ? Int64.max : Int64(up)
    return numerator < 0 ? -bounded : bounded
  }

  /// Both terms cut to 62 bits, so that a product of two of them fits.
  private var shortened: Fraction {
    let bits = 128 - min(numerator.magnitude, Int128.max.magnitude).leadingZeroBitCount
    let widest = max(bits, 128 - denominator.leadingZeroBitCount)
    let excess = Int128(max(0, widest - 62))
    return Fraction(numerator >> excess, over: max(1, denominator >> excess))
  }
}

private func greatestCommonDivisor(_ a: UInt128, _ b: UInt128) -> UInt128 {
  var (a, b) = (a, b)
  // Most terms fit 64 bits, where the division is one instruction.
  while b != 0 {
    if a <= UInt64.max, b <= UInt64.max {
      var (x, y) = (UInt64(a), UInt64(b))
      while y != 0 { (x, y) = (y, x % y) }
      return UInt128(x)
    }
    (a, b) = (b, a % b)
  }
  return a
}
