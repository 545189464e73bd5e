import CZstd
import Glibc
import Telemetry

/// Something recovery met that an operator should know of.
public struct JournalDamage: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// A record cut by a crash at the very end: it was never acknowledged, nothing is lost.
    case tornTail = "torn_tail"
    /// A record inside the journal that does not validate although later ones do.
    case corruptRecord = "corrupt_record"
    /// A segment whose head cannot be read.
    case corruptSegment = "corrupt_segment"
    /// Sequences that no segment holds.
    case missingRecords = "missing_records"
  }

  public var kind: Kind
  public var file: String
  public var offset: Int
  /// Sequences that were lost; empty for a torn tail.
  public var lost: ClosedRange<UInt64>?
  public var detail: String

  public var description: String {
    let which = lost.map { " (records \($0.lowerBound)–\($0.upperBound) lost)" } ?? ""
    return "\(file) at byte \(offset): \(detail)\(which)"
  }
}

/// Reads the records of a journal back, in order, and reports damage instead of stopping at it.
///
/// Reads only; it neither truncates nor moves a file. One segment is held in memory at a time.
public final class JournalReader {
  public let directory: String
  /// Found so far; complete after the last `readAll`.
  public private(set) var damages: [JournalDamage] = []
  /// The last sequence that was read or known to be lost.
  public private(set) var lastSequence: UInt64 = 0
  /// Whole records read, and samples in them.
  public private(set) var recordCount = 0
  public private(set) var sampleCount = 0

  private var coder = BatchCoder()
  private var batch = Batch()
  private var inflated: [UInt8] = []
  private let decompressor: OpaquePointer
  /// Sequence of the last whole record met in the segment, also when it was not wanted.
  private var lastSeen: UInt64 = 0
  /// After a gap predictions are unknown until the next reset.
  private var awaitsReset = true

  public init(directory: String) throws {
    self.directory = directory
    guard let context = ZSTD_createDCtx() else {
      throw SystemError("zstd", directory, code: ENOMEM)
    }
    decompressor = context
  }

  deinit { ZSTD_freeDCtx(decompressor) }

  /// Calls `body` with each record after `sequence`, oldest first.
  ///
  /// Segments that end before `sequence` are not even opened. An empty or missing directory is an
  /// empty journal.
  public func readAll(
    after sequence: UInt64, _ body: (RecordHeader, Batch) throws -> Void
  ) throws {
    lastSequence = sequence
    guard access(directory, F_OK) == 0 else { return }
    let names = try Directory.names(in: directory).filter { SegmentName.id($0) != nil }
    let headers = try names.map { try JournalReader.header(of: directory + "/" + $0) }
    for (position, name) in names.enumerated() {
      guard let header = headers[position] else {
        damages.append(
          JournalDamage(
            kind: .corruptSegment, file: name, offset: 0, lost: nil,
            detail: "the head of the segment does not validate; its records cannot be trusted"))
        awaitsReset = true
        continue
      }
      let following = headers[(position + 1)...].first { $0 != nil } ?? nil
      if let following, following.firstSequence <= sequence + 1 { continue }
      try readSegment(
        name, header: header, following: following, after: sequence, body)
    }
  }

  /// - Returns: `nil` when the head does not validate.
  /// - Throws: when the file cannot be opened, which says nothing about what is in it.
  static func header(of path: String) throws(SystemError) -> SegmentHeader? {
    let file = try SystemFile(path: path, flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: SegmentHeader.byteCount)
    let got = pread(file.descriptor, &bytes, bytes.count, 0)
    guard got == bytes.count else { return nil }
    return bytes.withUnsafeBytes { SegmentHeader($0) }
  }

  private func readSegment(
    _ name: String, header: SegmentHeader, following: SegmentHeader?, after sequence: UInt64,
    _ body: (RecordHeader, Batch) throws -> Void
  ) throws {
    if header.previousSequence > lastSequence {
      reportGap(
        through: header.previousSequence, file: name, offset: 0, kind: .missingRecords,
        detail: "the segment before it does not hold all records it should")
    }
    lastSequence = max(lastSequence, header.previousSequence)
    awaitsReset = true
    lastSeen = header.firstSequence - 1
    let content = try SystemFile(path: directory + "/" + name, flags: O_RDONLY).readAll()
    try content.withUnsafeBytes { bytes in
      var offset = SegmentHeader.byteCount
      while let frame = nextFrame(
        in: bytes, from: &offset, name: name, segment: header, following: following)
      {
        // A record numbered past what the next segment continues from was withdrawn after a failed sync.
        if let following, frame.header.sequence > following.previousSequence { break }
        try deliver(frame, bytes, name: name, after: sequence, body)
        offset = frame.end
      }
    }
  }

  /// The next whole record at or after `offset`, skipping padding; reports what lies between.
  private func nextFrame(
    in bytes: UnsafeRawBufferPointer, from offset: inout Int, name: String, segment: SegmentHeader,
    following: SegmentHeader?
  ) -> RecordHeader.Frame? {
    let start = offset
    if let frame = RecordHeader.frame(in: bytes, at: offset, segmentID: segment.id) { return frame }
    // A record may begin at the next page; what lies between is never written (and in a recycled segment
    // holds old bytes), so only the number can tell that nothing is missing.
    let nextPage = (offset + 4095) & ~4095
    if nextPage != offset,
      let frame = RecordHeader.frame(in: bytes, at: nextPage, segmentID: segment.id),
      frame.header.sequence == lastSeen + 1
    {
      return frame
    }
    var scan = offset + 8
    while scan + RecordHeader.byteCount <= bytes.count {
      if bytes.loadUnaligned(fromByteOffset: scan, as: UInt32.self)
        == RecordHeader.magic.littleEndian,
        let frame = RecordHeader.frame(in: bytes, at: scan, segmentID: segment.id),
        frame.header.sequence > lastSeen
      {
        awaitsReset = true
        if frame.header.sequence > lastSequence + 1 {
          reportGap(
            through: frame.header.sequence - 1, file: name, offset: start, kind: .corruptRecord,
            detail: "a record does not validate although later ones do")
        }
        return frame
      }
      scan += 8
    }
    if following == nil, looksTorn(bytes, at: start, nextPage: nextPage) {
      damages.append(
        JournalDamage(
          kind: .tornTail, file: name, offset: start, lost: nil,
          detail: "the last record was cut by a crash before it was acknowledged; it is left out"))
    }
    return nil
  }

  /// A record was begun here: its magic and the number that comes next stand at one of the two places
  /// it may start.
  private func looksTorn(_ bytes: UnsafeRawBufferPointer, at offset: Int, nextPage: Int) -> Bool {
    for place in [offset, nextPage] where place + 16 <= bytes.count {
      let magic = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
      let sequence = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
      if UInt32(littleEndian: magic) == RecordHeader.magic,
        UInt64(littleEndian: sequence) == lastSequence + 1
      {
        return true
      }
    }
    return false
  }

  private func reportGap(
    through sequence: UInt64, file: String, offset: Int, kind: JournalDamage.Kind, detail: String
  ) {
    let lost = lastSequence + 1...sequence
    if let last = damages.last, last.file == file, let before = last.lost,
      before.upperBound == lastSequence
    {
      damages[damages.count - 1].lost = before.lowerBound...sequence
    } else {
      damages.append(
        JournalDamage(kind: kind, file: file, offset: offset, lost: lost, detail: detail))
    }
    lastSequence = sequence
    awaitsReset = true
  }

  private func deliver(
    _ frame: RecordHeader.Frame, _ bytes: UnsafeRawBufferPointer, name: String,
    after sequence: UInt64, _ body: (RecordHeader, Batch) throws -> Void
  ) throws {
    let header = frame.header
    lastSeen = header.sequence
    if header.sequence > lastSequence + 1 {
      reportGap(
        through: header.sequence - 1, file: name, offset: frame.body.lowerBound,
        kind: .missingRecords, detail: "records are missing before this one")
    }
    if frame.isReset {
      coder.forget()
      awaitsReset = false
    }
    if awaitsReset && header.sequence <= lastSequence { return }
    guard !awaitsReset else {
      reportGap(
        through: header.sequence, file: name, offset: frame.body.lowerBound, kind: .corruptRecord,
        detail: "the record is whole but its values are coded against one that was lost")
      return
    }
    guard decode(frame, bytes) else {
      awaitsReset = true
      if header.sequence <= lastSequence { return }
      reportGap(
        through: header.sequence, file: name, offset: frame.body.lowerBound, kind: .corruptRecord,
        detail: "the record has a right checksum but its body does not decode")
      return
    }
    lastSequence = max(lastSequence, header.sequence)
    guard header.sequence > sequence else { return }
    recordCount += 1
    sampleCount += batch.samples.count
    try body(header, batch)
  }

  private func decode(_ frame: RecordHeader.Frame, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let stored = UnsafeRawBufferPointer(rebasing: bytes[frame.body])
    do {
      guard frame.isCompressed else {
        try coder.decode(stored, base: frame.header.wall, into: &batch)
        return true
      }
      if inflated.count < frame.rawByteCount {
        inflated = [UInt8](repeating: 0, count: frame.rawByteCount)
      }
      let size = inflated.withUnsafeMutableBytes {
        ZSTD_decompressDCtx(
          decompressor, $0.baseAddress, frame.rawByteCount, stored.baseAddress, stored.count)
      }
      guard ZSTD_isError(size) == 0, size == frame.rawByteCount else { return false }
      try inflated.withUnsafeBytes {
        try coder.decode(
          UnsafeRawBufferPointer(rebasing: $0[0..<size]), base: frame.header.wall, into: &batch)
      }
      return true
    } catch {
      return false
    }
  }
}
