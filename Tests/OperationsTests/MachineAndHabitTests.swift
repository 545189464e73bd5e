import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct ChartDetectorTests {
  @Test("A shift of one sigma is noticed soon after the baseline was learned, and not before")
  func shift() {
    var signal = TestSignal(seed: 21)
    var chart = ChartDetector(baseline: .learned(points: 500))
    var early = 0
    for _ in 0..<500 { if chart.observe(20 + signal.noise()).cusum > 0 { early += 1 } }
    #expect(early == 0)
    #expect(!chart.isLearning)
    var noticed: Int?
    for index in 0..<60 where noticed == nil {
      let scores = chart.observe(21.5 + signal.noise())
      if max(scores.cusum, scores.ewma) > 0.5 { noticed = index }
    }
    #expect(noticed.map { $0 < 30 } == true)
  }

  @Test("A declared baseline counts from the first value; a reset clears its charts")
  func declared() {
    var chart = ChartDetector(baseline: .declared(target: 10, sigma: 1))
    #expect(chart.observe(30).ewma > 0.5)
    chart.reset()
    #expect(!chart.isLearning)
    let scores = chart.observe(10)
    #expect(scores.ewma == 0 && scores.cusum == 0 && scores.target == 10 && scores.sigma == 1)
  }
}

@Suite struct IntervalHabitTests {
  @Test(
    "A source that speaks each second is missed after twenty, or after 1.5 of its longest pause")
  func deadline() {
    var habit = IntervalHabit()
    for second in 0...20 { habit.note(at: Int64(second) * 1_000_000) }
    #expect(habit.deadline(factor: 20, declared: nil) == 40_000_000)
    #expect(habit.deadline(factor: 20, declared: 5_000_000) == 25_000_000)
    habit.note(at: 50_000_000)
    #expect((habit.deadline(factor: 20, declared: nil) ?? 0) > 80_000_000)
  }

  @Test("Nothing is missed of a source that spoke too rarely to have a habit, or that is at rest")
  func unknown() {
    var habit = IntervalHabit()
    for second in 0..<20 { habit.note(at: Int64(second) * 1_000_000) }
    #expect(habit.deadline(factor: 20, declared: nil) == nil)
    habit.note(at: 20_000_000)
    habit.rest()
    #expect(habit.deadline(factor: 20, declared: 1) == nil)
  }

  @Test("An outage does not teach that outages are usual")
  func outage() {
    var habit = IntervalHabit()
    for second in 0...1_000 { habit.note(at: Int64(second) * 1_000_000) }
    habit.note(at: 100_000_000_000)
    let due = habit.deadline(factor: 20, declared: nil) ?? .max
    #expect(due - 100_000_000_000 < 60_000_000)
    #expect(habit.longest <= 20_000_000)
  }
}

@Suite struct MultichannelDetectorTests {
  /// Three channels that follow one load, and a fourth of its own.
  private func row(_ signal: inout TestSignal, fault: Double = 0) -> [Double] {
    let load = 5 * signal.noise()
    return [
      100 + load + 0.1 * signal.noise(), 50 + 0.5 * load + 0.1 * signal.noise() + fault,
      20 - 0.2 * load + 0.1 * signal.noise(), 7 + signal.noise(),
    ]
  }

  @Test("A channel that no longer follows the others is named, although it is in its range")
  func broken() {
    var signal = TestSignal(seed: 31)
    var detector = MultichannelDetector(
      channels: 4, settings: .init(trainingRows: 500, trainingStride: 4))
    for _ in 0..<2_000 { #expect(detector.observe(row(&signal)) == 0) }
    #expect(!detector.isLearning)
    var worst = 0.0
    for _ in 0..<2_000 { worst = max(worst, detector.observe(row(&signal))) }
    #expect(worst < 0.5)
    var score = 0.0
    for _ in 0..<30 { score = detector.observe(row(&signal, fault: 3)) }
    #expect(score > 0.5)
    #expect(detector.oddest == 1)
    let parts = detector.contributions(to: score)
    #expect((parts.reduce(0, +) - score).magnitude < 1e-12)
    #expect(parts[1] == parts.max())
    let expectation = detector.expectation(of: 1)
    #expect(expectation.value < 52.5 && expectation.scale > 0)
  }

  @Test("A channel that never moved in the training has no say")
  func constant() {
    var signal = TestSignal(seed: 32)
    var detector = MultichannelDetector(channels: 3, settings: .init(trainingRows: 100))
    for _ in 0..<100 { _ = detector.observe([signal.noise(), signal.noise(), 42]) }
    for _ in 0..<50 { _ = detector.observe([0, 0, 900]) }
    #expect(detector.observe([0, 0, 900]) < 0.5)
  }

  @Test("A detector restored while it trains and after goes on bit for bit")
  func restored() throws {
    var signal = TestSignal(seed: 33)
    var whole = MultichannelDetector(
      channels: 4, settings: .init(trainingRows: 60, trainingStride: 3))
    var halting = whole
    for index in 0..<400 {
      let row = row(&signal, fault: index > 300 ? 2 : 0)
      let (a, b) = (whole.observe(row), halting.observe(row))
      #expect(a.bitPattern == b.bitPattern)
      guard index % 31 == 0 else { continue }
      var writer = ByteWriter()
      halting.encode(into: &writer)
      var reader = ByteReader(writer.bytes)
      halting = try MultichannelDetector(from: &reader)
      #expect(reader.remaining == 0)
    }
    #expect(!whole.isLearning)
  }
}
