/// Device and metric out of the name of a SenML record, which is one text (RFC 8428 section 4.5.1).
///
/// 1. Base name and name both given: the device is the base name without the separators at its end
///    (`:` `/` `.` `_` `-`), the metric is the name without those at its start.
/// 2. One of them alone, a DEV URN (RFC 9039): the device is the URN up to the end of its
///    identifier, the metric what follows: `urn:dev:ow:10e2073a0108006:voltage`,
///    `urn:dev:mac:0024befffe804ff1/temp`, `urn:dev:mac:acde48234567019f_battery`.
/// 3. An address, of hexadecimal digits and two or more colons (`2001:db8::3`): the device.
/// 4. Else split at the last `/`, else at the last `:`.
/// 5. Else it is the metric, and the topic tells the device.
///
/// An empty metric is for the caller to fill in.
struct SenMLName {
  /// `nil`: the topic tells.
  var device: Slice?
  var metric: Slice

  init(base: Slice, name: Slice, _ readings: Readings, payload: UnsafeRawBufferPointer) {
    if base.count > 0, name.count > 0 {
      let device = readings.withBytes(of: base, payload: payload) { bytes in
        bytes.count - (bytes.reversed().prefix(while: isSeparator).count)
      }
      let separators = readings.withBytes(of: name, payload: payload) { bytes in
        bytes.prefix(while: isSeparator).count
      }
      self.metric = name.dropFirst(separators)
      self.device = device > 0 ? base.prefix(device) : nil
      return
    }
    let full = name.count > 0 ? name : base
    let (device, metric) = readings.withBytes(of: full, payload: payload, SenMLName.split)
    self.device = device > 0 ? full.prefix(device) : nil
    self.metric = full.prefix(metric.upperBound).dropFirst(metric.lowerBound)
  }

  /// The count of the device's bytes, and where the metric stands.
  private static func split(_ bytes: UnsafeRawBufferPointer) -> (Int, Range<Int>) {
    let whole = bytes.count - bytes.reversed().prefix(while: isSeparator).count
    if let end = endOfURN(bytes) {
      let start = bytes[end...].drop(while: isSeparator).startIndex
      return (min(end, whole), start..<max(start, whole))
    }
    if isAddress(bytes) { return (bytes.count, bytes.count..<bytes.count) }
    for separator in [Ascii.slash, Ascii.colon] {
      guard let place = bytes[..<whole].lastIndex(of: separator) else { continue }
      let device = place - bytes[..<place].reversed().prefix(while: isSeparator).count
      if device > 0 { return (device, place + 1..<whole) }
    }
    return (0, 0..<whole)
  }

  /// The end of the identifier of `urn:dev:TYPE:IDENTIFIER`.
  private static func endOfURN(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.starts(with: "urn:dev:".utf8),
      let type = bytes[8...].firstIndex(of: Ascii.colon), type + 1 < bytes.count
    else { return nil }
    let identifier = bytes[(type + 1)...]
    return identifier.firstIndex { $0 == Ascii.colon || $0 == Ascii.slash || $0 == 0x5F }
      ?? bytes.count
  }

  private static func isAddress(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count { $0 == Ascii.colon } > 1
      && bytes.allSatisfy {
        $0 == Ascii.colon || $0 &- Ascii.zero < 10 || ($0 | 0x20) &- 0x61 < 6
      }
  }
}

/// Whether a byte may stand between device and metric.
private func isSeparator(_ byte: UInt8) -> Bool {
  switch byte {
  case Ascii.colon, Ascii.slash, Ascii.point, Ascii.minus, 0x5F: true
  default: false
  }
}

/// Whether a byte may stand in a name (RFC 8428 section 4.5.1); `isFirst`: letters and digits alone.
func isSenMLNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
  (byte | 0x20) &- 0x61 < 26 || byte &- Ascii.zero < 10 || (!isFirst && isSeparator(byte))
}

extension Slice {
  func prefix(_ count: Int) -> Slice {
    Slice(offset: Int(offset), count: count, isScratch: isScratch)
  }

  func dropFirst(_ count: Int) -> Slice {
    Slice(offset: Int(offset) + count, count: Int(self.count) - count, isScratch: isScratch)
  }
}
