import Glibc

extension Store {
  private var ballastPath: String { settings.directory + "/ballast" }

  /// Frees the ballast, so that SQLite and retention have room to work on a full disk.
  public func releaseBallast() {
    // Without the file there is nothing to free, and a failure leaves us no worse off.
    try? Directory.remove(ballastPath)
  }

  /// Reserves the ballast again when there is ample room.
  public func restoreBallast() {
    guard settings.ballastBytes > 0, access(ballastPath, F_OK) != 0 else { return }
    var figures = statvfs()
    guard statvfs(settings.directory, &figures) == 0 else { return }
    let free = UInt64(figures.f_bavail) * UInt64(figures.f_frsize)
    guard free > UInt64(settings.ballastBytes) * 4 else { return }
    do {
      let file = try SystemFile(path: ballastPath, flags: O_RDWR | O_CREAT)
      try file.preallocate(settings.ballastBytes)
    } catch {
      // It is a reserve: without it the store works as well, only with less room in need.
      releaseBallast()
    }
  }
}
