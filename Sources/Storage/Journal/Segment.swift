import Glibc
import Telemetry

/// One preallocated file of the journal.
///
/// ```
///  0  u32  magic "MWJ1"     16  u64  sequence of its first record
///  4  u16  format version   24  u64  last sequence that counts before it (later ones are withdrawn)
///  6  u16  0                32  u64  XXH64 of the 32 bytes before
///  8  u64  segment id       4096  records
/// ```
struct SegmentHeader: Equatable {
  static let magic: UInt32 = 0x314A_574D
  static let version: UInt16 = 1
  static let byteCount = 4096

  var id: UInt64
  var firstSequence: UInt64
  var previousSequence: UInt64

  func encode(into out: inout ByteWriter) {
    out.fixed(Self.magic)
    out.fixed(Self.version)
    out.fixed(UInt16(0))
    out.fixed(id)
    out.fixed(firstSequence)
    out.fixed(previousSequence)
    out.fixed(Hash64.hash(out.bytes))
    out.zeros(Self.byteCount - out.count)
  }

  init(id: UInt64, firstSequence: UInt64, previousSequence: UInt64) {
    self.id = id
    self.firstSequence = firstSequence
    self.previousSequence = previousSequence
  }

  /// - Returns: `nil` when the bytes are not the head of a segment of a version we can read.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.byteCount else { return nil }
    var reader = ByteReader(bytes)
    // The length was checked, so none of these fails; one that did would be a wrong field like any other.
    guard let magic = try? reader.fixed(UInt32.self), magic == Self.magic,
      let version = try? reader.fixed(UInt16.self), version == Self.version,
      (try? reader.fixed(UInt16.self)) != nil,
      let id = try? reader.fixed(UInt64.self), let first = try? reader.fixed(UInt64.self),
      let previous = try? reader.fixed(UInt64.self),
      let checksum = try? reader.fixed(UInt64.self),
      checksum == Hash64.hash(UnsafeRawBufferPointer(rebasing: bytes[0..<32]))
    else { return nil }
    self.init(id: id, firstSequence: first, previousSequence: previous)
  }
}

/// Names of the files in the journal's directory.
enum SegmentName {
  static let spareSuffix = ".spare"

  static func file(_ id: UInt64) -> String {
    let hex = String(id, radix: 16)
    return "segment-" + String(repeating: "0", count: 16 - hex.count) + hex
  }

  static func id(_ name: String) -> UInt64? {
    guard name.hasPrefix("segment-"), name.utf8.count == 24 else { return nil }
    return UInt64(name.dropFirst(8), radix: 16)
  }

  static func isSpare(_ name: String) -> Bool { name.hasSuffix(spareSuffix) }
}
