import Storage
import Telemetry

/// What the machine's clocks say at one moment.
public struct ClockReading: Sendable, Equatable {
  /// CLOCK_REALTIME, microseconds since 1970.
  public var wallMicroseconds: Int64
  /// CLOCK_BOOTTIME, microseconds.
  public var monotonicMicroseconds: Int64
  /// The kernel says that NTP or PTP disciplines the wall clock.
  public var isSynchronized: Bool

  public init(wallMicroseconds: Int64, monotonicMicroseconds: Int64, isSynchronized: Bool) {
    self.wallMicroseconds = wallMicroseconds
    self.monotonicMicroseconds = monotonicMicroseconds
    self.isSynchronized = isSynchronized
  }
}

/// Receive times that never go back within a boot, whatever is done to the wall clock.
///
/// Time is counted by the monotonic clock from an offset to the wall clock. The wall clock's slow drift
/// and jumps forward are followed; when it is set back, receive times go on ahead of it and say so by
/// their quality until it has caught up or the machine boots. Either step is reported once, so that it
/// can be recorded.
struct ReceiveClock {
  /// Differences below this are drift or slewing, not a step.
  static let stepMicroseconds: Int64 = 1_000_000

  struct Moment: Equatable {
    var time: Timestamp
    var monotonicMicroseconds: Int64
    var quality: ClockQuality
    /// Wall clock against ours, when it was found to have moved by a step just now.
    var step: Int64?
  }

  /// Receive time less monotonic time.
  private(set) var offset: Int64?
  private var last = Timestamp.distantPast
  /// The wall clock's offset when it was last looked at.
  private var wallOffset: Int64?

  init() {}

  /// Goes on where an earlier process of the same boot stopped.
  init(continuing offset: Int64) { self.offset = offset }

  mutating func read(_ reading: ClockReading) -> Moment {
    let seen = reading.wallMicroseconds - reading.monotonicMicroseconds
    var step: Int64?
    if let before = wallOffset ?? offset, abs(seen - before) >= Self.stepMicroseconds {
      step = seen - before
    }
    wallOffset = seen
    let current = max(offset ?? seen, seen)
    let isBehind = current - seen >= Self.stepMicroseconds
    if isBehind {
      offset = offset ?? current
    } else {
      // Drift is followed in both directions; `max` below keeps the result monotonic.
      offset = seen
    }
    let time = max(
      last, Timestamp(microseconds: reading.monotonicMicroseconds + (offset ?? seen)))
    last = time
    let quality: ClockQuality =
      isBehind ? .steppedBack : (reading.isSynchronized ? .synchronized : .unsynchronized)
    return Moment(
      time: time, monotonicMicroseconds: reading.monotonicMicroseconds, quality: quality, step: step
    )
  }
}
