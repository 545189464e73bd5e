import CZlib
import CZstd

/// Unpacks a whole body, but never more than a bound of it: a small body must not become a large one.
enum Inflate {
  enum Failure: Error, Equatable {
    case tooLarge
    case damaged
  }

  static func inflate(
    _ bytes: [UInt8], coding: ContentCoding, bytesMax: Int
  ) throws(Failure) -> [UInt8] {
    switch coding {
    case .identity:
      guard bytes.count <= bytesMax else { throw .tooLarge }
      return bytes
    case .gzip: return try gunzip(bytes, bytesMax: bytesMax)
    case .zstd: return try unzstd(bytes, bytesMax: bytesMax)
    }
  }

  private static let stepBytes = 64 << 10

  /// RFC 1952; several members one after the other are one body.
  private static func gunzip(_ bytes: [UInt8], bytesMax: Int) throws(Failure) -> [UInt8] {
    var stream = z_stream()
    let windowBitsGzip: Int32 = 15 + 16
    guard
      inflateInit2_(
        &stream, windowBitsGzip, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .damaged }
    defer { inflateEnd(&stream) }
    var input = bytes
    let result = input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      return Result { () throws(Failure) in try drain(&stream, bytesMax: bytesMax) }
    }
    return try result.get()
  }

  private static func drain(_ stream: inout z_stream, bytesMax: Int) throws(Failure) -> [UInt8] {
    var output: [UInt8] = []
    var room = [UInt8](repeating: 0, count: stepBytes)
    while true {
      let (code, made) = room.withUnsafeMutableBufferPointer { room in
        stream.next_out = room.baseAddress
        stream.avail_out = UInt32(room.count)
        let code = CZlib.inflate(&stream, Z_NO_FLUSH)
        return (code, room.count - Int(stream.avail_out))
      }
      guard output.count + made <= bytesMax else { throw .tooLarge }
      output.append(contentsOf: room[..<made])
      if code == Z_STREAM_END {
        if stream.avail_in == 0 { return output }
        guard inflateReset(&stream) == Z_OK else { throw .damaged }
      } else if code != Z_OK || made == 0 && stream.avail_in == 0 {
        throw .damaged
      }
    }
  }

  /// RFC 8878; the window is bounded so that a frame cannot ask for memory either.
  private static func unzstd(_ bytes: [UInt8], bytesMax: Int) throws(Failure) -> [UInt8] {
    guard let context = ZSTD_createDCtx() else { throw .damaged }
    defer { ZSTD_freeDCtx(context) }
    let windowLogMax: Int32 = 23
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLogMax)
    let result = bytes.withUnsafeBytes { input in
      Result { () throws(Failure) in try drain(context, input, bytesMax: bytesMax) }
    }
    return try result.get()
  }

  private static func drain(
    _ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer, bytesMax: Int
  ) throws(Failure) -> [UInt8] {
    var output: [UInt8] = []
    var room = [UInt8](repeating: 0, count: stepBytes)
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      let (code, made) = room.withUnsafeMutableBytes { room in
        var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let code = ZSTD_decompressStream(context, &target, &input)
        return (code, target.pos)
      }
      guard ZSTD_isError(code) == 0 else { throw .damaged }
      guard output.count + made <= bytesMax else { throw .tooLarge }
      output.append(contentsOf: room[..<made])
      if input.pos == input.size {
        if code == 0 { return output }
        if made < stepBytes { throw .damaged }
      }
    }
  }
}
