import Glibc

/// A system call that failed: which, on what, why, and the number for those who must act on it.
public struct SystemError: Error, Sendable, CustomStringConvertible {
  public let call: String
  public let path: String
  public let code: Int32

  init(_ call: String, _ path: String, code: Int32 = errno) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// The disk, the quota or our own budget has no room left.
  public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

  public var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }
}

/// A file descriptor that closes itself; all calls are blocking and checked.
struct SystemFile: ~Copyable {
  let descriptor: Int32
  let path: String

  init(path: String, flags: Int32, mode: mode_t = 0o640) throws(SystemError) {
    descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
    self.path = path
    if descriptor < 0 { throw SystemError("open", path) }
  }

  deinit { close(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let written = pwrite(
        descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      if written < 0 {
        if errno == EINTR { continue }
        throw SystemError("write", path)
      }
      done += written
    }
  }

  func synchronizeData() throws(SystemError) {
    if fdatasync(descriptor) != 0 { throw SystemError("fdatasync", path) }
  }

  /// Reserves blocks so that appends change no metadata; the file is zeros where nothing was written.
  func preallocate(_ byteCount: Int) throws(SystemError) {
    let code = posix_fallocate(descriptor, 0, off_t(byteCount))
    if code != 0 { throw SystemError("fallocate", path, code: code) }
  }

  func size() throws(SystemError) -> Int {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw SystemError("stat", path) }
    return Int(status.st_size)
  }

  /// The whole content, or as much of it as can be read; for recovery, a segment at a time.
  func readAll() throws(SystemError) -> [UInt8] {
    let count = try size()
    var content = [UInt8](repeating: 0, count: count)
    var failure: SystemError?
    let done = content.withUnsafeMutableBytes { buffer in
      var done = 0
      while done < count {
        let got = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(done))
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = SystemError("read", path) }
        if got <= 0 { break }
        done += got
      }
      return done
    }
    if let failure, done == 0 { throw failure }
    content.removeSubrange(done...)
    return content
  }
}

/// Directory verbs of the journal.
enum Directory {
  static func create(_ path: String) throws(SystemError) {
    if mkdir(path, 0o750) != 0 && errno != EEXIST { throw SystemError("mkdir", path) }
  }

  /// Makes names in `path` durable: files born, renamed or removed there.
  static func synchronize(_ path: String) throws(SystemError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { throw SystemError("open", path) }
    defer { close(descriptor) }
    if fsync(descriptor) != 0 { throw SystemError("fsync", path) }
  }

  static func names(in path: String) throws(SystemError) -> [String] {
    guard let stream = opendir(path) else { throw SystemError("opendir", path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func rename(_ old: String, to new: String) throws(SystemError) {
    if Glibc.rename(old, new) != 0 { throw SystemError("rename", old) }
  }

  static func remove(_ path: String) throws(SystemError) {
    if unlink(path) != 0 && errno != ENOENT { throw SystemError("unlink", path) }
  }
}
