import Foundation
import Glibc

/// A TCP connection with just enough of HTTP and WebSocket to see what the server really sends.
///
/// Its calls block on a queue of its own, never on the pool that the server runs on.
final class RawSocket: @unchecked Sendable {  // One test uses it, from one task at a time.
  private let descriptor: Int32
  private var unread: [UInt8] = []
  private let queue = DispatchQueue(label: "raw-socket")

  struct Ended: Error {}

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result != 0 { throw Ended() }
    // Only a hanging server reaches it.
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let sent = bytes[done...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent <= 0 { return }
      done += sent
    }
  }

  private func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }

  private func fill() throws {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let got = recv(descriptor, &buffer, buffer.count, 0)
    if got <= 0 { throw Ended() }
    unread += buffer[..<got]
  }

  private func take(_ count: Int) throws -> [UInt8] {
    while unread.count < count { try fill() }
    defer { unread.removeFirst(count) }
    return Array(unread[..<count])
  }

  /// The head of the next answer.
  func head() async throws -> String {
    try await blocking { [self] in
      let end = Array("\r\n\r\n".utf8)
      while true {
        if let place = unread.firstRange(of: end) {
          defer { unread.removeFirst(place.upperBound) }
          return String(decoding: unread[..<place.lowerBound], as: UTF8.self)
        }
        try fill()
      }
    }
  }

  /// Everything until the server closes.
  func rest() async throws -> String {
    try await blocking { [self] in
      // The end of the connection is what is waited for.
      while (try? fill()) != nil {}
      defer { unread.removeAll() }
      return String(decoding: unread, as: UTF8.self)
    }
  }

  // MARK: - WebSocket (RFC 6455)

  static func handshake(_ headers: String = "", host: String = "127.0.0.1") -> String {
    "GET /ws HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n"
  }

  func write(opcode: UInt8 = 1, _ payload: [UInt8], isFinal: Bool = true) {
    var frame: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
    switch payload.count {
    case ..<126: frame.append(0x80 | UInt8(payload.count))
    case ..<65_536:
      frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default:
      frame.append(0x80 | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        frame.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    let mask: [UInt8] = [1, 2, 3, 4]
    frame += mask
    frame += payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    send(frame)
  }

  func write(_ text: String) { write(Array(text.utf8)) }

  /// The next frame; the server masks nothing.
  func frame() async throws -> (opcode: UInt8, payload: [UInt8]) {
    try await blocking { [self] in
      let head = try take(2)
      var count = Int(head[1] & 0x7F)
      if count == 126 { count = try take(2).reduce(0) { $0 << 8 | Int($1) } }
      if count == 127 { count = try take(8).reduce(0) { $0 << 8 | Int($1) } }
      return (head[0] & 15, try take(count))
    }
  }

  /// The next text message.
  func text() async throws -> String {
    while true {
      let (opcode, payload) = try await frame()
      if opcode == 1 { return String(decoding: payload, as: UTF8.self) }
      if opcode == 8 { throw Ended() }
    }
  }
}
