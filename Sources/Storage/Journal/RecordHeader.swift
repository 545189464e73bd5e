import Telemetry

/// What a record says of itself, and of the clocks when it was made.
///
/// ```
///  0  u32  magic "MWR1"          32  i64  monotonic (CLOCK_BOOTTIME), µs
///  4  u32  bytes of the body     40  i64  wall (our receive clock, UTC), µs
///  8  u64  sequence              48  u8   1 = reset, 2 = body compressed with zstd
/// 16  u64  XXH64 of the rest     49  u8   clock quality
/// 24  u64  boot id               50  u16  0
///                                52  u32  bytes of the body before compression
/// 56  body, padded with zeros to a multiple of 8
/// ```
/// The checksum is seeded with the segment's id, so that a record left in a recycled segment never validates.
public struct RecordHeader: Hashable, Sendable {
  public var sequence: UInt64 = 0
  public var bootID: UInt64
  public var monotonicMicroseconds: Int64
  public var wall: Timestamp
  public var clockQuality: ClockQuality

  public init(
    sequence: UInt64 = 0, bootID: UInt64, monotonicMicroseconds: Int64, wall: Timestamp,
    clockQuality: ClockQuality
  ) {
    self.sequence = sequence
    self.bootID = bootID
    self.monotonicMicroseconds = monotonicMicroseconds
    self.wall = wall
    self.clockQuality = clockQuality
  }

  static let magic: UInt32 = 0x3152_574D
  static let byteCount = 56
  static let resetFlag: UInt8 = 1
  static let compressedFlag: UInt8 = 2
  /// No batch the gateway makes comes near; a larger length is damage.
  static let bodyMax = 64 << 20
}

/// What the kernel says of the wall clock.
public enum ClockQuality: UInt8, Sendable {
  /// Disciplined by NTP or PTP (`adjtimex` does not say unsynchronised).
  case synchronized = 0
  /// Nobody vouches for it.
  case unsynchronized = 1
  /// It was set back while we ran; receive times run ahead of it until it catches up.
  case steppedBack = 2

  public var name: String { ["synchronized", "unsynchronized", "stepped_back"][Int(rawValue)] }
}

extension RecordHeader {
  struct Frame {
    var header: RecordHeader
    var isReset: Bool
    var isCompressed: Bool
    var rawByteCount: Int
    var body: Range<Int>
    /// Offset of the byte after the padded record.
    var end: Int
  }

  /// Reads and verifies the record at `offset` of a segment.
  /// - Returns: `nil` when there is no whole record with a right checksum.
  static func frame(
    in segment: UnsafeRawBufferPointer, at offset: Int, segmentID: UInt64
  ) -> Frame? {
    guard offset + byteCount <= segment.count else { return nil }
    func load<T: FixedWidthInteger>(_ position: Int, _ type: T.Type) -> T {
      T(littleEndian: segment.loadUnaligned(fromByteOffset: offset + position, as: T.self))
    }
    guard load(0, UInt32.self) == magic else { return nil }
    let bodyCount = Int(load(4, UInt32.self))
    guard bodyCount <= bodyMax, offset + byteCount + bodyCount <= segment.count else { return nil }
    let record = UnsafeRawBufferPointer(
      rebasing: segment[offset..<offset + byteCount + bodyCount])
    guard checksum(of: record, segmentID: segmentID) == load(16, UInt64.self),
      let quality = ClockQuality(rawValue: load(49, UInt8.self))
    else { return nil }
    let header = RecordHeader(
      sequence: load(8, UInt64.self), bootID: load(24, UInt64.self),
      monotonicMicroseconds: load(32, Int64.self),
      wall: Timestamp(microseconds: load(40, Int64.self)), clockQuality: quality)
    let flags = load(48, UInt8.self)
    let rawCount = Int(load(52, UInt32.self))
    guard rawCount <= bodyMax else { return nil }
    return Frame(
      header: header, isReset: flags & resetFlag != 0, isCompressed: flags & compressedFlag != 0,
      rawByteCount: rawCount, body: offset + byteCount..<offset + byteCount + bodyCount,
      end: (offset + byteCount + bodyCount + 7) & ~7)
  }

  /// XXH64 over the record with the checksum field left out.
  static func checksum(of record: UnsafeRawBufferPointer, segmentID: UInt64) -> UInt64 {
    let head = Hash64.hash(UnsafeRawBufferPointer(rebasing: record[0..<16]), seed: segmentID)
    return Hash64.hash(UnsafeRawBufferPointer(rebasing: record[24...]), seed: head)
  }
}
