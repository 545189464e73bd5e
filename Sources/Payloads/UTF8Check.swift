/// Whether `base[start..<end]` is well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
func isUTF8(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Bool {
  var index = start
  while index < end {
    let lead = base[index]
    if lead < 0x80 {
      index += 1
      continue
    }
    let (length, second) = utf8Form(lead)
    guard length > 0, index + length <= end, second.contains(base[index + 1]) else { return false }
    for offset in 2..<max(2, length) where base[index + offset] & 0xC0 != 0x80 { return false }
    index += length
  }
  return true
}

/// Length of the sequence that `lead` begins and the bytes allowed second; length 0: no lead byte.
private func utf8Form(_ lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>) {
  switch lead {
  case 0xC2...0xDF: (2, 0x80...0xBF)
  case 0xE0: (3, 0xA0...0xBF)
  case 0xE1...0xEC, 0xEE, 0xEF: (3, 0x80...0xBF)
  case 0xED: (3, 0x80...0x9F)
  case 0xF0: (4, 0x90...0xBF)
  case 0xF1...0xF3: (4, 0x80...0xBF)
  case 0xF4: (4, 0x80...0x8F)
  default: (0, 0x80...0xBF)
  }
}

/// Appends a Unicode scalar value as UTF-8; the caller has excluded surrogates.
func appendUTF8(_ scalar: UInt32, to bytes: inout [UInt8]) {
  func tail(_ shift: UInt32) -> UInt8 { UInt8(scalar >> shift & 0x3F) | 0x80 }
  switch scalar {
  case ..<0x80:
    bytes.append(UInt8(scalar))
  case ..<0x800:
    bytes.append(UInt8(scalar >> 6) | 0xC0)
    bytes.append(tail(0))
  case ..<0x1_0000:
    bytes.append(UInt8(scalar >> 12) | 0xE0)
    bytes.append(tail(6))
    bytes.append(tail(0))
  default:
    bytes.append(UInt8(scalar >> 18) | 0xF0)
    bytes.append(tail(12))
    bytes.append(tail(6))
    bytes.append(tail(0))
  }
}
