import Glibc

/// A number read from text.
struct ScannedNumber {
  /// Correctly rounded; infinite when the text is beyond the range of a double or too long.
  var value: Double
  /// Offset behind the number; equal to the start when there is none.
  var end: Int
  /// Without point and exponent, so that `wholeNumber` can read it exactly.
  var isWhole: Bool
}

/// Longest number text that is read; beyond it no digit can matter to a sane source.
private let numberBytesMax = 1_024

/// Reads a number as RFC 8259 writes it: no plus sign, no leading zeros, digits around the point.
@inline(__always)
func scanJSONNumber(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> ScannedNumber {
  scanNumber(base, from: start, to: end, isStrict: true)
}

/// Reads a number as people and meters write it: `+5`, `.5`, `5.` and `007` are numbers too.
func scanLenientNumber(
  _ base: UnsafePointer<UInt8>, from start: Int, to end: Int
) -> ScannedNumber {
  scanNumber(base, from: start, to: end, isStrict: false)
}

/// Reads the integer that fills `base[start..<end]`; `nil` when it is none or outside Int64.
func wholeNumber(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int64? {
  guard start < end else { return nil }
  let isNegative = base[start] == Ascii.minus
  var index = isNegative ? start + 1 : start
  guard index < end else { return nil }
  var value: Int64 = 0
  while index < end {
    let digit = base[index] &- Ascii.zero
    guard digit < 10 else { return nil }
    let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
    // Counted downwards so that the smallest Int64 is reached too.
    let (next, overflow) = product.subtractingReportingOverflow(Int64(digit))
    guard !tooBig, !overflow else { return nil }
    value = next
    index += 1
  }
  if isNegative { return value }
  return value == .min ? nil : -value
}

@inline(__always)
private func scanNumber(
  _ base: UnsafePointer<UInt8>, from start: Int, to end: Int, isStrict: Bool
) -> ScannedNumber {
  let none = ScannedNumber(value: 0, end: start, isWhole: false)
  var index = start
  guard index < end else { return none }
  let isNegative = base[index] == Ascii.minus
  if isNegative || (!isStrict && base[index] == Ascii.plus) { index += 1 }
  var mantissa: UInt64 = 0
  let wholeStart = index
  while index < end, base[index] &- Ascii.zero < 10 {
    mantissa = mantissa &* 10 &+ UInt64(base[index] &- Ascii.zero)
    index += 1
  }
  var digits = index - wholeStart
  if isStrict, digits == 0 || (digits > 1 && base[wholeStart] == Ascii.zero) { return none }
  var exponent = 0
  var isWhole = true
  if index < end, base[index] == Ascii.point {
    let fractionStart = index + 1
    index = fractionStart
    while index < end, base[index] &- Ascii.zero < 10 {
      mantissa = mantissa &* 10 &+ UInt64(base[index] &- Ascii.zero)
      index += 1
    }
    exponent = fractionStart - index
    digits -= exponent
    isWhole = false
    if isStrict, exponent == 0 { return none }
  }
  if digits == 0 { return none }
  if index < end, base[index] | 0x20 == Ascii.e {
    if let (power, behind) = scanExponent(base, from: index + 1, to: end) {
      exponent += power
      index = behind
      isWhole = false
    } else if isStrict {
      return none
    }
  }
  // Nineteen digits always fit the mantissa, so it has not wrapped around.
  if digits <= 19, let magnitude = exactMagnitude(mantissa, exponent) {
    return ScannedNumber(value: isNegative ? -magnitude : magnitude, end: index, isWhole: isWhole)
  }
  return ScannedNumber(
    value: slowNumber(base, from: start, to: index), end: index, isWhole: isWhole)
}

/// `e` is read already. Powers are clamped far outside the range of a double.
private func scanExponent(
  _ base: UnsafePointer<UInt8>, from start: Int, to end: Int
) -> (power: Int, end: Int)? {
  var index = start
  guard index < end else { return nil }
  let isNegative = base[index] == Ascii.minus
  if isNegative || base[index] == Ascii.plus { index += 1 }
  let digitsStart = index
  var power = 0
  while index < end, base[index] &- Ascii.zero < 10 {
    power = min(power * 10 + Int(base[index] &- Ascii.zero), 1_000_000)
    index += 1
  }
  return index == digitsStart ? nil : (isNegative ? -power : power, index)
}

/// mantissa × 10^exponent where one exactly rounded operation gives it; `nil`: ask `strtod`.
@inline(__always)
private func exactMagnitude(_ mantissa: UInt64, _ exponent: Int) -> Double? {
  if mantissa <= 1 << 53 {
    // Both factors are exact doubles, so the one rounding is the correct one (Clinger 1990).
    if exponent == 0 { return Double(mantissa) }
    if exponent < 0, exponent >= -22 { return Double(mantissa) / powersOfTen(-exponent) }
    if exponent > 0, exponent <= 22 { return Double(mantissa) * powersOfTen(exponent) }
    return nil
  }
  if exponent == 0 { return Double(mantissa) }
  return exponent < 0 && exponent >= -19 ? quotient(mantissa, tenToThe: -exponent) : nil
}

/// mantissa / 10^power with one rounding, for the 17 digits that Python and Swift print.
///
/// Both sides are shifted to fill 64 bits; the quotient then has at least 63, and a remainder only
/// has to be remembered in its last bit, far below the 53 that are kept.
private func quotient(_ mantissa: UInt64, tenToThe power: Int) -> Double {
  var divisor: UInt64 = 1
  for _ in 0..<power { divisor &*= 10 }
  let mantissaShift = mantissa.leadingZeroBitCount
  let divisorShift = divisor.leadingZeroBitCount
  let dividend = mantissa << UInt64(mantissaShift)
  let (bits, remainder) = (divisor << UInt64(divisorShift)).dividingFullWidth(
    (dividend >> 1, dividend << 63))
  let rounded = Double(remainder == 0 ? bits : bits | 1)
  let scale = divisorShift - mantissaShift - 63
  return rounded * Double(bitPattern: UInt64(1_023 + scale) << 52)
}

/// 10^power for 0…22, the powers of ten that are exact doubles.
@inline(__always)
private func powersOfTen(_ power: Int) -> Double {
  // Two steps of a table as code: no array, so no reference count and no bounds check.
  let low: Double
  switch power & 7 {
  case 0: low = 1
  case 1: low = 1e1
  case 2: low = 1e2
  case 3: low = 1e3
  case 4: low = 1e4
  case 5: low = 1e5
  case 6: low = 1e6
  default: low = 1e7
  }
  return power < 8 ? low : power < 16 ? low * 1e8 : low * 1e16
}

/// `strtod` over a copy that ends in a zero byte. The process never calls `setlocale`, so the
/// decimal sign is the point of the C locale.
private func slowNumber(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Double {
  let count = end - start
  guard count <= numberBytesMax else { return .infinity }
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
    for offset in 0..<count { copy[offset] = CChar(bitPattern: base[start + offset]) }
    copy[count] = 0
    return copy.baseAddress.map { strtod($0, nil) } ?? .infinity
  }
}

/// ASCII bytes by name.
enum Ascii {
  static let tab: UInt8 = 0x09
  static let newline: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let blank: UInt8 = 0x20
  static let quote: UInt8 = 0x22
  static let hash: UInt8 = 0x23
  static let plus: UInt8 = 0x2B
  static let comma: UInt8 = 0x2C
  static let minus: UInt8 = 0x2D
  static let point: UInt8 = 0x2E
  static let slash: UInt8 = 0x2F
  static let zero: UInt8 = 0x30
  static let colon: UInt8 = 0x3A
  static let equals: UInt8 = 0x3D
  static let openBracket: UInt8 = 0x5B
  static let backslash: UInt8 = 0x5C
  static let closeBracket: UInt8 = 0x5D
  static let e: UInt8 = 0x65
  static let openBrace: UInt8 = 0x7B
  static let closeBrace: UInt8 = 0x7D
}
