import Foundation
import Glibc

/// A real mosquitto on a free loopback port, with a persistence file of its own; it stops with the test.
public final class TestBroker: @unchecked Sendable {  // One test uses it, one call at a time.
  public struct Missing: Error, CustomStringConvertible {
    public var description: String { "mosquitto is not installed or does not start" }
  }

  public let port: Int
  private let directory: String
  private var process: ChildProcess?

  /// - Parameter extra: further lines for mosquitto.conf.
  public init(directory: String, extra: String = "") throws {
    self.directory = directory
    port = try TestBroker.freePort()
    let configuration = """
      listener \(port) 127.0.0.1
      allow_anonymous true
      persistence true
      persistence_location \(directory)/
      autosave_interval 1
      max_inflight_messages 1000
      max_queued_messages 0
      user root
      \(extra)
      """
    try configuration.write(
      toFile: directory + "/mosquitto.conf", atomically: true, encoding: .utf8)
    try start()
  }

  deinit { stop() }

  /// Starts it, again after a `stop`, and waits until it takes connections.
  public func start() throws {
    process = try ChildProcess(
      try TestBroker.find("mosquitto"), ["-c", directory + "/mosquitto.conf"])
    for _ in 0..<500 {
      if TestBroker.isListening(port) { return }
      usleep(10_000)
    }
    throw Missing()
  }

  /// A clean stop: mosquitto saves its sessions and queues.
  public func stop() {
    guard let process else { return }
    process.send(SIGTERM)
    process.wait()
    self.process = nil
  }

  public static func find(_ name: String) throws -> String {
    for directory in ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"] {
      let path = directory + "/" + name
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw Missing()
  }

  /// A port nobody listens on just now.
  public static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard bound else { throw Missing() }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  public static func isListening(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: UInt16(port))
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
