import Telemetry

/// The bytes of a sealed chunk: the samples of one series, column by column, each in the smallest of
/// several codings. Drawn in docs/format-chunks.md.
///
/// These verbs are for occasional use; who codes many chunks keeps a `ChunkEncoder` or a
/// `ChunkDecoder`, which reuse their memory.
public enum ChunkCodec {
  /// The first byte of every chunk.
  public static let formatVersion: UInt8 = 1
  /// The most samples in one chunk.
  public static let countMax = 1 << 20

  /// See `ChunkEncoder.encode`.
  public static func encode(_ columns: ChunkColumns, type: ValueType) -> [UInt8] {
    ChunkEncoder().encode(columns, type: type)
  }

  /// See `ChunkDecoder.decode`.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, into columns: inout ChunkColumns
  ) throws(ChunkError) {
    try ChunkDecoder().decode(bytes, into: &columns)
  }

  /// The low half of XXH64 over everything before it.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: Hash64.hash(bytes, seed: 0x6D69_6C6C_6368_6E6B))
  }

  /// Microseconds in the units of a time column, by its code.
  static let timeUnits: [Int64] = [1, 1_000, 1_000_000]
}

/// How the values of a chunk became whole numbers.
enum ValueCoding: UInt8 {
  /// `bits` as they are, taken as signed.
  case plain = 0
  /// Mantissas of one decimal scale; what is no decimal stands in a list of exceptions.
  case decimal = 1
  /// Places in a list of the distinct values.
  case dictionary = 2
  /// Each double XOR the one before, its eight bytes in eight planes, squeezed by zstd.
  case planes = 3
  /// Eight bytes each.
  case raw = 4
}
