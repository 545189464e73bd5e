import Storage
import Telemetry

/// The time of stages: forward only, over restarts, reboots and steps of the wall clock.
///
/// Within a boot it follows BOOTTIME, which also counts while we are down or the box sleeps. Over a reboot
/// nothing but the wall clock knows how long it took; when that went backwards, no time has passed.
struct StageClock: Sendable, Equatable {
  private var bootID: UInt64 = 0
  private var monotonicMicroseconds: Int64 = 0
  private var wall = Timestamp.epoch
  private(set) var elapsedMicroseconds: Int64 = 0
  private var isRunning = false

  /// The wall time of the last record; `nil` before the first.
  var lastWall: Timestamp? { isRunning ? wall : nil }

  /// The moment of the next record. Records come in the order of the journal, each once.
  mutating func advance(to header: RecordHeader) -> RecordMoment {
    if isRunning {
      let passed =
        header.bootID == bootID
        ? header.monotonicMicroseconds - monotonicMicroseconds
        : header.wall.microseconds - wall.microseconds
      elapsedMicroseconds += max(0, passed)
    }
    bootID = header.bootID
    monotonicMicroseconds = header.monotonicMicroseconds
    wall = header.wall
    isRunning = true
    return RecordMoment(
      sequence: header.sequence, wall: header.wall, elapsedMicroseconds: elapsedMicroseconds)
  }

  /// When the elapsed time reaches `deadline`, in the monotonic clock of this boot.
  func monotonic(of deadline: Int64) -> Int64 {
    monotonicMicroseconds + (deadline - elapsedMicroseconds)
  }

  func encode(into out: inout ByteWriter) {
    out.byte(isRunning ? 1 : 0)
    out.fixed(bootID)
    out.fixed(monotonicMicroseconds)
    out.fixed(wall.microseconds)
    out.fixed(elapsedMicroseconds)
  }

  init() {}

  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    isRunning = try input.byte() != 0
    bootID = try input.fixed(UInt64.self)
    monotonicMicroseconds = try input.fixed(Int64.self)
    wall = Timestamp(microseconds: try input.fixed(Int64.self))
    elapsedMicroseconds = try input.fixed(Int64.self)
  }
}
