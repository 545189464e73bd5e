import Glibc

/// Sends datagrams to one address in the file system, or to one with an abstract name (`@name`).
///
/// Every datagram is addressed anew, so that a receiver that was restarted is found again. Safe from any
/// thread.
final class DatagramSocket: Sendable {
  private let descriptor: Int32
  private let address: [UInt8]

  /// - Returns: `nil` when the text is no such address or there is no socket to be had.
  init?(address text: String) {
    guard let address = DatagramSocket.encode(text) else { return nil }
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    self.address = address
  }

  deinit { close(descriptor) }

  /// Sends at once or not at all.
  ///
  /// - Returns: 0, else the number of the error: `EAGAIN` while the receiver has no room, `EMSGSIZE` when the
  ///   datagram is too large, others when nobody receives.
  func send(_ bytes: [UInt8]) -> Int32 {
    let sent = address.withUnsafeBytes { address in
      sendto(
        descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
        address.baseAddress!.assumingMemoryBound(to: sockaddr.self),  // Never empty.
        socklen_t(address.count))
    }
    return sent >= 0 ? 0 : errno
  }

  /// `sockaddr_un`: the family in two bytes, then the path and its zero byte; an abstract name has a zero
  /// byte before it and none behind it (unix(7)).
  private static func encode(_ text: String) -> [UInt8]? {
    let name = Array(text.utf8)
    guard name.count > 1, name.count < 108, !name.contains(0) else { return nil }
    let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
    switch name[0] {
    case UInt8(ascii: "@"): return family + [0] + name.dropFirst()
    case UInt8(ascii: "/"): return family + name + [0]
    default: return nil
    }
  }
}
