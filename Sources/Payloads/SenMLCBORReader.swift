import Glibc

/// Reads SenML in CBOR (RFC 8428 section 6): an array of maps with the labels of `SenMLLabel`.
///
/// Lengths may be definite or not. Numbers are whole numbers, floats of 16, 32 or 64 bits, decimal
/// fractions (tag 4) and bigfloats (tag 5) of a mantissa in 64 bits; bignums are refused. Other tags,
/// such as 55799 for CBOR itself, are stepped over. A known field may also be labelled by its JSON
/// name; other labels are extensions.
struct SenMLCBORReader: ~Copyable {
  private var scanner: CBORScanner
  private var pack: SenMLPack

  init(base: UnsafePointer<UInt8>, count: Int, limits: PayloadLimits) {
    self.scanner = CBORScanner(base: base, count: count)
    self.pack = SenMLPack(
      payload: UnsafeRawBufferPointer(start: base, count: count), limits: limits)
  }

  mutating func read(into readings: inout Readings) throws(PayloadError) {
    let head = try scanner.untaggedHead()
    guard head.major == 4 else {
      throw PayloadError(
        code: "not_an_array", detail: "A SenML pack is an array of records.", offset: 0)
    }
    try scanner.enter()
    var count: UInt64 = 0
    while try !scanner.isAtEnd(of: head, after: count) {
      try readRecord(into: &readings)
      if pack.isBroken { return try readings.checkAnythingRead(sawNull: false) }
      count += 1
    }
    guard scanner.position == scanner.end else {
      throw PayloadError(
        code: "trailing_bytes", detail: "Bytes follow the end of the pack.",
        offset: scanner.position)
    }
    try readings.checkAnythingRead(sawNull: false)
  }

  private mutating func readRecord(into readings: inout Readings) throws(PayloadError) {
    pack.begin()
    let head = try scanner.untaggedHead()
    if head.major == 5 {
      try readFields(head, into: &readings)
    } else {
      try scanner.skip(head, scratch: &readings.scratch)
      pack.refuse("not_an_object", "A SenML record is a map.")
    }
    try pack.end(into: &readings)
  }

  private mutating func readFields(
    _ head: CBORHead, into readings: inout Readings
  ) throws(PayloadError) {
    try scanner.enter()
    var count: UInt64 = 0
    while try !scanner.isAtEnd(of: head, after: count) {
      if let label = try readLabel(&readings) {
        pack.take(label, try scalar(&readings), &readings)
      } else {
        try scanner.skipItem(scratch: &readings.scratch)
      }
      count += 1
    }
    scanner.leave()
  }

  /// `nil` for the label of an extension.
  private mutating func readLabel(_ readings: inout Readings) throws(PayloadError) -> SenMLLabel? {
    let head = try scanner.untaggedHead()
    switch head.major {
    case 0: return SenMLLabel(rawValue: Int(clamping: head.argument))
    case 1: return SenMLLabel(rawValue: -1 - Int(clamping: min(head.argument, 1 << 32)))
    case 3:
      let mark = readings.scratch.count
      let name = try scanner.string(head, into: &readings.scratch)
      let label = readings.withBytes(of: name, payload: pack.payload) { bytes in
        let label = SenMLLabel(name: bytes)
        if label == nil { pack.takeExtension(bytes) }
        return label
      }
      readings.scratch.removeSubrange(mark...)
      return label
    default:
      try scanner.skip(head, scratch: &readings.scratch)
      pack.refuse("bad_label", "Labels are whole numbers or texts.")
      return nil
    }
  }

  private mutating func scalar(_ readings: inout Readings) throws(PayloadError) -> SenMLScalar {
    var head = try scanner.head()
    var tags = 0
    while head.major == 6 {
      switch head.argument {
      case 2, 3:
        try scanner.skipItem(scratch: &readings.scratch)
        return .outOfRange
      case 4, 5: return try fraction(base: head.argument == 4 ? 10 : 2, &readings)
      default: break
      }
      tags += 1
      if tags > CBORScanner.nestingMax { try scanner.enter() }
      head = try scanner.head()
    }
    return try untagged(head, &readings)
  }

  private mutating func untagged(
    _ head: CBORHead, _ readings: inout Readings
  ) throws(PayloadError) -> SenMLScalar {
    switch head.major {
    case 0: return .number(Double(head.argument))
    case 1: return .number(-1 - Double(head.argument))
    case 2: return .bytes(try scanner.string(head, into: &readings.scratch))
    case 3:
      let text = try scanner.string(head, into: &readings.scratch)
      let isValid = readings.withBytes(of: text, payload: pack.payload) { bytes in
        bytes.baseAddress.map {
          isUTF8($0.assumingMemoryBound(to: UInt8.self), from: 0, to: bytes.count)
        } ?? true
      }
      return .text(ScannedText(slice: text, isValid: isValid))
    case 7 where head.information == 20 || head.information == 21:
      return .boolean(head.information == 21)
    default:
      if let float = head.float { return .number(float) }
      try scanner.skip(head, scratch: &readings.scratch)
      return .other
    }
  }

  /// `[exponent, mantissa]` of a decimal fraction or a bigfloat (RFC 8949 section 3.4.4).
  private mutating func fraction(
    base: Int, _ readings: inout Readings
  ) throws(PayloadError) -> SenMLScalar {
    let array = try scanner.head()
    guard array.major == 4, array.argument == 2, !array.isIndefinite else {
      try scanner.skip(array, scratch: &readings.scratch)
      return .other
    }
    var parts: [(isNegative: Bool, magnitude: UInt64)] = []
    for _ in 0..<2 {
      let head = try scanner.head()
      if head.major < 2 {
        parts.append((head.major == 1, head.argument))
      } else {
        try scanner.skip(head, scratch: &readings.scratch)
      }
    }
    guard parts.count == 2 else { return .other }
    // Beyond these every mantissa of 64 bits is infinite or zero.
    let exponent = Int32(min(parts[0].magnitude, 2_000)) + (parts[0].isNegative ? 1 : 0)
    let signed = parts[0].isNegative ? -exponent : exponent
    let magnitude =
      base == 10
      ? Double("\(parts[1].magnitude)e\(signed)") ?? .infinity
      : ldexp(Double(parts[1].magnitude), signed)
    // CBOR writes the negative number −1 − n as n.
    let value = parts[1].isNegative ? negative(parts[1].magnitude, base, signed) : magnitude
    return value.isFinite ? .number(value) : .outOfRange
  }

  /// (−1 − n) × base^exponent.
  private func negative(_ n: UInt64, _ base: Int, _ exponent: Int32) -> Double {
    let (magnitude, overflow) = n.addingReportingOverflow(1)
    if base == 2 { return -ldexp(overflow ? 0x1p64 : Double(magnitude), exponent) }
    let digits = overflow ? "18446744073709551616" : "\(magnitude)"
    return -(Double("\(digits)e\(exponent)") ?? .infinity)
  }
}
