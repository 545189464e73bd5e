import CZstd
import Telemetry

/// How a capture file is laid out.
///
/// ```
/// file    "MWCAP\0\0" u8 version (1), then blocks until the end
/// block   u32 bytes of the frame, u32 bytes of its content, u64 XXH64 of the frame, a zstd frame
/// content messages one after the other; topics and times start anew in each block
///
/// message u8 flags: bit 0–1 QoS, bit 2 retained, bit 3 a content type follows the topic
///         varint  microseconds since the message before, zigzag; the first since 1970
///         varint  0: a new topic (varint length, UTF-8) which gets the next number; else its number, from 1
///         [varint length, UTF-8: content type]
///         varint  bytes of the payload, then the payload
/// ```
/// Numbers are little endian. Blocks stand alone: after a crash everything up to the last whole block reads.
enum CaptureFormat {
  static let magic: [UInt8] = Array("MWCAP\0\0".utf8) + [1]
  static let blockHeaderBytes = 16
  /// A block ends once its content has this size.
  static let blockBytes = 256 << 10
  /// A payload of MQTT has at most 256 MiB; nothing larger is believed.
  static let contentBytesMax = 300 << 20

  static func block(_ content: [UInt8], level: Int32) throws(CaptureError) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(content.count))
    let size = content.withUnsafeBytes { source in
      frame.withUnsafeMutableBytes { target in
        ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, level)
      }
    }
    guard ZSTD_isError(size) == 0 else { throw CaptureError("zstd could not compress a block") }
    frame.removeSubrange(size...)
    var bytes: [UInt8] = []
    withUnsafeBytes(of: UInt32(frame.count).littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(content.count).littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: Hash64.hash(frame).littleEndian) { bytes.append(contentsOf: $0) }
    return bytes + frame
  }

  static func content(of frame: [UInt8], count: Int) throws(CaptureError) -> [UInt8] {
    var content = [UInt8](repeating: 0, count: count)
    let size = frame.withUnsafeBytes { source in
      content.withUnsafeMutableBytes { target in
        ZSTD_decompress(target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    guard ZSTD_isError(size) == 0, size == count else {
      throw CaptureError("a block's zstd frame is damaged")
    }
    return content
  }
}

/// Messages of one block, as bytes.
struct BlockWriter {
  private(set) var content: [UInt8] = []
  private(set) var count = 0
  private var topics: [String: UInt64] = [:]
  private var last: Int64 = 0

  mutating func append(_ message: CapturedMessage) {
    let type: UInt8 = message.contentType.isEmpty ? 0 : 8
    content.append(min(message.qos, 1) | (message.isRetained ? 4 : 0) | type)
    let delta = message.time.microseconds &- last
    last = message.time.microseconds
    varint(UInt64(bitPattern: delta << 1 ^ delta >> 63))
    if let known = topics[message.topic] {
      varint(known)
    } else {
      topics[message.topic] = UInt64(topics.count + 1)
      varint(0)
      text(message.topic)
    }
    if type != 0 { text(message.contentType) }
    varint(UInt64(message.payload.count))
    content.append(contentsOf: message.payload)
    count += 1
  }

  private mutating func text(_ value: String) {
    varint(UInt64(value.utf8.count))
    content.append(contentsOf: value.utf8)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      content.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    content.append(UInt8(rest))
  }
}

/// The messages of one block, one at a time.
struct BlockReader {
  private let content: [UInt8]
  private var position = 0
  private var topics: [String] = []
  private var last: Int64 = 0

  init(_ content: [UInt8]) { self.content = content }

  /// - Returns: `nil` after the last message.
  mutating func next() throws(CaptureError) -> CapturedMessage? {
    guard position < content.count else { return nil }
    let flags = content[position]
    position += 1
    let coded = try varint()
    last = last &+ (Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1))
    let number = try varint()
    let topic: String
    if number == 0 {
      topic = try text()
      topics.append(topic)
    } else {
      guard number <= UInt64(topics.count) else { throw damaged }
      topic = topics[Int(number) - 1]
    }
    let contentType = flags & 8 == 0 ? "" : try text()
    return CapturedMessage(
      time: Timestamp(microseconds: last), topic: topic, payload: try take(), qos: flags & 3,
      isRetained: flags & 4 != 0, contentType: contentType)
  }

  private var damaged: CaptureError { CaptureError("a block is damaged at byte \(position)") }

  private mutating func text() throws(CaptureError) -> String {
    String(decoding: try take(), as: UTF8.self)
  }

  private mutating func take() throws(CaptureError) -> [UInt8] {
    let count = try varint()
    guard count <= UInt64(content.count - position) else { throw damaged }
    defer { position += Int(count) }
    return Array(content[position..<position + Int(count)])
  }

  private mutating func varint() throws(CaptureError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < content.count else { throw damaged }
      let byte = content[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw damaged
  }
}
