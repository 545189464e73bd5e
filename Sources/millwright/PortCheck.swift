import Foundation

/// Looks whether a port can be listened on, so that a taken one is told before the store is opened.
enum PortCheck {
  /// - Throws: `Failure` with a sentence that says what to do. A host name that does not resolve is left
  ///   to the server, which says so itself.
  static func requireFree(host: String, port: Int) throws {
    guard port != 0 else { return }
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else { return }
    defer { freeaddrinfo(found) }
    let address = found.pointee
    let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var yes: Int32 = 1
    setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, address.ai_addr, address.ai_addrlen) != 0 else { return }
    switch errno {
    case EADDRINUSE:
      throw Failure(
        .inUse,
        "port \(port) on \(host) is in use by another program (`ss -ltnp 'sport = :\(port)'` shows "
          + "which); give another one with --port or PORT")
    case EACCES:
      throw Failure(
        "port \(port) may only be opened by root; give one above 1023 with --port or PORT")
    default:
      throw Failure("cannot listen on \(host):\(port): \(String(cString: strerror(errno)))")
    }
  }
}
