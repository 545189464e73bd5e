import CLinux
import Glibc

/// What this process asks of the kernel for code and heap.
public enum ProcessMemory {
  /// Pieces of the heap from 1 MiB on go back to the kernel as soon as they are freed; call before threads start.
  ///
  /// By itself glibc takes each large piece that is freed as a sign to keep the next ones, up to 32 MiB: arrays
  /// that grow while series are defined, and the snapshots of stages, then stay in the process for good.
  public static func settle() {
    // A saving only: where it is refused, the heap is as it was.
    _ = mallopt(M_MMAP_THRESHOLD, 1 << 20)
    // Setting one fixes the other as well, at 128 KiB: the heap would shrink and grow with each batch.
    _ = mallopt(M_TRIM_THRESHOLD, 2 << 20)
  }

  /// Hands back the code pages that only the start needed; what runs on is mapped again when it runs.
  ///
  /// The kernel maps code in large pieces around each page that is touched, and gives them back only when
  /// memory is short. A gateway that ran through its start holds about 40 MiB of code so, and goes on
  /// with half of it. Code is never written to: nothing is lost, and nothing is read from the disk
  /// that the page cache still holds.
  static func releaseCode() {
    guard let maps = fopen("/proc/self/maps", "re") else { return }  // A saving only.
    defer { fclose(maps) }
    var line = [CChar](repeating: 0, count: 4_352)
    while fgets(&line, Int32(line.count), maps) != nil {
      let fields = String(cString: line).split(separator: " ", maxSplits: 5)
      guard fields.count == 6, fields[1] == "r-xp", fields[5].contains("/"),
        let range = range(fields[0])
      else { continue }
      madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
    }
  }

  /// `55d0c000-55d0d000`
  private static func range(_ text: Substring) -> Range<UInt>? {
    let ends = text.split(separator: "-").compactMap { UInt($0, radix: 16) }
    return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
  }
}
