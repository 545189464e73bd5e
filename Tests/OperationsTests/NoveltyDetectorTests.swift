import Operations
import Telemetry
import TestSupport
import Testing

/// Signals for tests: seeded, one value after the other.
struct TestSignal {
  var generator: SeededGenerator
  var time: Int64 = 1_767_571_200_000_000
  var step: Int64

  init(seed: UInt64, seconds: Int64 = 300) {
    generator = SeededGenerator(seed: seed)
    step = seconds * 1_000_000
  }

  /// About Gaussian: the sum of twelve uniform numbers less six.
  mutating func noise() -> Double {
    var sum = -6.0
    for _ in 0..<12 { sum += Double.random(in: 0..<1, using: &generator) }
    return sum
  }

  mutating func tick() -> Timestamp {
    time += step
    return Timestamp(microseconds: time)
  }
}

@Suite struct NoveltyDetectorTests {
  @Test("A level never seen scores above the threshold and says which views saw it")
  func jump() {
    var signal = TestSignal(seed: 1)
    var detector = NoveltyDetector()
    for _ in 0..<2_000 { _ = detector.observe(50 + signal.noise(), at: signal.tick()) }
    let score = detector.observe(80, at: signal.tick())
    #expect(score.value > 0.9)
    var sum = 0.0
    for view in 0..<5 { sum += score.contributions[view] }
    #expect((sum - score.undebounced).magnitude < 1e-12)
    #expect(score.contributions[NoveltyView.value.rawValue] > 0.1)
    #expect((score.expected - 50).magnitude < 2)
    #expect(score.scale > 0.5 && score.scale < 2)
  }

  @Test("A value between two known levels is new although it is inside the range")
  func between() {
    var signal = TestSignal(seed: 2)
    var detector = NoveltyDetector()
    for index in 0..<2_000 {
      let level: Double = (index / 50).isMultiple(of: 2) ? 10 : 90
      _ = detector.observe(level + signal.noise(), at: signal.tick())
    }
    #expect(detector.observe(50, at: signal.tick()).undebounced > 0.8)
  }

  @Test("Noise on a daily wave stays below the threshold once it is known, but for rare records")
  func quiet() {
    var alarms = 0
    for seed in 0..<10 {
      var signal = TestSignal(seed: UInt64(seed))
      var detector = NoveltyDetector()
      for index in 0..<288 * 28 {
        let phase = Double(index % 288) / 288
        let wave = 4 * (phase < 0.5 ? phase : 1 - phase)
        let score = detector.observe(wave + 0.1 * signal.noise(), at: signal.tick())
        if index > 288 * 14, score.value >= NoveltyDetector.alarmThreshold { alarms += 1 }
      }
    }
    #expect(alarms <= 10)
  }

  @Test("A second, lesser novelty within the debounce time stays quiet, a worse one does not")
  func debounced() {
    var signal = TestSignal(seed: 4)
    var detector = NoveltyDetector()
    for _ in 0..<2_000 { _ = detector.observe(50 + signal.noise(), at: signal.tick()) }
    #expect(detector.observe(80, at: signal.tick()).value > 0.5)
    let lesser = detector.observe(30, at: signal.tick())
    #expect(lesser.value == 0)
    #expect(lesser.undebounced > 0.5)
    #expect(detector.observe(-400, at: signal.tick()).value > 0.5)
    signal.time += NoveltyDetector.debounceMicroseconds
    #expect(detector.observe(-200, at: signal.tick()).value > 0.5)
  }

  @Test("What was not seen for half a year is new again")
  func forgets() {
    var signal = TestSignal(seed: 5, seconds: 3_600)
    var detector = NoveltyDetector()
    for index in 0..<2_000 {
      let value = index < 1_000 && index % 10 == 0 ? 90.0 : 50
      _ = detector.observe(value + signal.noise(), at: signal.tick())
    }
    #expect(detector.observe(90, at: signal.tick()).undebounced < 0.5)
    for _ in 0..<24 * 200 { _ = detector.observe(50 + signal.noise(), at: signal.tick()) }
    #expect(detector.observe(90, at: signal.tick()).undebounced > 0.9)
  }

  @Test("A weekend that is always like this is no longer odd at its hours")
  func weekly() {
    var signal = TestSignal(seed: 6, seconds: 900)
    var detector = NoveltyDetector()
    var last = 0
    for index in 0..<96 * 70 {
      let weekday = (index / 96) % 7 < 5
      let score = detector.observe((weekday ? 80 : 20) + signal.noise(), at: signal.tick())
      if score.value >= NoveltyDetector.alarmThreshold { last = index / 96 }
      guard index > 96 * 56 else { continue }
      #expect((score.expected - (weekday ? 80 : 20)).magnitude < 65)
    }
    // Two weeks are there to learn; the last odd day is among the first five weeks.
    #expect(last < 35)
  }

  @Test("After a reset the next value is the first one")
  func reset() {
    var signal = TestSignal(seed: 7)
    var detector = NoveltyDetector()
    for _ in 0..<500 { _ = detector.observe(50 + signal.noise(), at: signal.tick()) }
    detector.reset(.recipeChange)
    #expect(detector.count == 0)
    let first = detector.observe(5_000, at: signal.tick())
    #expect(first.undebounced == 0)
    #expect(detector.count == 1)
  }

  @Test("Values that are not finite, late ones and repeated times change nothing")
  func ignored() {
    var signal = TestSignal(seed: 8)
    var detector = NoveltyDetector()
    for _ in 0..<300 { _ = detector.observe(50 + signal.noise(), at: signal.tick()) }
    let before = bytes(of: detector)
    let late = Timestamp(microseconds: signal.time)
    for (value, time) in [
      (Double.nan, signal.tick()), (.infinity, signal.tick()), (900, late), (900, .distantPast),
    ] {
      #expect(detector.observe(value, at: time).value == 0)
    }
    #expect(bytes(of: detector) == before)
  }

  @Test("Absurd values and times never trap and scores stay within 0 and 1")
  func absurd() {
    var generator = SeededGenerator(seed: 10)
    let values = [
      0, 1e300, -1e300, 1e-300, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 5e-324, 1e17,
    ]
    var detector = NoveltyDetector()
    var time = Int64.min + 1
    for index in 0..<4_000 {
      let step = Int64.random(in: 1...(index % 100 == 0 ? 1 << 55 : 1 << 30), using: &generator)
      guard time < .max - step else { break }
      time += step
      let value = values[Int.random(in: 0..<values.count, using: &generator)]
      let score = detector.observe(value, at: Timestamp(microseconds: time))
      #expect((0...1).contains(score.value) && (0...1).contains(score.undebounced))
    }
  }

  @Test("A detector restored at any moment goes on bit for bit, and fits into 1,024 bytes")
  func restored() throws {
    var signal = TestSignal(seed: 11, seconds: 1_800)
    var whole = NoveltyDetector()
    var halting = NoveltyDetector()
    for index in 0..<6_000 {
      let value = 50 + 10 * signal.noise() + (index % 97 == 0 ? 40 : 0)
      let time = signal.tick()
      let (a, b) = (whole.observe(value, at: time), halting.observe(value, at: time))
      #expect(a.value.bitPattern == b.value.bitPattern)
      #expect(a.undebounced.bitPattern == b.undebounced.bitPattern)
      #expect(a.expected.bitPattern == b.expected.bitPattern)
      guard index % 113 == 0 else { continue }
      let saved = bytes(of: halting)
      #expect(saved.count <= 1_024)
      halting = try saved.withUnsafeBytes { buffer throws(ByteReader.Truncated) in
        var reader = ByteReader(buffer)
        return try NoveltyDetector(from: &reader)
      }
    }
    #expect(bytes(of: whole) == bytes(of: halting))
    #expect(MemoryLayout<NoveltyDetector>.stride <= 1_536)
  }

  @Test("Bytes that end early are refused wherever they end")
  func truncated() {
    var signal = TestSignal(seed: 12)
    var detector = NoveltyDetector()
    for _ in 0..<300 { _ = detector.observe(signal.noise(), at: signal.tick()) }
    let saved = bytes(of: detector)
    for count in 0..<saved.count {
      let cut = Array(saved[..<count])
      #expect(throws: ByteReader.Truncated.self) {
        try cut.withUnsafeBytes { buffer in
          var reader = ByteReader(buffer)
          _ = try NoveltyDetector(from: &reader)
        }
      }
    }
  }

  private func bytes(of detector: NoveltyDetector) -> [UInt8] {
    var writer = ByteWriter()
    detector.encode(into: &writer)
    return Array(writer.bytes)
  }
}
