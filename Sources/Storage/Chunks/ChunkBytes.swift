/// Memory that grows to the largest size ever asked for and is used again and again.
final class ScratchBuffer<Element: BitwiseCopyable> {
  private(set) var start: UnsafeMutablePointer<Element>
  private(set) var capacity: Int

  init(capacity: Int = 64) {
    self.capacity = capacity
    start = .allocate(capacity: capacity)
  }

  deinit { start.deallocate() }

  /// Room for `count` elements of unspecified content; what was there before is gone when it grew.
  func prepare(_ count: Int) -> UnsafeMutableBufferPointer<Element> {
    if count > capacity {
      start.deallocate()
      capacity = count + count / 4
      start = .allocate(capacity: capacity)
    }
    return UnsafeMutableBufferPointer(start: start, count: count)
  }
}

/// Bytes being written: fixed-width little-endian numbers, varints and bit fields.
///
/// A bit field is filled from the least significant bit of its first byte; `endBits` closes it.
final class ChunkWriter {
  private(set) var start: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int
  private var pendingBits: UInt64 = 0
  private var pendingCount: UInt64 = 0

  init(capacity: Int = 1_024) {
    self.capacity = capacity
    start = .allocate(capacity: capacity)
  }

  deinit { start.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  func removeAll() { count = 0 }

  func truncate(to newCount: Int) { count = newCount }

  @inline(__always)
  func reserve(_ extra: Int) {
    if count + extra > capacity { grow(extra) }
  }

  @inline(never)
  private func grow(_ extra: Int) {
    capacity = (count + extra) * 3 / 2
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: start, count: count)
    start.deallocate()
    start = larger
  }

  @inline(__always)
  func byte(_ value: UInt8) {
    reserve(1)
    start[count] = value
    count += 1
  }

  @inline(__always)
  func fixed<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number) {
    reserve(8)
    UnsafeMutableRawPointer(start + count)
      .storeBytes(of: value.littleEndian, as: Number.self)
    count += MemoryLayout<Number>.size
  }

  /// Seven bits a byte, least significant first; at most ten bytes.
  @inline(__always)
  func varint(_ value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      start[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      count += 1
      rest >>= 7
    }
    start[count] = UInt8(truncatingIfNeeded: rest)
    count += 1
  }

  @inline(__always)
  func signed(_ value: Int64) { varint(value.zigzag) }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    reserve(bytes.count)
    UnsafeMutableRawPointer(start + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  /// The room after the bytes so far, for a compressor to write into; see `advance(by:)`.
  func room(_ size: Int) -> UnsafeMutableRawBufferPointer {
    reserve(size)
    return UnsafeMutableRawBufferPointer(start: start + count, count: size)
  }

  func advance(by written: Int) { count += written }

  /// Appends the low `width` bits of `value`, whose other bits are zero.
  @inline(__always)
  func bits(_ value: UInt64, _ width: Int) {
    if width > 32 {
      shortBits(value & 0xFFFF_FFFF, 32)
      shortBits(value >> 32, width - 32)
    } else {
      shortBits(value, width)
    }
  }

  @inline(__always)
  private func shortBits(_ value: UInt64, _ width: Int) {
    pendingBits |= value << pendingCount
    pendingCount += UInt64(width)
    if pendingCount >= 32 {
      fixed(UInt32(truncatingIfNeeded: pendingBits))
      pendingBits >>= 32
      pendingCount -= 32
    }
  }

  /// Fills the last byte of a bit field with zeros.
  func endBits() {
    while pendingCount > 0 {
      byte(UInt8(truncatingIfNeeded: pendingBits))
      pendingBits >>= 8
      pendingCount = pendingCount > 8 ? pendingCount - 8 : 0
    }
    pendingBits = 0
  }
}

/// Bytes being read; never reads past `end`.
struct ChunkReader {
  let start: UnsafeRawPointer
  let end: Int
  var offset: Int

  init(_ bytes: UnsafeRawBufferPointer, from offset: Int) {
    // The decoder has checked that there are bytes.
    start = bytes.baseAddress!
    end = bytes.count
    self.offset = offset
  }

  func malformed(_ reason: String) -> ChunkError { .malformed(offset: offset, reason: reason) }

  mutating func byte() throws(ChunkError) -> UInt8 {
    guard offset < end else { throw malformed("a byte is missing") }
    defer { offset += 1 }
    return start.load(fromByteOffset: offset, as: UInt8.self)
  }

  mutating func fixed<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type
  ) throws(ChunkError) -> Number {
    let size = MemoryLayout<Number>.size
    guard end - offset >= size else { throw malformed("a number is cut off") }
    defer { offset += size }
    return Number(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  @inline(__always)
  mutating func varint() throws(ChunkError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end {
      let next = start.load(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
      if shift > 63 { throw malformed("a varint has more than ten bytes") }
    }
    throw malformed("a varint is cut off")
  }

  mutating func signed() throws(ChunkError) -> Int64 { try varint().unzigzag }

  /// The next `count` bytes as they are.
  mutating func slice(_ count: UInt64) throws(ChunkError) -> UnsafeRawBufferPointer {
    guard count <= UInt64(end - offset) else { throw malformed("\(count) bytes do not follow") }
    defer { offset += Int(count) }
    return UnsafeRawBufferPointer(start: start + offset, count: Int(count))
  }

  /// Reads the bit field that starts here; give it back to `endBits`.
  func bitField() -> BitReader { BitReader(start: start, endByte: end, position: offset * 8) }

  mutating func endBits(_ field: BitReader) throws(ChunkError) {
    guard field.position <= end * 8 else { throw malformed("a bit field is cut off") }
    offset = (field.position + 7) / 8
  }
}

/// A position in bits; reads zeros past the end, which the owner notices by `position`.
struct BitReader {
  let start: UnsafeRawPointer
  let endByte: Int
  var position: Int

  /// The next `width` bits, 0 … 64.
  @inline(__always)
  mutating func bits(_ width: Int) -> UInt64 {
    if width > 56 {
      let low = shortBits(32)
      return low | shortBits(width - 32) << 32
    }
    return shortBits(width)
  }

  @inline(__always)
  private mutating func shortBits(_ width: Int) -> UInt64 {
    let word = peek()
    position += width
    return word & (1 << UInt64(width) &- 1)
  }

  /// At least 57 bits from here on, zeros past the end.
  @inline(__always)
  func peek() -> UInt64 {
    let byte = position >> 3
    let shift = UInt64(position & 7)
    if byte + 8 <= endByte {
      return UInt64(littleEndian: start.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
        >> shift
    }
    return lastBytes(from: byte) >> shift
  }

  @inline(never)
  private func lastBytes(from byte: Int) -> UInt64 {
    guard byte < endByte else { return 0 }
    var word: UInt64 = 0
    for index in stride(from: endByte - 1, through: byte, by: -1) {
      word = word << 8 | UInt64(start.load(fromByteOffset: index, as: UInt8.self))
    }
    return word
  }
}

extension Int64 {
  /// 0, -1, 1, -2, 2 … → 0, 1, 2, 3, 4 …
  @inline(__always)
  var zigzag: UInt64 { UInt64(bitPattern: self << 1 ^ self >> 63) }
}

extension UInt64 {
  @inline(__always)
  var unzigzag: Int64 { Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1) }

  /// Bits up to the highest one that is set; 0 has none.
  @inline(__always)
  var bitLength: Int { 64 - leadingZeroBitCount }

  /// Bytes as a varint.
  @inline(__always)
  var varintSize: Int { Swift.max(1, (bitLength + 6) / 7) }
}
