import CZlib
import CZstd
import Hummingbird
import NIOCore

/// Packs an answer while it is written; confined to the one task that writes it.
final class Deflate {
  private enum Engine {
    case gzip(UnsafeMutablePointer<z_stream>)
    case zstd(OpaquePointer)
  }

  private let engine: Engine
  private var room = [UInt8](repeating: 0, count: 64 << 10)

  /// - Returns: `nil` for `identity` and when there is no memory: the answer then goes as it is.
  init?(_ coding: ContentCoding) {
    switch coding {
    case .identity: return nil
    case .gzip:
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      let (level, windowBitsGzip, memory): (Int32, Int32, Int32) = (5, 15 + 16, 8)
      guard
        deflateInit2_(
          stream, level, Z_DEFLATED, windowBitsGzip, memory, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
          Int32(MemoryLayout<z_stream>.size)) == Z_OK
      else {
        stream.deallocate()
        return nil
      }
      engine = .gzip(stream)
    case .zstd:
      guard let context = ZSTD_createCCtx() else { return nil }
      ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1)
      engine = .zstd(context)
    }
  }

  deinit {
    switch engine {
    case .gzip(let stream):
      deflateEnd(stream)
      stream.deallocate()
    case .zstd(let context): ZSTD_freeCCtx(context)
    }
  }

  /// What comes out for `buffer`; with `isEnd` all of the rest.
  func pack(_ buffer: ByteBuffer, isEnd: Bool) -> ByteBuffer {
    var output = ByteBuffer()
    var bytes = Array(buffer.readableBytesView)
    bytes.withUnsafeMutableBufferPointer { input in
      switch engine {
      case .gzip(let stream): packGzip(stream, input, isEnd: isEnd, into: &output)
      case .zstd(let context): packZstd(context, input, isEnd: isEnd, into: &output)
      }
    }
    return output
  }

  private func packGzip(
    _ stream: UnsafeMutablePointer<z_stream>, _ input: UnsafeMutableBufferPointer<UInt8>,
    isEnd: Bool, into output: inout ByteBuffer
  ) {
    stream.pointee.next_in = input.baseAddress
    stream.pointee.avail_in = UInt32(input.count)
    var isFull = true
    while isFull {
      let made = room.withUnsafeMutableBufferPointer { room in
        stream.pointee.next_out = room.baseAddress
        stream.pointee.avail_out = UInt32(room.count)
        _ = deflate(stream, isEnd ? Z_FINISH : Z_NO_FLUSH)
        return room.count - Int(stream.pointee.avail_out)
      }
      output.writeBytes(room[..<made])
      isFull = made == room.count
    }
  }

  private func packZstd(
    _ context: OpaquePointer, _ bytes: UnsafeMutableBufferPointer<UInt8>, isEnd: Bool,
    into output: inout ByteBuffer
  ) {
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      let (left, made) = room.withUnsafeMutableBytes { room in
        var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let left = ZSTD_compressStream2(
          context, &target, &input, isEnd ? ZSTD_e_end : ZSTD_e_continue)
        return (left, target.pos)
      }
      output.writeBytes(room[..<made])
      if ZSTD_isError(left) != 0 || (isEnd ? left == 0 : input.pos == input.size) { return }
    }
  }
}

/// Passes what is written through a `Deflate`.
struct DeflatingWriter: ResponseBodyWriter {
  var target: any ResponseBodyWriter
  let deflate: Deflate

  mutating func write(_ buffer: ByteBuffer) async throws {
    let packed = deflate.pack(buffer, isEnd: false)
    if packed.readableBytes > 0 { try await target.write(packed) }
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
    try await target.write(deflate.pack(ByteBuffer(), isEnd: true))
    try await target.finish(trailingHeaders)
  }
}
