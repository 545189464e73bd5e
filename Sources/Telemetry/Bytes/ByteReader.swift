/// A cursor over bytes that came from disk: every read is checked, nothing traps.
public struct ByteReader {
  public struct Truncated: Error { @inlinable public init() {} }

  @usableFromInline let bytes: UnsafeRawBufferPointer
  @usableFromInline var place = 0

  /// Bytes read so far.
  @inlinable public var position: Int { place }

  @inlinable public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  @inlinable public var remaining: Int { bytes.count - place }

  @inlinable @inline(__always) public mutating func byte() throws(Truncated) -> UInt8 {
    guard place < bytes.count else { throw Truncated() }
    place += 1
    return bytes[place - 1]
  }

  @inlinable @inline(__always) public mutating func varint() throws(Truncated) -> UInt64 {
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

  @inlinable @inline(__always) public mutating func zigzag() throws(Truncated) -> Int64 {
    ZigZag.decode(try varint())
  }

  @inlinable public mutating func fixed<T: FixedWidthInteger>(_ type: T.Type) throws(Truncated) -> T
  {
    guard remaining >= MemoryLayout<T>.size else { throw Truncated() }
    defer { place += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: T.self))
  }

  @inlinable public mutating func double() throws(Truncated) -> Double {
    Double(bitPattern: try fixed(UInt64.self))
  }

  @inlinable public mutating func float() throws(Truncated) -> Float {
    Float(bitPattern: try fixed(UInt32.self))
  }

  /// A length that must fit into what is left.
  @inlinable public mutating func length() throws(Truncated) -> Int {
    let value = try varint()
    guard value <= UInt64(remaining) else { throw Truncated() }
    return Int(value)
  }

  @inlinable public mutating func slice(_ count: Int) throws(Truncated) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw Truncated() }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  @inlinable public mutating func text() throws(Truncated) -> String {
    String(decoding: try slice(try length()), as: UTF8.self)
  }

  @inlinable public mutating func blob() throws(Truncated) -> [UInt8] {
    Array(try slice(try length()))
  }
}
