import Glibc

/// Room on the file system of the data directory.
public struct DiskSpace: Sendable {
  public var freeBytes: Int
  public var totalBytes: Int

  /// Blocks for as long as the file system does.
  public init?(_ directory: String) {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return nil }
    freeBytes = Int(status.f_bavail) * Int(status.f_frsize)
    totalBytes = Int(status.f_blocks) * Int(status.f_frsize)
  }
}
