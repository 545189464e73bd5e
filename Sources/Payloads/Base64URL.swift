/// The count of the bytes of a base64url text (RFC 4648 section 5) without its padding; `nil` when it is
/// none. Padding may be left out; where it stands it must be complete.
func base64URLCount(_ text: UnsafeRawBufferPointer) -> Int? {
  let padding = text.reversed().prefix { $0 == Ascii.equals }.count
  let count = text.count - padding
  // A single character of a last group holds six bits: not a byte.
  guard count % 4 != 1, padding == 0 || (padding < 3 && text.count % 4 == 0) else { return nil }
  let isClean = text.prefix(count).allSatisfy {
    ($0 | 0x20) &- 0x61 < 26 || $0 &- Ascii.zero < 10 || $0 == Ascii.minus || $0 == 0x5F
  }
  return isClean ? count : nil
}

/// Appends `bytes` as base64url without padding: `hi \n` is `aGkgCg`.
func appendBase64URL(_ bytes: [UInt8], to text: inout [UInt8]) {
  text.reserveCapacity(text.count + (bytes.count * 4 + 2) / 3)
  var bits: UInt32 = 0
  var bitCount = 0
  for byte in bytes {
    bits = bits << 8 | UInt32(byte)
    bitCount += 8
    while bitCount >= 6 {
      bitCount -= 6
      text.append(base64URLDigit(bits >> UInt32(bitCount) & 63))
    }
    bits &= 63
  }
  if bitCount > 0 { text.append(base64URLDigit(bits << UInt32(6 - bitCount) & 63)) }
}

private func base64URLDigit(_ value: UInt32) -> UInt8 {
  switch value {
  case ..<26: UInt8(value) + 0x41
  case ..<52: UInt8(value - 26) + 0x61
  case ..<62: UInt8(value - 52) + Ascii.zero
  case 62: Ascii.minus
  default: 0x5F
  }
}
