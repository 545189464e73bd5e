import Telemetry
import Testing

@testable import Operations

@Suite("Drifts and values of rest")
struct SlowRangeTests {
  private static let hour: Int64 = 3_600_000_000
  private static let day = 24 * hour

  /// Between 40 and 60 all day long, a value a minute.
  private static func learn(_ range: inout SlowRange, days: Int64) {
    for minute in 0..<days * 1_440 {
      _ = range.observe(minute / 60 % 2 == 0 ? 40 : 60, at: minute * 60_000_000)
    }
  }

  @Test("A drift in small steps is measured against what is a day old, not against its last step")
  func drift() {
    var range = SlowRange()
    Self.learn(&range, days: 5)
    var excess = 0.0
    for minute in 0..<600 as Range<Int64> {
      excess = range.observe(60 + 0.02 * Double(minute), at: 5 * Self.day + minute * 60_000_000)
      #expect(excess <= 0.6)
    }
    // Up to 72, the level a little behind: 12 over a range of 20.
    #expect(excess > 0.55)
    #expect((range.expected - 60).magnitude < 0.2)
  }

  @Test("What it did a day and more ago is known, and fades when it is not done again")
  func fading() {
    var range = SlowRange()
    Self.learn(&range, days: 5)
    for minute in 0..<3 * 1_440 as Range<Int64> {
      _ = range.observe(70, at: 5 * Self.day + minute * 60_000_000)
    }
    let known = range.observe(70, at: 8 * Self.day)
    #expect(known == 0)
    // Between 45 and 55 for a year: 70 is far away again.
    for hour in 0..<365 * 24 as Range<Int64> {
      _ = range.observe(hour % 2 == 0 ? 45 : 55, at: 8 * Self.day + hour * Self.hour)
    }
    var excess = 0.0
    for minute in 0..<60 as Range<Int64> {
      excess = range.observe(70, at: 373 * Self.day + minute * 60_000_000)
    }
    #expect(excess > 0.5)
  }

  @Test("A second report within a day wants half as much again")
  func reports() {
    var range = SlowRange()
    let told = [0.2, 0.2, 0.29, 0.31].map { range.passes($0) }
    #expect(told == [true, false, false, true])
  }

  @Test("Saved and restored it goes on bit for bit")
  func saved() throws {
    var range = SlowRange()
    Self.learn(&range, days: 3)
    var writer = ByteWriter()
    range.encode(into: &writer)
    let bytes = Array(writer.bytes)
    var copy = try bytes.withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      return try SlowRange(from: &reader)
    }
    #expect(copy == range)
    let (one, other) = (
      copy.observe(90, at: 4 * Self.day), range.observe(90, at: 4 * Self.day)
    )
    #expect(one == other)
  }

  /// A machine that works by day and shows one value at night; then it shows `value` for `hours`.
  private static func flatLines(at value: Double, hours: Int64) -> Int {
    var detection = SeriesDetection()
    detection.define(
      SeriesDefinition(index: 0, device: 0, metric: "power", type: .number, kind: .gauge))
    var anomalies: [Anomaly] = []
    func observe(_ value: Double, _ minute: Int64) {
      let moment = RecordMoment(
        sequence: UInt64(minute), wall: Timestamp(microseconds: minute * 60_000_000),
        elapsedMicroseconds: minute * 60_000_000)
      detection.advance(to: moment, into: &anomalies)
      detection.observe(
        Sample(series: 0, time: moment.wall, bits: value.bitPattern), at: moment, into: &anomalies)
    }
    let days: Int64 = 9
    for minute in 0..<days * 1_440 {
      let isNight = minute % 1_440 < 480
      observe(isNight ? 1.24 : 50 + Double(minute * 7 % 11), minute)
    }
    for minute in 0..<hours * 60 { observe(value, days * 1_440 + minute) }
    return anomalies.count { $0.kind == .flatLine && $0.phase == .started }
  }

  @Test("Standing still where it rests at night is tolerated longer than anywhere else")
  func rest() {
    #expect(Self.flatLines(at: 1.24, hours: 56) == 0)
    #expect(Self.flatLines(at: 53.7, hours: 56) == 1)
    #expect(Self.flatLines(at: 1.24, hours: 24 * 7) == 1)
  }
}
