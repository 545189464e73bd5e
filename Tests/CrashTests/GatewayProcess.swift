import Foundation
import Glibc
import TestSupport

/// The built executable as a process, with the shim that keeps book of what is synced.
final class GatewayProcess: @unchecked Sendable {  // One test drives it.
  let directory: String
  let port: Int
  let brokerPort: Int
  private let shim: String
  private(set) var process: ChildProcess?

  var dataDirectory: String { directory + "/data" }
  var bookDirectory: String { directory + "/book" }
  var faultPath: String { directory + "/fault" }
  var logPath: String { directory + "/gateway.log" }

  init(directory: String, brokerPort: Int) throws {
    self.directory = directory
    self.brokerPort = brokerPort
    port = try TestBroker.freePort()
    shim = directory + "/shim.so"
    try FileManager.default.createDirectory(
      atPath: directory + "/book", withIntermediateDirectories: true)
    try GatewayProcess.compileShim(to: shim)
  }

  private static func compileShim(to path: String) throws {
    let source = (#filePath as NSString).deletingLastPathComponent + "/durability_shim.c"
    let compiler =
      ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first {
        FileManager.default.isExecutableFile(atPath: $0)
      } ?? "/usr/bin/cc"
    let code = try ChildProcess(
      compiler, ["-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"],
      outputPath: path + ".log"
    ).wait()
    if code != 0 {
      throw ChildProcess.NotStarted(path: compiler, code: code)
    }
  }

  /// The executable lies beside the test bundle.
  private static var executable: String {
    let folder = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    return folder + "/millwright"
  }

  func start(commitDelayMilliseconds: Int = 10, environment: [String: String] = [:]) throws {
    process = try ChildProcess(
      GatewayProcess.executable, ["run", "--data", dataDirectory],
      environment: [
        "LD_PRELOAD": shim, "MW_SHIM_BOOK": bookDirectory, "MW_SHIM_FAULT": faultPath,
        "MILLWRIGHT_GATEWAY": "crash",
        "MILLWRIGHT_DEVICES": directory + "/devices", "MILLWRIGHT_RULES": directory + "/rules",
        "MILLWRIGHT_MQTT_HOST": "127.0.0.1",
        "MILLWRIGHT_MQTT_PORT": "\(brokerPort)", "PORT": "\(port)",
        "MILLWRIGHT_COMMIT_DELAY_MS": "\(commitDelayMilliseconds)",
        "RATE_LIMIT_PER_MINUTE": "1000000",
      ].merging(environment) { $1 }, outputPath: logPath)
  }

  func kill() {
    process?.send(SIGKILL)
    process?.wait()
  }

  /// SIGTERM and the exit code.
  func stop() -> Int32 {
    process?.send(SIGTERM)
    return process?.wait() ?? -1
  }

  /// One HTTP request on a connection of its own; `nil` when nobody answered it whole.
  func request(_ method: String, _ path: String, body: String = "") -> (status: Int, body: String)?
  {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isOpen = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isOpen else { return nil }
    let text = """
      \(method) \(path) HTTP/1.1\r
      Host: localhost\r
      Connection: close\r
      Content-Type: application/json\r
      Content-Length: \(body.utf8.count)\r
      \r
      \(body)
      """
    guard text.withCString({ send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }) > 0
    else { return nil }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      answer.append(contentsOf: buffer[..<count])
    }
    let whole = String(decoding: answer, as: UTF8.self)
    let words = whole.split(separator: " ", maxSplits: 2)
    guard words.count > 2, let status = Int(words[1]), let end = whole.range(of: "\r\n\r\n") else {
      return nil
    }
    return (status, String(whole[end.upperBound...]))
  }

  // MARK: - A power cut

  /// What a power cut may take: everything that was written after the last sync of its file.
  ///
  /// The WAL is cut at a random place behind its synced part; bytes of the journal behind its synced part
  /// are overwritten or zeroed.
  func loseUnsynced(random: inout some RandomNumberGenerator) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: bookDirectory) {
      let text = try String(contentsOfFile: bookDirectory + "/" + name, encoding: .utf8)
      guard let synced = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { continue }
      let isWAL = name.hasSuffix("-wal")
      let path = isWAL ? dataDirectory + "/" + name : dataDirectory + "/journal/" + name
      guard let file = FileHandle(forUpdatingAtPath: path) else { continue }
      defer { try? file.close() }
      let size = Int(try file.seekToEnd())
      guard size > synced else { continue }
      if isWAL {
        try file.truncate(atOffset: UInt64(Int.random(in: synced...size, using: &random)))
      } else {
        let count = min(8_192, size - synced)
        let start = synced + Int.random(in: 0..<count, using: &random)
        try file.seek(toOffset: UInt64(start))
        let zero = Bool.random(using: &random)
        let bytes = (0..<min(4_096, size - start)).map { _ in
          zero ? 0 : UInt8.random(in: 0...255, using: &random)
        }
        try file.write(contentsOf: Data(bytes))
      }
    }
  }
}
