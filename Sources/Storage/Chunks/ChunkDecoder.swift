import Telemetry

/// Turns the bytes of a chunk back into columns; keeps its buffers and zstd context between chunks.
///
/// Confined to one thread. Whatever the bytes are, it neither crashes nor takes more memory than
/// `ChunkCodec.countMax` samples need.
public final class ChunkDecoder {
  private let integers: IntegerDecoder
  private let zstd = ZstdDecoder()
  private let numbers = ScratchBuffer<Int64>()
  private var words: [UInt64] = []

  public init() { integers = IntegerDecoder(zstd: zstd) }

  /// Replaces the content of `columns` by the samples of a chunk; empties it when it throws.
  public func decode(
    _ bytes: UnsafeRawBufferPointer, into columns: inout ChunkColumns
  ) throws(ChunkError) {
    columns.removeAll()
    var reader = try checked(bytes)
    let count = try reader.varint()
    guard count <= UInt64(ChunkCodec.countMax) else { throw .tooManySamples(count) }
    guard count > 0 else {
      guard reader.offset == reader.end else { throw reader.malformed("bytes are left over") }
      return
    }
    do throws(ChunkError) {
      try readColumns(Int(count), from: &reader, into: &columns)
    } catch {
      columns.removeAll()
      throw error
    }
  }

  /// The same for bytes in an array.
  public func decode(_ bytes: [UInt8], into columns: inout ChunkColumns) throws(ChunkError) {
    // The closure's error is carried out as a value, since withUnsafeBytes forgets its type.
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(ChunkError) in try decode(buffer, into: &columns) }
    }
    try result.get()
  }

  /// A reader of what lies between the version and the checksum, once both are right.
  private func checked(_ bytes: UnsafeRawBufferPointer) throws(ChunkError) -> ChunkReader {
    guard bytes.count >= 6 else { throw .tooShort(bytes: bytes.count) }
    guard bytes[0] == ChunkCodec.formatVersion else { throw .unknownVersion(bytes[0]) }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)])
    let stored = UInt32(
      littleEndian: bytes.loadUnaligned(fromByteOffset: content.count, as: UInt32.self))
    let computed = ChunkCodec.checksum(content)
    guard stored == computed else {
      throw .checksumMismatch(stored: stored, computed: computed)
    }
    return ChunkReader(content, from: 1)
  }

  private func readColumns(
    _ count: Int, from reader: inout ChunkReader, into columns: inout ChunkColumns
  ) throws(ChunkError) {
    let column = numbers.prepare(count)
    try readTimes(into: column, from: &reader)
    columns.times.append(contentsOf: column)
    try readValues(count, from: &reader, into: &columns.bits)
    try integers.read(into: column, from: &reader)
    columns.qualities.resize(to: count)
    columns.qualities.withUnsafeMutableBufferPointer { qualities in
      for index in 0..<count { qualities[index] = UInt8(truncatingIfNeeded: column[index]) }
    }
    guard reader.offset == reader.end else { throw reader.malformed("bytes are left over") }
  }

  private func readTimes(
    into column: UnsafeMutableBufferPointer<Int64>, from reader: inout ChunkReader
  ) throws(ChunkError) {
    let code = Int(try reader.byte())
    guard code < ChunkCodec.timeUnits.count else {
      throw reader.malformed("time unit \(code) is unknown")
    }
    try PredictedDecoder(integers: integers).read(into: column, from: &reader)
    let unit = ChunkCodec.timeUnits[code]
    if unit > 1 {
      for index in 0..<column.count { column[index] = column[index] &* unit }
    }
  }

  private func readValues(
    _ count: Int, from reader: inout ChunkReader, into bits: inout [UInt64]
  ) throws(ChunkError) {
    guard let coding = ValueCoding(rawValue: try reader.byte()) else {
      throw reader.malformed("a value coding is unknown")
    }
    switch coding {
    case .plain: try readPlain(count, from: &reader, into: &bits)
    case .decimal: try readDecimals(count, from: &reader, into: &bits)
    case .dictionary: try readWords(count, from: &reader, into: &bits)
    case .planes: try readPlanes(count, from: &reader, into: &bits)
    case .raw:
      let slice = try reader.slice(UInt64(count) * 8)
      for index in 0..<count {
        let word = slice.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
        bits.append(UInt64(littleEndian: word))
      }
    }
  }

  private func readPlain(
    _ count: Int, from reader: inout ChunkReader, into bits: inout [UInt64]
  ) throws(ChunkError) {
    let column = numbers.prepare(count)
    try PredictedDecoder(integers: integers).read(into: column, from: &reader)
    column.withMemoryRebound(to: UInt64.self) { bits.append(contentsOf: $0) }
  }

  private func readDecimals(
    _ count: Int, from reader: inout ChunkReader, into bits: inout [UInt64]
  ) throws(ChunkError) {
    let scale = Int(try reader.byte())
    guard scale <= DecimalScale.scaleMax else {
      throw reader.malformed("decimal scale \(scale) is out of range")
    }
    let exceptions = try readExceptions(count, from: &reader)
    let column = numbers.prepare(count)
    try PredictedDecoder(integers: integers).read(into: column, from: &reader)
    let power = DecimalScale.power(scale)
    bits.resize(to: count)
    bits.withUnsafeMutableBufferPointer { bits in
      // The same division as `DecimalScale.value`, with the power held.
      for index in 0..<count { bits[index] = (Double(column[index]) / power).bitPattern }
      for (index, word) in exceptions { bits[index] = word }
    }
  }

  private func readExceptions(
    _ count: Int, from reader: inout ChunkReader
  ) throws(ChunkError) -> [(Int, UInt64)] {
    let exceptionCount = try reader.varint()
    guard exceptionCount <= UInt64(count) else { throw reader.malformed("too many exceptions") }
    var exceptions = [(Int, UInt64)]()
    var next: UInt64 = 0
    for _ in 0..<exceptionCount {
      let gap = try reader.varint()
      guard gap < UInt64(count), next + gap < UInt64(count) else {
        throw reader.malformed("an exception lies past the end")
      }
      exceptions.append((Int(next + gap), try reader.fixed(UInt64.self)))
      next += gap + 1
    }
    return exceptions
  }

  private func readWords(
    _ count: Int, from reader: inout ChunkReader, into bits: inout [UInt64]
  ) throws(ChunkError) {
    let wordCount = try reader.varint()
    guard wordCount <= 256 else { throw reader.malformed("\(wordCount) distinct words") }
    words.removeAll(keepingCapacity: true)
    for _ in 0..<wordCount { words.append(try reader.varint()) }
    let column = numbers.prepare(count)
    try PredictedDecoder(integers: integers).read(into: column, from: &reader)
    for place in column {
      guard place >= 0, place < words.count else {
        throw reader.malformed("place \(place) is not in the list of words")
      }
      bits.append(words[Int(place)])
    }
  }

  private func readPlanes(
    _ count: Int, from reader: inout ChunkReader, into bits: inout [UInt64]
  ) throws(ChunkError) {
    let planes = try zstd.read(from: &reader, sizeMax: count * 8)
    guard planes.count == count * 8 else { throw reader.malformed("byte planes are cut off") }
    var last: UInt64 = 0
    for index in 0..<count {
      for plane in 0..<8 {
        last ^= UInt64(planes[plane * count + index]) << UInt64(plane * 8)
      }
      bits.append(last)
    }
  }
}

extension Array where Element: ExpressibleByIntegerLiteral {
  /// Makes room for `count` elements whose content is about to be replaced.
  fileprivate mutating func resize(to count: Int) {
    if self.count > count {
      removeLast(self.count - count)
    } else {
      append(contentsOf: repeatElement(0, count: count - self.count))
    }
  }
}
