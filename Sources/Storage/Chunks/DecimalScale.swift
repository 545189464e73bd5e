/// Doubles as whole numbers of a decimal unit: 21.53 ⇄ 2153 · 10⁻².
///
/// Sensors and gateways send decimal text, so nearly every double they yield is the one nearest to a
/// short decimal, and the small integer compresses far better than 64 bits. Every answer is checked
/// bit for bit: `value(mantissa:scale:)` of what `mantissa(of:scale:)` returns is the same double.
/// Negative zero, NaN and the infinities are no decimals.
public enum DecimalScale {
  /// The largest number of digits after the point that is tried.
  public static let scaleMax = 12

  /// Up to fifteen digits a decimal and its nearest double determine each other (C's `DBL_DIG`).
  @usableFromInline static let fractionLimit = 1e15
  /// Up to 2⁵³ every whole number is a double of its own.
  @usableFromInline static let wholeLimit = 9_007_199_254_740_992.0

  /// The whole number `m` with `m / 10^scale` equal to `value` bit for bit.
  ///
  /// - Parameter scale: Digits after the point, 0 … `scaleMax`.
  /// - Returns: `nil` when there is none within ±10¹⁵ (±2⁵³ at scale 0). At most one exists.
  @inlinable @inline(__always)
  public static func mantissa(of value: Double, scale: Int) -> Int64? {
    if scale == 0 {
      guard value.magnitude <= wholeLimit else { return nil }
      let whole = Int64(value)
      return Double(whole).bitPattern == value.bitPattern ? whole : nil
    }
    let power = power(scale)
    let scaled = value * power
    // Also false for NaN.
    guard scaled.magnitude <= fractionLimit else { return nil }
    // The product is off by less than half a unit, so rounding finds the candidate.
    let whole = Int64(scaled + (scaled < 0 ? -0.5 : 0.5))
    return (Double(whole) / power).bitPattern == value.bitPattern ? whole : nil
  }

  /// The fewest digits after the point with which `value` is a decimal.
  ///
  /// - Returns: `nil` when it is none within `scaleMax` digits; that costs about 50 ns.
  @inlinable public static func smallestScale(of value: Double) -> Int? {
    guard value.magnitude <= wholeLimit else { return nil }
    for scale in 0...scaleMax where mantissa(of: value, scale: scale) != nil { return scale }
    return nil
  }

  /// `mantissa · 10^-scale`, rounded once: a division of two exact doubles.
  @inlinable @inline(__always)
  public static func value(mantissa: Int64, scale: Int) -> Double {
    scale == 0 ? Double(mantissa) : Double(mantissa) / power(scale)
  }

  /// 10^scale; each is exact as a double.
  @inlinable @inline(__always)
  public static func power(_ scale: Int) -> Double {
    switch scale {
    case 0: 1
    case 1: 1e1
    case 2: 1e2
    case 3: 1e3
    case 4: 1e4
    case 5: 1e5
    case 6: 1e6
    case 7: 1e7
    case 8: 1e8
    case 9: 1e9
    case 10: 1e10
    case 11: 1e11
    case 12: 1e12
    default: preconditionFailure("a decimal scale lies between 0 and \(scaleMax)")
    }
  }
}
