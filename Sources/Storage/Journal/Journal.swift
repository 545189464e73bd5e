import CZstd
import Glibc
import Telemetry

/// How the journal writes; every default is safe against a power cut.
public struct JournalSettings: Sendable, Hashable {
  /// Size of one segment file, preallocated. 1–256 MiB.
  public var segmentBytes = 8 << 20
  /// Released segments kept for reuse, so that new ones need no new blocks.
  public var sparesMax = 2
  /// `false` leaves the moment of writing to the kernel: a power cut may then lose what was acknowledged.
  public var synchronizes = true
  /// Predictions are forgotten at least this often, so that damage costs at most this much.
  public var resetBytes = 1 << 20

  public init() {}
}

/// The append-only truth of the gateway: one checksummed record and one fdatasync a batch.
///
/// Owned by the ingest thread; not thread-safe. After a failed append the segment it failed in is never
/// written again: the next append starts a new one whose header withdraws whatever the failed one may
/// have left behind. A record is padded to the next 4 KiB page when that makes it touch fewer pages:
/// the disk writes whole pages, and a page that holds older records is not rewritten needlessly.
public final class Journal {
  public let directory: String
  public let settings: JournalSettings
  /// Sequence of the last record on disk.
  public private(set) var lastSequence: UInt64
  /// Bytes handed to the file since this object was made, whole pages counted.
  public private(set) var writtenBytes: UInt64 = 0
  /// Segments that hold records, oldest first: their id and first sequence.
  public private(set) var segments: [(id: UInt64, firstSequence: UInt64)]

  private static let pageBytes = 4096

  private var open: OpenSegment?
  private var nextSegmentID: UInt64
  private var spares: [String] = []
  private var coder = BatchCoder()
  private var columns = BatchCoder.Columns()
  private var record = ByteWriter(capacity: 1 << 16)
  private var body = ByteWriter(capacity: 1 << 16)
  private let compressor: OpaquePointer
  private var nextReset = 0
  /// Segments with damage in them: set aside instead of reused, so that nothing is destroyed.
  private var damagedFiles: Set<String>
  /// Numbers given to appends that failed; never used again.
  private var withdrawn: UInt64 = 0

  private struct OpenSegment: ~Copyable {
    var file: SystemFile
    var id: UInt64
    var offset: Int
  }

  /// Opens `directory` (made when missing) for appending after `lastSequence`.
  ///
  /// Never appends to a segment it finds: what `JournalReader` saw stays as it was.
  /// - Throws: `SystemError` when the directory cannot be made or listed.
  /// - Parameter damagedFiles: names of segments that recovery found damaged.
  public init(
    directory: String, settings: JournalSettings, lastSequence: UInt64,
    damagedFiles: Set<String> = []
  ) throws {
    self.damagedFiles = damagedFiles
    self.directory = directory
    self.settings = settings
    self.lastSequence = lastSequence
    try Directory.create(directory)
    let names = try Directory.names(in: directory)
    segments = []
    for name in names {
      guard let id = SegmentName.id(name) else { continue }
      if let header = try JournalReader.header(of: directory + "/" + name) {
        segments.append((id, header.firstSequence))
      } else if damagedFiles.contains(name) {
        try Directory.rename(directory + "/" + name, to: directory + "/" + name + ".damaged")
      }
    }
    spares = names.filter(SegmentName.isSpare).map { directory + "/" + $0 }
    // Never an id that was used before, or an old record in a reused file might validate. Each segment
    // holds a record, so there were never more of them than sequences.
    let used = names.compactMap { SegmentName.id(String($0.prefix(24))) }.max() ?? 0
    nextSegmentID = max(used, lastSequence) + 1
    guard let context = ZSTD_createCCtx() else {
      throw SystemError("zstd", directory, code: ENOMEM)
    }
    compressor = context
  }

  deinit { ZSTD_freeCCtx(compressor) }

  /// Writes `batch` as the next record and syncs it.
  ///
  /// - Returns: the record's sequence; when this returns, the record survives a power cut.
  /// - Throws: `SystemError`; then nothing of the batch counts, and a later append may work.
  public func append(_ batch: Batch, header: RecordHeader) throws -> UInt64 {
    var header = header
    header.sequence = max(lastSequence, withdrawn) + 1
    do {
      try write(batch, header: header)
    } catch {
      open = nil
      withdrawn = header.sequence
      throw error
    }
    lastSequence = header.sequence
    return header.sequence
  }

  private func write(_ batch: Batch, header: RecordHeader) throws {
    if open == nil { try startSegment(firstSequence: header.sequence) }
    encode(batch, header: header, isReset: isResetDue)
    if !fits(record.count) {
      open = nil
      try startSegment(firstSequence: header.sequence)
      encode(batch, header: header, isReset: true)
    }
    seal(segmentID: open!.id)
    let start = alignedOffset(for: record.count)
    if isResetDue { nextReset = start + settings.resetBytes }
    try open!.file.write(record.bytes, at: start)
    if settings.synchronizes { try open!.file.synchronizeData() }
    let pages = (start + record.count - 1) / Self.pageBytes - start / Self.pageBytes + 1
    writtenBytes += UInt64(pages * Self.pageBytes)
    open!.offset = start + record.count
  }

  private var isResetDue: Bool { open!.offset >= nextReset }

  private func fits(_ byteCount: Int) -> Bool {
    // A record larger than a whole segment gets a segment of its own that grows.
    alignedOffset(for: byteCount) + byteCount <= settings.segmentBytes
      || open!.offset == SegmentHeader.byteCount
  }

  /// Where a record of `byteCount` goes: at once, or at the next page when that touches fewer pages.
  private func alignedOffset(for byteCount: Int) -> Int {
    let page = Self.pageBytes
    let offset = open!.offset
    let next = (offset + page - 1) / page * page
    let here = (offset + byteCount - 1) / page - offset / page + 1
    let there = (byteCount + page - 1) / page
    return there < here ? next : offset
  }

  private func encode(_ batch: Batch, header: RecordHeader, isReset: Bool) {
    if isReset { coder.forget() }
    body.removeAll()
    coder.encode(batch, base: header.wall, columns: &columns, into: &body)
    record.removeAll()
    record.fixed(RecordHeader.magic)
    record.fixed(UInt32(0))
    record.fixed(header.sequence)
    record.fixed(UInt64(0))
    record.fixed(header.bootID)
    record.fixed(header.monotonicMicroseconds)
    record.fixed(header.wall.microseconds)
    record.byte(isReset ? RecordHeader.resetFlag : 0)
    record.byte(header.clockQuality.rawValue)
    record.fixed(UInt16(0))
    record.fixed(UInt32(body.count))
    if !appendCompressed() { record.raw(body.bytes) }
    record.overwrite(at: 4, UInt32(record.count - RecordHeader.byteCount))
  }

  /// Small bodies gain nothing from zstd; larger ones are kept compressed when that is smaller.
  private func appendCompressed() -> Bool {
    guard body.count >= 160 else { return false }
    let before = record.count
    let bound = ZSTD_compressBound(body.count)
    var size = 0
    record.unsafeAppend(upTo: bound) { target in
      size = ZSTD_compressCCtx(
        compressor, target, bound, body.bytes.baseAddress, body.bytes.count, 1)
      return ZSTD_isError(size) != 0 || size >= body.count ? 0 : size
    }
    guard record.count > before else { return false }
    let flags = record.bytes[48] | RecordHeader.compressedFlag
    record.overwrite(at: 48, flags)
    return true
  }

  private func seal(segmentID: UInt64) {
    record.overwrite(at: 16, RecordHeader.checksum(of: record.bytes, segmentID: segmentID))
    record.zeros((8 - record.count % 8) % 8)
  }

  // MARK: - Segments

  private func startSegment(firstSequence: UInt64) throws {
    let id = nextSegmentID
    let path = directory + "/" + SegmentName.file(id)
    let header = SegmentHeader(
      id: id, firstSequence: firstSequence, previousSequence: lastSequence)
    var bytes = ByteWriter()
    header.encode(into: &bytes)
    let spare = spares.popLast()
    do {
      let file = try SystemFile(path: spare ?? path, flags: O_RDWR | O_CREAT)
      if spare == nil { try file.preallocate(settings.segmentBytes) }
      try file.write(bytes.bytes, at: 0)
      if settings.synchronizes { try file.synchronizeData() }
      if let spare { try Directory.rename(spare, to: path) }
      if settings.synchronizes { try Directory.synchronize(directory) }
      open = OpenSegment(file: file, id: id, offset: SegmentHeader.byteCount)
    } catch {
      // A half-made file holds no record: without it the next try starts clean.
      try? Directory.remove(spare ?? path)
      try? Directory.remove(path)
      throw error
    }
    nextSegmentID += 1
    writtenBytes += UInt64(SegmentHeader.byteCount)
    segments.append((id, firstSequence))
    nextReset = 0
  }

  /// Makes the records that an earlier process left as durable as acknowledged ones must be.
  ///
  /// A record whose sync never returned is in the file all the same after a kill. A replay counts on it
  /// and takes its redelivery for known, so a later power cut must not take it away.
  public func synchronizeFound() throws {
    guard settings.synchronizes else { return }
    for segment in segments {
      let path = directory + "/" + SegmentName.file(segment.id)
      try SystemFile(path: path, flags: O_RDWR).synchronizeData()
    }
    try Directory.synchronize(directory)
  }

  /// Gives up the segments all of whose records are at or below `sequence`.
  ///
  /// Call only after what they hold is durable elsewhere. Errors leave the segment for the next call.
  public func release(through sequence: UInt64) throws {
    while segments.count > 1, segments[1].firstSequence <= sequence + 1 {
      try giveUp(segments.removeFirst().id)
    }
    if open == nil, let only = segments.first, segments.count == 1, lastSequence <= sequence {
      segments.removeFirst()
      try giveUp(only.id)
    }
  }

  /// Releases everything after a clean stop: nothing is left to replay, and no space is held.
  public func close(keepingNothing isAllDurable: Bool) throws {
    open = nil
    guard isAllDurable else { return }
    try release(through: lastSequence)
    for spare in spares { try Directory.remove(spare) }
    spares = []
  }

  private func giveUp(_ id: UInt64) throws {
    let path = directory + "/" + SegmentName.file(id)
    if damagedFiles.contains(SegmentName.file(id)) {
      try Directory.rename(path, to: path + ".damaged")
    } else if spares.count < settings.sparesMax {
      let spare = path + SegmentName.spareSuffix
      try Directory.rename(path, to: spare)
      spares.append(spare)
    } else {
      try Directory.remove(path)
    }
  }

  /// Bytes of segments that must still be replayed after a crash.
  public var heldBytes: Int {
    guard let open = openOffset else { return segments.count * settings.segmentBytes }
    return max(0, segments.count - 1) * settings.segmentBytes + open
  }

  private var openOffset: Int? { open?.offset }
}
