import CZstd

/// A zstd context that is used again and again; confined to one thread.
final class ZstdEncoder {
  private let context: OpaquePointer
  private let level: Int32

  init(level: Int32) {
    guard let context = ZSTD_createCCtx() else { preconditionFailure("no memory for zstd") }
    self.context = context
    self.level = level
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Writes the size of the frame as a fixed 32-bit number, then the frame.
  func write(_ bytes: UnsafeRawBufferPointer, to writer: ChunkWriter) {
    let bound = ZSTD_compressBound(bytes.count)
    let room = writer.room(bound + 4)
    let frame = UnsafeMutableRawBufferPointer(rebasing: room[4...])
    let size = ZSTD_compressCCtx(
      context, frame.baseAddress, frame.count, bytes.baseAddress, bytes.count, level)
    // With the room of `compressBound` it fails only for want of memory.
    precondition(ZSTD_isError(size) == 0, "zstd could not compress")
    room.storeBytes(of: UInt32(size).littleEndian, as: UInt32.self)
    writer.advance(by: size + 4)
  }
}

/// The other direction; the bytes it yields are good until the next read.
final class ZstdDecoder {
  private let context: OpaquePointer
  private let content = ScratchBuffer<UInt8>()

  init() {
    guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory for zstd") }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Reads one frame, whose content must say its size and be no larger than `sizeMax`.
  func read(
    from reader: inout ChunkReader, sizeMax: Int
  ) throws(ChunkError) -> UnsafeRawBufferPointer {
    let size = try reader.fixed(UInt32.self)
    let frame = try reader.slice(UInt64(size))
    let contentSize = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
    guard contentSize <= UInt64(sizeMax) else {
      throw reader.malformed("a zstd frame holds more than it may, or does not say")
    }
    let room = content.prepare(Int(contentSize))
    let written = ZSTD_decompressDCtx(
      context, room.baseAddress, room.count, frame.baseAddress, frame.count)
    guard ZSTD_isError(written) == 0, written == room.count else {
      throw reader.malformed("a zstd frame is damaged")
    }
    return UnsafeRawBufferPointer(room)
  }
}
