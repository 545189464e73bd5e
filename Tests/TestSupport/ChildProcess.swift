import Foundation
import Glibc

/// A program started with posix_spawn, waited for with waitpid: Foundation's `Process` waits by turning a
/// run loop, which never ends on a thread of the concurrency pool.
public final class ChildProcess: @unchecked Sendable {  // Its id is fixed; waiting is done once.
  public struct NotStarted: Error, CustomStringConvertible {
    public let path: String
    public let code: Int32

    public init(path: String, code: Int32) {
      self.path = path
      self.code = code
    }

    public var description: String { "\(path): \(String(cString: strerror(code)))" }
  }

  public let id: pid_t
  private var status: Int32?

  /// - Parameters:
  ///   - input: given to the program as its standard input.
  ///   - outputPath: file for standard output and error; `/dev/null` unless said.
  public init(
    _ path: String, _ arguments: [String], environment: [String: String] = [:],
    input: String? = nil,
    outputPath: String = "/dev/null"
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var ends: [Int32] = [-1, -1]
    if input != nil {
      pipe(&ends)
      posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
      posix_spawn_file_actions_addclose(&actions, ends[1])
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addopen(
      &actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Threads of the pool block signals; a child must not inherit that, or it could not be stopped.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var merged = ProcessInfo.processInfo.environment
    for (key, value) in environment { merged[key] = value }
    var id: pid_t = 0
    let code = ChildProcess.withCStrings([path] + arguments) { argv in
      ChildProcess.withCStrings(merged.map { "\($0.key)=\($0.value)" }) { envp in
        posix_spawn(&id, path, &actions, &attributes, argv, envp)
      }
    }
    if input != nil { close(ends[0]) }
    guard code == 0 else {
      if input != nil { close(ends[1]) }
      throw NotStarted(path: path, code: code)
    }
    self.id = id
    if let input {
      _ = input.withCString { write(ends[1], $0, strlen($0)) }
      close(ends[1])
    }
  }

  private static func withCStrings<R>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
  ) -> R {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  public func send(_ signal: Int32) { kill(id, signal) }

  /// Waits for its end. Blocks.
  /// - Returns: the exit code, or 128 + the signal that ended it.
  @discardableResult
  public func wait() -> Int32 {
    if let status { return status }
    var raw: Int32 = 0
    while waitpid(id, &raw, 0) < 0 && errno == EINTR {}
    let code = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    status = code
    return code
  }

  public var isRunning: Bool {
    if status != nil { return false }
    var raw: Int32 = 0
    guard waitpid(id, &raw, WNOHANG) == id else { return true }
    status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    return false
  }
}
