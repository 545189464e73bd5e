import Telemetry

/// The samples of one series as three columns of equal length; made once and used for many chunks.
///
/// Times are strictly increasing in everything the store writes. The codec does not rely on it.
public struct ChunkColumns: Hashable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z.
  public var times: [Int64]
  /// As in `Sample.bits`.
  public var bits: [UInt64]
  /// As in `Quality.rawValue`.
  public var qualities: [UInt8]

  public init() {
    times = []
    bits = []
    qualities = []
  }

  public init(times: [Int64], bits: [UInt64], qualities: [UInt8]) {
    precondition(
      times.count == bits.count && times.count == qualities.count, "columns of one length")
    self.times = times
    self.bits = bits
    self.qualities = qualities
  }

  public var count: Int { times.count }
  public var isEmpty: Bool { times.isEmpty }

  public mutating func append(time: Int64, bits: UInt64, quality: UInt8) {
    times.append(time)
    self.bits.append(bits)
    qualities.append(quality)
  }

  /// Appends the samples of `other` at `range`.
  public mutating func append(_ range: Range<Int>, of other: ChunkColumns) {
    times.append(contentsOf: other.times[range])
    bits.append(contentsOf: other.bits[range])
    qualities.append(contentsOf: other.qualities[range])
  }

  public mutating func reserveCapacity(_ count: Int) {
    times.reserveCapacity(count)
    bits.reserveCapacity(count)
    qualities.reserveCapacity(count)
  }

  /// Empties the columns and keeps their memory for the next chunk.
  public mutating func removeAll() {
    times.removeAll(keepingCapacity: true)
    bits.removeAll(keepingCapacity: true)
    qualities.removeAll(keepingCapacity: true)
  }
}

/// Why the bytes of a chunk were refused. The chunk is lost; a reader reports it and goes on.
public enum ChunkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Fewer bytes than the shortest chunk has.
  case tooShort(bytes: Int)
  /// Written by a newer gateway, or not a chunk at all.
  case unknownVersion(UInt8)
  /// The bytes are not those that were written.
  case checksumMismatch(stored: UInt32, computed: UInt32)
  /// More samples than `ChunkCodec.countMax`.
  case tooManySamples(UInt64)
  /// The checksum holds, but the content contradicts itself at byte `offset`.
  case malformed(offset: Int, reason: String)

  public var description: String {
    switch self {
    case .tooShort(let bytes):
      "a chunk of \(bytes) bytes is shorter than any chunk; it was cut off"
    case .unknownVersion(let version):
      "chunk format \(version) is unknown; was it written by a newer gateway?"
    case .checksumMismatch(let stored, let computed):
      "the chunk is damaged: its checksum is \(stored), its bytes give \(computed)"
    case .tooManySamples(let count):
      "a chunk of \(count) samples is beyond the limit of \(ChunkCodec.countMax)"
    case .malformed(let offset, let reason):
      "the chunk is malformed at byte \(offset): \(reason)"
    }
  }
}
