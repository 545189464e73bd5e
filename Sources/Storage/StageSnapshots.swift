import CZstd
import Glibc
import Telemetry

/// The state of the stages behind the commit, as files that each stand at one record.
///
/// ```
/// state/<position, 16 hex digits>.state
///   0  u32  magic "MWST"     16  u64  XXH64 of the content, seeded with the position
///   4  u32  version = 1      24  u64  bytes of the content
///   8  u64  position         32  the content as one zstd frame
/// ```
/// One cut of everything, so that a reducer never sees parts of different ages (decision 0014). A file
/// counts once it is renamed into place; it may be replayed from when SQLite stands at its record or
/// later. Until SQLite is synced there, the one before it is kept, and the journal from there on.
public struct StageSnapshots: Sendable {
  static let magic: UInt32 = 0x5453_574D
  static let version: UInt32 = 1
  private static let headBytes = 32
  private static let suffix = ".state"

  public let directory: String
  private let synchronizes: Bool

  public init(directory: String, synchronizes: Bool = true) {
    self.directory = directory
    self.synchronizes = synchronizes
  }

  /// Writes and syncs a snapshot; afterwards it is there under its name. Blocks for the disk.
  public func write(_ content: [UInt8], position: UInt64) throws(SystemError) {
    try Directory.create(directory)
    let path = path(of: position)
    let file = try SystemFile(path: path + ".new", flags: O_RDWR | O_CREAT | O_TRUNC)
    let bytes = try Self.encode(content, position: position, path: path)
    var failure: SystemError?
    bytes.withUnsafeBytes { bytes in
      do throws(SystemError) {
        try file.write(bytes, at: 0)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    if synchronizes { try file.synchronizeData() }
    try Directory.rename(path + ".new", to: path)
    if synchronizes { try Directory.synchronize(directory) }
  }

  /// The positions of the snapshots that are there, oldest first.
  public func positions() -> [UInt64] {
    // No directory yet: no snapshot.
    guard let names = try? Directory.names(in: directory) else { return [] }
    return names.filter { $0.hasSuffix(Self.suffix) }
      .compactMap { UInt64($0.dropLast(Self.suffix.count), radix: 16) }.sorted()
  }

  /// The content of a snapshot; `nil` when it is missing, damaged or of a later version.
  public func read(_ position: UInt64) -> [UInt8]? {
    guard let file = try? SystemFile(path: path(of: position), flags: O_RDONLY),
      let bytes = try? file.readAll()
    else { return nil }  // Whatever the reason, the caller goes on with an older one.
    return Self.decode(bytes, position: position)
  }

  /// Removes the snapshots before `position` and what an interrupted write left.
  func removeOlder(than position: UInt64) throws(SystemError) {
    for older in positions() where older < position { try Directory.remove(path(of: older)) }
    guard let names = try? Directory.names(in: directory) else { return }  // Nothing there to remove.
    for name in names where name.hasSuffix(".new") && name != Self.name(of: position) + ".new" {
      // One that is being written stands after `position`.
      guard let number = UInt64(name.dropLast(Self.suffix.count + 4), radix: 16),
        number < position
      else { continue }
      try Directory.remove(directory + "/" + name)
    }
  }

  /// Removes the snapshots after `position`: they belong to records that are gone.
  public func removeNewer(than position: UInt64) throws(SystemError) {
    for newer in positions() where newer > position { try Directory.remove(path(of: newer)) }
  }

  private static func name(of position: UInt64) -> String {
    let digits = String(position, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits + suffix
  }

  private func path(of position: UInt64) -> String { directory + "/" + Self.name(of: position) }

  private static func encode(
    _ content: [UInt8], position: UInt64, path: String
  ) throws(SystemError) -> [UInt8] {
    var head = ByteWriter(capacity: headBytes)
    head.fixed(magic)
    head.fixed(version)
    head.fixed(position)
    head.fixed(content.withUnsafeBytes { Hash64.hash($0, seed: position) })
    head.fixed(UInt64(content.count))
    var bytes = [UInt8](repeating: 0, count: headBytes + ZSTD_compressBound(content.count))
    bytes.replaceSubrange(0..<headBytes, with: head.bytes)
    let size = bytes.withUnsafeMutableBytes { room in
      content.withUnsafeBytes { content in
        ZSTD_compress(
          room.baseAddress! + headBytes, room.count - headBytes, content.baseAddress,
          content.count, 1)
      }
    }
    guard ZSTD_isError(size) == 0 else { throw SystemError("zstd", path, code: ENOMEM) }
    bytes.removeSubrange((headBytes + size)...)
    return bytes
  }

  private static func decode(_ bytes: [UInt8], position: UInt64) -> [UInt8]? {
    bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      guard let found = try? reader.fixed(UInt32.self), found == magic,
        let form = try? reader.fixed(UInt32.self), form == version,
        let place = try? reader.fixed(UInt64.self), place == position,
        let checksum = try? reader.fixed(UInt64.self),
        let count = try? reader.fixed(UInt64.self), count <= 4 << 30,
        let frame = try? reader.slice(reader.remaining)
      else { return nil }  // Too short or of another form: no snapshot.
      var content = [UInt8](repeating: 0, count: Int(count))
      let size = content.withUnsafeMutableBytes {
        ZSTD_decompress($0.baseAddress, $0.count, frame.baseAddress, frame.count)
      }
      guard ZSTD_isError(size) == 0, size == content.count,
        content.withUnsafeBytes({ Hash64.hash($0, seed: position) }) == checksum
      else { return nil }
      return content
    }
  }
}
