import Foundation
import Glibc

/// A server on a free loopback port that talks in lines, one thread a connection; for tests of clients.
public final class LineServer: @unchecked Sendable {  // The descriptor is fixed.
  public let port: Int
  private let descriptor: Int32

  /// - Parameter serve: talks to one client; the connection is closed when it returns.
  public init(port wanted: Int = 0, _ serve: @escaping @Sendable (LineConnection) -> Void) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(wanted).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw DatagramReceiver.NotBound(code: errno) }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread {
      while true {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else { return }
        Thread.detachNewThread {
          let connection = LineConnection(client)
          serve(connection)
          connection.close()
        }
      }
    }
  }

  /// Takes no more connections.
  public func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  deinit {
    stop()
    close(descriptor)
  }
}

/// One client of a `LineServer`.
public final class LineConnection {
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// The next line without its end; `nil`: the client has gone.
  public func readLine() -> String? {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        var line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        if line.last == 0x0D { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
      }
      guard receive() else { return nil }
    }
  }

  public func read(_ count: Int) -> String? {
    while buffer.count < count { guard receive() else { return nil } }
    defer { buffer.removeFirst(count) }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  private func receive() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count > 0 { buffer += bytes[..<count] }
    return count > 0
  }

  public func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  func close() { Glibc.close(descriptor) }
}
