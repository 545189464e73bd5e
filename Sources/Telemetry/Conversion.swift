/// A change of unit: `(value × multiplier + addend) ÷ divisor`.
///
/// The three numbers are whole wherever the units allow it, so that decimal steps are one correctly
/// rounded operation: 1013 mbar is divided by 1000 and gives exactly the double 1.013, and 212 °F gives
/// (212 × 5 − 160) ÷ 9 = 100 °C.
public struct Conversion: Hashable, Sendable {
  public let multiplier: Double
  public let addend: Double
  public let divisor: Double

  public static let identity = Conversion(multiplier: 1, addend: 0, divisor: 1)

  public init(multiplier: Double, addend: Double, divisor: Double) {
    self.multiplier = multiplier
    self.addend = addend
    self.divisor = divisor
  }

  public var isIdentity: Bool { multiplier == 1 && addend == 0 && divisor == 1 }

  /// The factor alone: what a difference of one source unit is in target units.
  public var scale: Double { multiplier / divisor }

  /// The target value of a source value of zero.
  public var offset: Double { addend / divisor }

  /// The converted value; the same bit pattern when nothing is to convert.
  @inlinable public func apply(_ value: Double) -> Double {
    var result = value
    if multiplier != 1 { result *= multiplier }
    if addend != 0 { result += addend }
    if divisor != 1 { result /= divisor }
    return result
  }
}

/// How a unit stands to the base unit of its dimension: `base = value × numerator ÷ denominator + zero`
/// with `zero` in hundredths of the base unit, where the temperature scales have whole numbers.
struct UnitScale: Hashable, Sendable {
  var numerator: Double
  var denominator: Double
  /// 100 × the base value at zero of this unit, over `zeroDivisor`.
  var zeroNumerator: Double
  var zeroDivisor: Double

  init(
    _ numerator: Double, over denominator: Double = 1, zero zeroNumerator: Double = 0,
    overHundreds zeroDivisor: Double = 1
  ) {
    self.numerator = numerator
    self.denominator = denominator
    self.zeroNumerator = zeroNumerator
    self.zeroDivisor = zeroDivisor
  }
}

extension UnitScale {
  /// The scale of a product with `other` to the power of `exponent`: of differences, without zero points.
  func times(_ other: UnitScale, toThe exponent: Int) -> UnitScale {
    var product = UnitScale(numerator, over: denominator)
    for _ in 0..<exponent.magnitude {
      product.numerator *= exponent > 0 ? other.numerator : other.denominator
      product.denominator *= exponent > 0 ? other.denominator : other.numerator
    }
    return product
  }
}

extension Conversion {
  /// From `value × a/b + z` to the target's own scale, in lowest whole terms when they fit.
  init(from source: UnitScale, to target: UnitScale) {
    let isAffine = source.zeroNumerator != 0 || target.zeroNumerator != 0
    // target = (value × a/b + z1/(100 d1) − z2/(100 d2)) × n/m, all over one denominator.
    let common = isAffine ? 100 * source.zeroDivisor * target.zeroDivisor : 1
    let multiplier = source.numerator * target.denominator * common
    let zeros =
      source.zeroNumerator * target.zeroDivisor - target.zeroNumerator * source.zeroDivisor
    let addend = zeros * source.denominator * target.denominator
    let divisor = source.denominator * target.numerator * common
    self = Conversion(multiplier: multiplier, addend: addend, divisor: divisor).inLowestTerms
  }

  private var inLowestTerms: Conversion {
    let limit = 9_007_199_254_740_992.0
    let terms = [multiplier, addend, divisor]
    guard terms.allSatisfy({ $0.magnitude < limit && $0 == $0.rounded() }) else {
      // Not a ratio of whole numbers: one factor is the most exact that is left.
      return addend == 0
        ? Conversion(multiplier: multiplier / divisor, addend: 0, divisor: 1) : self
    }
    let shared = terms.map { Int64($0).magnitude }.reduce(0, greatestCommonDivisor)
    let factor = Double(shared)
    return Conversion(
      multiplier: multiplier / factor, addend: addend / factor, divisor: divisor / factor)
  }
}

private func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
