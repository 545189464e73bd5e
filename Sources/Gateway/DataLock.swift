import Foundation
import Glibc

/// Holds the data directory for one process, and tells the command line where that process listens.
public final class DataLock: Sendable {
  public struct Held: Error, CustomStringConvertible {
    public let directory: String
    public let processID: Int32?

    public var description: String {
      let who = processID.map { " by process \($0)" } ?? ""
      return "\(directory) is in use\(who); stop that gateway first, or give another data directory"
    }
  }

  private let descriptor: Int32
  private let path: String

  /// - Throws: `Held` when another process has it; `SystemError`-like text when it cannot be made.
  public init(directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o750])
    path = directory + "/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path])
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = DataLock.holder(of: directory)
      close(descriptor)
      throw Held(directory: directory, processID: holder)
    }
    let text = "\(getpid())\n"
    ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  /// The process id written into the lock file, if any: for messages, so an unreadable file is none.
  public static func holder(of directory: String) -> Int32? {
    (try? String(contentsOfFile: directory + "/lock", encoding: .utf8)).flatMap {
      Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  /// Whether a running gateway holds the directory.
  public static func isHeld(_ directory: String) -> Bool {
    let descriptor = open(directory + "/lock", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
    flock(descriptor, LOCK_UN)
    return false
  }

  public func release() { flock(descriptor, LOCK_UN) }

  deinit { close(descriptor) }
}
