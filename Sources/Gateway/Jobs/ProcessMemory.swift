import Glibc

/// The machine code that is mapped into this process.
enum ExecutablePages {
  /// Hands back the pages that only the start needed; what runs on is mapped again when it runs.
  ///
  /// The kernel maps code in large pieces around each page that is touched, and gives them back only when
  /// memory is short. A gateway that ran through its start holds about 40 MiB of code so, and goes on
  /// with half of it. Code is never written to: nothing is lost, and nothing is read from the disk
  /// that the page cache still holds.
  static func release() {
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
