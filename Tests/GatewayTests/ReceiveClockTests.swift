import Storage
import Telemetry
import Testing

@testable import Gateway

private let second: Int64 = 1_000_000
private let twoWeeks: Int64 = 14 * 86_400 * second

@Suite struct ReceiveClockTests {
  private func reading(_ wall: Int64, _ monotonic: Int64, synchronized: Bool = true) -> ClockReading
  {
    ClockReading(
      wallMicroseconds: wall, monotonicMicroseconds: monotonic, isSynchronized: synchronized)
  }

  @Test("Without steps the receive time is the wall clock")
  func followsWall() {
    var clock = ReceiveClock()
    for tick in 0..<10 as Range<Int64> {
      let moment = clock.read(reading(5_000 * second + tick * second, tick * second))
      #expect(moment.time.microseconds == 5_000 * second + tick * second)
      #expect(moment.step == nil && moment.quality == .synchronized)
    }
  }

  @Test("A step forward by two weeks is followed and reported once")
  func stepForward() {
    var clock = ReceiveClock()
    _ = clock.read(reading(5_000 * second, 0))
    let moment = clock.read(reading(5_001 * second + twoWeeks, second))
    #expect(moment.time.microseconds == 5_001 * second + twoWeeks)
    #expect(moment.step == twoWeeks)
    #expect(clock.read(reading(5_002 * second + twoWeeks, 2 * second)).step == nil)
  }

  @Test(
    "A step back by two weeks never takes the receive time back; it says so until the wall catches up"
  )
  func stepBack() {
    var clock = ReceiveClock()
    let start = clock.read(reading(5_000 * second + twoWeeks, 0))
    let after = clock.read(reading(5_001 * second, second))
    #expect(after.time.microseconds == start.time.microseconds + second)
    #expect(after.quality == .steppedBack && after.step == -twoWeeks)
    let later = clock.read(reading(5_002 * second, 2 * second))
    #expect(later.step == nil && later.time > after.time)
    let caughtUp = clock.read(reading(5_003 * second + twoWeeks, 3 * second))
    #expect(caughtUp.quality == .synchronized)
    #expect(caughtUp.time > later.time)
  }

  @Test(
    "Receive times never decrease under any sequence of steps",
    arguments: 1...20 as ClosedRange<UInt64>)
  func monotonic(seed: UInt64) {
    var random = seed &* 0x9E37_79B9_7F4A_7C15
    func next(_ bound: Int64) -> Int64 {
      random = random &* 6_364_136_223_846_793_005 &+ 1
      return Int64(random >> 33) % bound
    }
    var clock = ReceiveClock()
    var monotonic: Int64 = 0
    var shift: Int64 = 1_000_000 * second
    var last = Timestamp.distantPast
    for _ in 0..<2_000 {
      monotonic += next(3 * second)
      if next(20) == 0 { shift += next(2 * twoWeeks) - twoWeeks }
      if next(5) == 0 { shift += next(2_000) - 1_000 }
      let moment = clock.read(reading(monotonic + shift, monotonic, synchronized: next(2) == 0))
      #expect(moment.time >= last)
      last = moment.time
    }
  }

  @Test("A new process of the same boot goes on ahead of a clock that was set back")
  func continuing() {
    var first = ReceiveClock()
    let before = first.read(reading(5_000 * second + twoWeeks, 10 * second))
    var second_ = ReceiveClock(continuing: first.offset ?? 0)
    let after = second_.read(reading(5_001 * second, 11 * second))
    #expect(after.time > before.time)
  }
}
