import Storage
import Telemetry
import Testing

@testable import Gateway

@Suite("The time of stages")
struct StageClockTests {
  private func header(_ sequence: UInt64, boot: UInt64, mono: Int64, wall: Int64) -> RecordHeader {
    RecordHeader(
      sequence: sequence, bootID: boot, monotonicMicroseconds: mono,
      wall: Timestamp(microseconds: wall), clockQuality: .synchronized)
  }

  @Test("Within a boot it follows the monotonic clock, whatever the wall clock does")
  func monotonic() {
    var clock = StageClock()
    #expect(
      clock.advance(to: header(1, boot: 7, mono: 1_000, wall: 50_000)).elapsedMicroseconds == 0)
    let stepped = clock.advance(to: header(2, boot: 7, mono: 3_500, wall: 10_000))
    #expect(stepped.elapsedMicroseconds == 2_500)
    #expect(stepped.wall == Timestamp(microseconds: 10_000))
    #expect(clock.monotonic(of: 4_000) == 5_000)
  }

  @Test("Over a reboot the wall clock tells how long it took, and never less than nothing")
  func reboot() {
    var clock = StageClock()
    _ = clock.advance(to: header(1, boot: 7, mono: 9_000, wall: 50_000))
    let after = clock.advance(to: header(2, boot: 8, mono: 100, wall: 80_000))
    #expect(after.elapsedMicroseconds == 30_000)
    let back = clock.advance(to: header(3, boot: 9, mono: 50, wall: 20_000))
    #expect(back.elapsedMicroseconds == 30_000)
    #expect(
      clock.advance(to: header(4, boot: 9, mono: 60, wall: 20_010)).elapsedMicroseconds == 30_010)
  }
}

@Suite("The order of samples for stages")
struct SeriesGateTests {
  private func gate() -> SeriesGate {
    var gate = SeriesGate()
    gate.define(.init(index: 0, device: 0, metric: "a", type: .number, kind: .gauge))
    gate.define(.init(index: 1, device: 0, metric: "e", type: .number, kind: .event))
    return gate
  }

  private func sample(_ series: UInt32, _ time: Int64, _ bits: UInt64, stamped: Bool = false)
    -> Sample
  {
    Sample(
      series: series, time: Timestamp(microseconds: time), bits: bits, isReceiveStamped: stamped)
  }

  @Test("A repetition and a late sample stay outside, and only the late one is counted")
  func repeated() {
    var gate = gate()
    #expect(gate.admit(sample(0, 10, 1)) != nil)
    #expect(gate.admit(sample(0, 10, 1)) == nil)
    #expect(gate.lateCount == 0)
    #expect(gate.admit(sample(0, 5, 1)) == nil)
    #expect(gate.admit(sample(0, 10, 2)) == nil)
    #expect(gate.lateCount == 2)
  }

  @Test("Times of our own and things that happened each keep a time of their own")
  func stamped() {
    var gate = gate()
    #expect(gate.admit(sample(0, 10, 1, stamped: true))?.time.microseconds == 10)
    #expect(gate.admit(sample(0, 10, 1, stamped: true))?.time.microseconds == 11)
    #expect(gate.admit(sample(1, 10, 1))?.time.microseconds == 10)
    #expect(gate.admit(sample(1, 10, 1))?.time.microseconds == 11)
  }

  @Test("A value that only stands in for a series, and one of an unknown series, are no samples")
  func standIns() {
    var gate = gate()
    var standIn = sample(0, 10, 1)
    standIn.isCurrentOnly = true
    #expect(gate.admit(standIn) == nil)
    #expect(gate.admit(sample(9, 10, 1)) == nil)
    #expect(gate.admit(sample(0, .max, 1)) != nil)
    #expect(gate.admit(sample(0, .max, 1, stamped: true)) == nil)
  }
}
