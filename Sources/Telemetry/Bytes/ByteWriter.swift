/// Growing bytes for the coders of the journal and of saved state; reused between records so that
/// steady state allocates nothing.
public struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var written = 0
  @usableFromInline var capacity: Int

  @inlinable public init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  @inlinable public var count: Int { written }

  @inlinable public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: written)
  }

  @inlinable public mutating func removeAll() { written = 0 }

  @inlinable public mutating func reserve(_ extra: Int) {
    guard written + extra > capacity else { return }
    capacity = max(capacity * 2, written + extra)
    let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    grown.copyMemory(from: base, byteCount: written)
    base.deallocate()
    base = grown
  }

  @inlinable @inline(__always) public mutating func byte(_ value: UInt8) {
    reserve(1)
    base.storeBytes(of: value, toByteOffset: written, as: UInt8.self)
    written += 1
  }

  /// LEB128: seven bits a byte, least significant first.
  @inlinable @inline(__always) public mutating func varint(_ value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: written, as: UInt8.self)
      written += 1
      rest >>= 7
    }
    base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: written, as: UInt8.self)
    written += 1
  }

  @inlinable @inline(__always) public mutating func zigzag(_ value: Int64) {
    varint(ZigZag.encode(value))
  }

  @inlinable public mutating func fixed<T: FixedWidthInteger>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    base.storeBytes(of: value.littleEndian, toByteOffset: written, as: T.self)
    written += MemoryLayout<T>.size
  }

  @inlinable public mutating func double(_ value: Double) { fixed(value.bitPattern) }

  @inlinable public mutating func float(_ value: Float) { fixed(value.bitPattern) }

  @inlinable public mutating func raw(_ source: UnsafeRawBufferPointer) {
    reserve(source.count)
    if let start = source.baseAddress {
      (base + written).copyMemory(from: start, byteCount: source.count)
    }
    written += source.count
  }

  @inlinable public mutating func zeros(_ length: Int) {
    reserve(length)
    (base + written).initializeMemory(as: UInt8.self, repeating: 0, count: length)
    written += length
  }

  @inlinable public mutating func text(_ value: String) {
    var value = value
    value.withUTF8 {
      varint(UInt64($0.count))
      raw(UnsafeRawBufferPointer($0))
    }
  }

  @inlinable public mutating func blob(_ value: [UInt8]) {
    varint(UInt64(value.count))
    value.withUnsafeBytes { raw($0) }
  }

  /// Room of `length` bytes to be written by C; `commit` tells how many were.
  @inlinable public mutating func unsafeAppend(
    upTo length: Int, _ write: (UnsafeMutableRawPointer) -> Int
  ) {
    reserve(length)
    written += write(base + written)
  }

  @inlinable public mutating func overwrite<T: FixedWidthInteger>(at offset: Int, _ value: T) {
    precondition(offset + MemoryLayout<T>.size <= written, "overwrite only what was written")
    base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}

/// Signed numbers as unsigned ones with the sign in the lowest bit: 0, -1, 1, -2 → 0, 1, 2, 3.
public enum ZigZag {
  @inlinable @inline(__always) public static func encode(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: value << 1 ^ value >> 63)
  }

  @inlinable @inline(__always) public static func decode(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}
