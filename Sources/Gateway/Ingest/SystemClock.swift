import CLinux
import Glibc
import Synchronization

/// Where the gateway gets the time from; a test passes its own.
public struct ClockSource: Sendable {
  public var read: @Sendable () -> ClockReading
  /// The monotonic part alone, which is cheaper.
  public var readMonotonicMicroseconds: @Sendable () -> Int64
  /// The first eight bytes of the kernel's boot id.
  public var bootID: UInt64

  public init(bootID: UInt64, read: @escaping @Sendable () -> ClockReading) {
    self.bootID = bootID
    self.read = read
    readMonotonicMicroseconds = { read().monotonicMicroseconds }
  }

  /// The machine's clocks. One reading costs about 50 ns; the kernel's opinion of the wall clock, which
  /// costs a microsecond, is asked once a second.
  public static func system() -> ClockSource {
    let opinion = Mutex((askedAt: Int64.min, isSynchronized: false))
    var source = ClockSource(bootID: systemBootID()) {
      let monotonic = microseconds(CLOCK_BOOTTIME)
      let isSynchronized = opinion.withLock { known in
        if known.askedAt == .min || monotonic - known.askedAt >= 1_000_000 {
          known = (monotonic, isKernelSynchronized())
        }
        return known.isSynchronized
      }
      return ClockReading(
        wallMicroseconds: microseconds(CLOCK_REALTIME), monotonicMicroseconds: monotonic,
        isSynchronized: isSynchronized)
    }
    source.readMonotonicMicroseconds = { microseconds(CLOCK_BOOTTIME) }
    return source
  }

  private static func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }

  /// `STA_UNSYNC` of adjtimex(2), without changing anything.
  private static func isKernelSynchronized() -> Bool {
    var state = timex()
    return adjtimex(&state) >= 0 && state.status & STA_UNSYNC == 0
  }

  private static func systemBootID() -> UInt64 {
    if let id = readBootID() { return id }
    // A sandbox hides the file; our systemd unit says the id here.
    if let text = getenv("MILLWRIGHT_BOOT_ID"), let id = bootID(String(cString: text)) { return id }
    // Unknown: no earlier process may be taken for one of this boot.
    return UInt64.random(in: 1...UInt64.max)
  }

  private static func readBootID() -> UInt64? {
    guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    return bootID(String(cString: line))
  }

  /// The first eight bytes of an id in hexadecimal digits, with or without hyphens; `nil` for other text.
  static func bootID(_ text: String) -> UInt64? {
    let digits = text.filter(\.isHexDigit).prefix(16)
    return digits.count == 16 ? UInt64(digits, radix: 16) : nil
  }
}
