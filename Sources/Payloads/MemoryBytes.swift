/// Writes what a decoder remembers: a version byte, then varints and texts.
struct MemoryWriter {
  static let version: UInt8 = 1
  var bytes: [UInt8] = [version]

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func text(_ value: String) {
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func optional(_ value: UInt64?) {
    byte(value == nil ? 0 : 1)
    if let value { varint(value) }
  }
}

/// Reads what `MemoryWriter` wrote; every verb answers `nil` once the bytes have ended.
struct MemoryReader {
  private let bytes: [UInt8]
  private var position = 0

  /// Bytes of another version read as empty.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes.first == MemoryWriter.version ? bytes : []
    position = min(1, self.bytes.count)
  }

  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let next = byte() else { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    return nil
  }

  mutating func take(_ count: UInt64) -> [UInt8]? {
    guard count <= UInt64(bytes.count - position) else { return nil }
    defer { position += Int(count) }
    return Array(bytes[position..<position + Int(count)])
  }

  mutating func text() -> String? {
    varint().flatMap { take($0) }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// - Returns: `nil` at the end; `.some(nil)` where nothing was written.
  mutating func optional() -> UInt64?? {
    guard let isThere = byte() else { return nil }
    guard isThere == 1 else { return .some(nil) }
    return varint().map { .some($0) }
  }
}
