/// A cursor over bytes that came from disk: every read is checked, nothing traps.
struct ByteReader {
  struct Truncated: Error {}

  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  @inline(__always)
  mutating func byte() throws(Truncated) -> UInt8 {
    guard position < bytes.count else { throw Truncated() }
    position += 1
    return bytes[position - 1]
  }

  @inline(__always)
  mutating func varint() throws(Truncated) -> UInt64 {
    let first = try byte()
    if first < 0x80 { return UInt64(first) }
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while true {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
      guard shift < 64 else { throw Truncated() }
    }
  }

  @inline(__always)
  mutating func zigzag() throws(Truncated) -> Int64 { ZigZag.decode(try varint()) }

  mutating func fixed<T: FixedWidthInteger>(_ type: T.Type) throws(Truncated) -> T {
    guard remaining >= MemoryLayout<T>.size else { throw Truncated() }
    defer { position += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// A length that must fit into what is left.
  mutating func length() throws(Truncated) -> Int {
    let value = try varint()
    guard value <= UInt64(remaining) else { throw Truncated() }
    return Int(value)
  }

  mutating func slice(_ count: Int) throws(Truncated) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw Truncated() }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  mutating func text() throws(Truncated) -> String {
    String(decoding: try slice(try length()), as: UTF8.self)
  }

  mutating func blob() throws(Truncated) -> [UInt8] { Array(try slice(try length())) }
}
