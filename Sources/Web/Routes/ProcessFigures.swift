import Foundation
import Glibc

/// What the kernel says about this process; read from /proc/self.
struct ProcessFigures: Sendable {
  var cpuSeconds = 0.0
  var residentBytes = 0
  var virtualBytes = 0
  var openDescriptors = 0
  var startSeconds = 0.0
  var threads = 0

  /// Blocks for some microseconds; 0 where something cannot be read.
  init() {
    let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
    if let text = Self.read("/proc/self/stat"), let end = text.lastIndex(of: ")") {
      // Counted from the state, which follows the name in brackets: proc(5), fields 3 and on.
      let fields = text[end...].split(separator: " ").dropFirst().map(String.init)
      if fields.count > 21 {
        cpuSeconds = ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / ticksPerSecond
        threads = Int(fields[17]) ?? 0
        startSeconds = Self.bootSeconds + (Double(fields[19]) ?? 0) / ticksPerSecond
        virtualBytes = Int(fields[20]) ?? 0
        residentBytes = (Int(fields[21]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
      }
    }
    // Without /proc the figure is 0; the listing itself holds one descriptor open.
    openDescriptors =
      ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 1) - 1
  }

  private static var bootSeconds: Double {
    let line = read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst(6)) } ?? 0
  }

  private static func read(_ path: String) -> String? {
    // Where /proc is not mounted the figure is left out.
    try? String(contentsOfFile: path, encoding: .utf8)
  }
}
