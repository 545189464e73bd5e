/// Growing bytes for the coders of the journal; reused between records so that steady state allocates nothing.
struct ByteWriter: ~Copyable {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  mutating func removeAll() { count = 0 }

  mutating func reserve(_ extra: Int) {
    guard count + extra > capacity else { return }
    capacity = max(capacity * 2, count + extra)
    let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    grown.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = grown
  }

  @inline(__always)
  mutating func byte(_ value: UInt8) {
    reserve(1)
    base.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  /// LEB128: seven bits a byte, least significant first.
  @inline(__always)
  mutating func varint(_ value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
      count += 1
      rest >>= 7
    }
    base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
    count += 1
  }

  @inline(__always)
  mutating func zigzag(_ value: Int64) { varint(ZigZag.encode(value)) }

  mutating func fixed<T: FixedWidthInteger>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    base.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  mutating func raw(_ source: UnsafeRawBufferPointer) {
    reserve(source.count)
    if let start = source.baseAddress {
      (base + count).copyMemory(from: start, byteCount: source.count)
    }
    count += source.count
  }

  mutating func zeros(_ length: Int) {
    reserve(length)
    (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: length)
    count += length
  }

  mutating func text(_ value: String) {
    var value = value
    value.withUTF8 {
      varint(UInt64($0.count))
      raw(UnsafeRawBufferPointer($0))
    }
  }

  mutating func blob(_ value: [UInt8]) {
    varint(UInt64(value.count))
    value.withUnsafeBytes { raw($0) }
  }

  /// Room of `length` bytes to be written by C; `commit` tells how many were.
  mutating func unsafeAppend(upTo length: Int, _ write: (UnsafeMutableRawPointer) -> Int) {
    reserve(length)
    count += write(base + count)
  }

  mutating func overwrite<T: FixedWidthInteger>(at offset: Int, _ value: T) {
    precondition(offset + MemoryLayout<T>.size <= count, "overwrite only what was written")
    base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}

/// Signed numbers as unsigned ones with the sign in the lowest bit: 0, -1, 1, -2 → 0, 1, 2, 3.
enum ZigZag {
  @inline(__always)
  static func encode(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

  @inline(__always)
  static func decode(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}
