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
  private static let pieceBytes = 1 << 17
  private static let suffix = ".state"

  public let directory: String
  private let synchronizes: Bool

  public init(directory: String, synchronizes: Bool = true) {
    self.directory = directory
    self.synchronizes = synchronizes
  }

  /// Writes and syncs a snapshot; afterwards it is there under its name. Blocks for the disk.
  public func write(_ content: StateContent, position: UInt64) throws(SystemError) {
    try Directory.create(directory)
    let path = path(of: position)
    let file = try SystemFile(path: path + ".new", flags: O_RDWR | O_CREAT | O_TRUNC)
    var head = ByteWriter(capacity: Self.headBytes)
    head.fixed(Self.magic)
    head.fixed(Self.version)
    head.fixed(position)
    head.fixed(content.withBytes { Hash64.hash($0, seed: position) })
    head.fixed(UInt64(content.count))
    try file.write(head.bytes, at: 0)
    try content.withBytes { bytes throws(SystemError) in
      try Self.compress(bytes, to: file, at: Self.headBytes, path: path)
    }
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

  /// As one frame, in pieces: the content is large, and a second one would be held for nothing.
  private static func compress(
    _ content: UnsafeRawBufferPointer, to file: borrowing SystemFile, at start: Int, path: String
  ) throws(SystemError) {
    guard let context = ZSTD_createCCtx() else { throw SystemError("zstd", path, code: ENOMEM) }
    defer { ZSTD_freeCCtx(context) }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
    defer { piece.deallocate() }
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1)
    ZSTD_CCtx_setPledgedSrcSize(context, UInt64(content.count))
    var input = ZSTD_inBuffer(src: content.baseAddress, size: content.count, pos: 0)
    var place = start
    var left = 1
    while left > 0 {
      var output = ZSTD_outBuffer(dst: piece.baseAddress, size: piece.count, pos: 0)
      left = ZSTD_compressStream2(context, &output, &input, ZSTD_e_end)
      guard ZSTD_isError(left) == 0 else { throw SystemError("zstd", path, code: ENOMEM) }
      try file.write(UnsafeRawBufferPointer(rebasing: piece[..<output.pos]), at: place)
      place += output.pos
    }
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
