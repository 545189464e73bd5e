import Foundation
import Glibc

/// A Unix datagram socket that a test listens on, as a service manager or journald would.
public final class DatagramReceiver {
  public struct NotBound: Error { public var code: Int32 }

  public let path: String
  private let descriptor: Int32

  /// - Parameter path: in the file system, or `@name` for an abstract name.
  public init(path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let isAbstract = bytes.first == 0
    let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    guard code == 0 else { throw NotBound(code: errno) }
  }

  deinit { close(descriptor) }

  /// What has come; `nil` when nothing waits.
  public func next() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return count < 0 ? nil : Array(buffer[..<count])
  }

  public func nextText() -> String? { next().map { String(decoding: $0, as: UTF8.self) } }
}
