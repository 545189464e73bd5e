import Foundation
import Telemetry

/// Writes messages to a capture file, a block at a time.
public final class CaptureWriter {
  private let file: FileHandle
  private let level: Int32
  private var block = BlockWriter()
  public private(set) var messages = 0
  /// Bytes of the file, without the block that is being gathered.
  public private(set) var bytes = 0

  /// - Throws: `CaptureError` when the file exists already or cannot be made.
  public init(path: String, level: Int32 = 9) throws {
    guard !FileManager.default.fileExists(atPath: path) else {
      throw CaptureError("\(path) exists already; a capture is never written over")
    }
    guard
      FileManager.default.createFile(
        // It holds everything that passed: for its owner alone.
        atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
      let file = FileHandle(forWritingAtPath: path)
    else { throw CaptureError("\(path) cannot be made") }
    self.file = file
    self.level = level
    try file.write(contentsOf: Data(CaptureFormat.magic))
    bytes = CaptureFormat.magic.count
  }

  public func append(_ message: CapturedMessage) throws {
    block.append(message)
    messages += 1
    if block.content.count >= CaptureFormat.blockBytes { try flush() }
  }

  /// Puts what was gathered into the file; call it now and then, so that a crash loses little.
  public func flush() throws {
    guard block.count > 0 else { return }
    let data = try CaptureFormat.block(block.content, level: level)
    try file.write(contentsOf: Data(data))
    bytes += data.count
    block = BlockWriter()
  }

  public func close() throws {
    try flush()
    try file.close()
  }
}

/// Reads a capture file from its beginning; one block is in memory at a time.
public struct CaptureReader: Sequence, IteratorProtocol {
  private let file: FileHandle
  private let path: String
  private var block: BlockReader?
  /// What ended the reading before the end of the file; `nil` while all is well.
  public private(set) var damage: CaptureError?

  /// - Throws: `CaptureError` when it is no capture.
  public init(path: String) throws {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw CaptureError("\(path) cannot be opened")
    }
    let head = try file.read(upToCount: CaptureFormat.magic.count) ?? Data()
    guard Array(head) == CaptureFormat.magic else {
      throw CaptureError("\(path) is no capture of `millwright record`")
    }
    self.file = file
    self.path = path
  }

  /// The next message; `nil` at the end, or where `damage` begins.
  public mutating func next() -> CapturedMessage? {
    do {
      while true {
        if let message = try block?.next() { return message }
        guard let content = try nextContent() else { return nil }
        block = BlockReader(content)
      }
    } catch let error as CaptureError {
      damage = CaptureError("\(path): \(error.detail)")
    } catch {
      damage = CaptureError("\(path): \(error)")
    }
    block = nil
    return nil
  }

  private func nextContent() throws -> [UInt8]? {
    guard damage == nil else { return nil }
    let head = [UInt8](try file.read(upToCount: CaptureFormat.blockHeaderBytes) ?? Data())
    if head.isEmpty { return nil }
    guard head.count == CaptureFormat.blockHeaderBytes else {
      throw CaptureError("the last block is cut off")
    }
    let (size, count, hash) = head.withUnsafeBytes { bytes in
      (
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)),
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    guard size <= CaptureFormat.contentBytesMax, count <= CaptureFormat.contentBytesMax else {
      throw CaptureError("a block says that it is larger than a block may be")
    }
    let frame = [UInt8](try file.read(upToCount: Int(size)) ?? Data())
    guard frame.count == Int(size) else { throw CaptureError("the last block is cut off") }
    guard Hash64.hash(frame) == hash else { throw CaptureError("a block's checksum is wrong") }
    return try CaptureFormat.content(of: frame, count: Int(count))
  }
}
