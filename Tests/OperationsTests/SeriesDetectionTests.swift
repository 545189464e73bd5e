import Operations
import Telemetry
import TestSupport
import Testing

/// A gateway's worth of detectors with the time moved by hand.
struct DetectionWorld {
  var detection: SeriesDetection
  var anomalies: [Anomaly] = []
  var signal: TestSignal
  var second: Int64 = 0

  init(seed: UInt64, settings: DetectionSettings = DetectionSettings()) {
    detection = SeriesDetection(settings: settings)
    signal = TestSignal(seed: seed)
  }

  mutating func define(
    _ index: UInt32, kind: MetricKind = .gauge, type: ValueType = .number,
    _ options: SeriesDetectionOptions = SeriesDetectionOptions()
  ) {
    detection.define(
      SeriesDefinition(index: index, device: 0, metric: "m\(index)", type: type, kind: kind),
      options: options)
  }

  var moment: RecordMoment {
    RecordMoment(
      sequence: UInt64(second),
      wall: Timestamp(microseconds: 1_767_571_200_000_000 + second * 1_000_000),
      elapsedMicroseconds: second * 1_000_000)
  }

  mutating func wait(_ seconds: Int64) {
    second += seconds
    detection.advance(to: moment, into: &anomalies)
  }

  mutating func send(_ value: Double, _ series: UInt32 = 0, quality: Quality = .good) {
    detection.observe(
      Sample(series: series, time: moment.wall, bits: value.bitPattern, quality: quality),
      at: moment, into: &anomalies)
  }

  /// Noise around a level, a sample each five minutes.
  mutating func run(days: Int, level: Double = 50, series: [UInt32] = [0]) {
    for _ in 0..<days * 288 {
      wait(300)
      for one in series { send(level + signal.noise(), one) }
    }
  }

  var kinds: [Anomaly.Kind] { anomalies.map(\.kind) }
}

@Suite struct SeriesDetectionTests {
  @Test(
    "A new level after four weeks opens one anomaly that explains itself and ends when it is quiet")
  func novelty() throws {
    var world = DetectionWorld(seed: 41)
    world.define(0)
    world.run(days: 29)
    world.anomalies = []
    world.wait(300)
    world.send(75)
    let anomaly = try #require(world.anomalies.first)
    #expect(world.anomalies.count == 1)
    #expect(anomaly.kind == .novelty && anomaly.phase == .started && anomaly.value == 75)
    #expect(anomaly.score > anomaly.threshold)
    let sum = anomaly.contributions.reduce(0) { $0 + $1.amount }
    #expect((sum - anomaly.score).magnitude < 1e-12)
    let expected = try #require(anomaly.expected)
    #expect((expected - 50).magnitude < 3)
    world.run(days: 1)
    let end = try #require(world.anomalies.first { $0.phase == .ended })
    #expect(end.number == anomaly.number && end.started == anomaly.started)
    #expect(try #require(end.ended) > end.started)
  }

  @Test("Nothing is new in the first week, and only what is far out in the second")
  func cautious() {
    var world = DetectionWorld(seed: 42)
    world.define(0)
    world.run(days: 6)
    world.send(500)
    world.run(days: 1)
    #expect(!world.kinds.contains(.novelty))
    world.run(days: 2)
    world.wait(300)
    world.send(5_000)
    #expect(world.kinds.contains(.novelty))
    #expect((world.anomalies.last?.threshold ?? 0) > 0.7)
  }

  @Test("Only gauges of numbers are watched, and only good samples are observed")
  func unwatched() {
    var world = DetectionWorld(seed: 43)
    world.define(0, .init(range: 0...10))
    world.define(1, kind: .counter, .init(range: 0...10))
    world.define(2, type: .boolean, .init(range: 0...10))
    #expect(world.detection.count == 1)
    for quality: Quality in [.bad, .stale, .correction, [.uncertain, .stale]] {
      world.wait(1)
      world.send(99, 0, quality: quality)
    }
    world.send(99, 1)
    world.send(.nan, 0)
    world.send(99, 77)
    #expect(world.anomalies.isEmpty)
    world.send(99, 0, quality: .uncertain)
    #expect(world.kinds == [.outOfRange])
  }

  @Test("A value outside its declared range opens at once and ends an hour after the last one")
  func range() {
    var world = DetectionWorld(seed: 44)
    world.define(0, .init(range: 0...100))
    world.send(150)
    #expect(world.kinds == [.outOfRange])
    #expect(world.anomalies[0].expected == 100)
    world.wait(1_800)
    world.send(160)
    world.wait(3_599)
    #expect(world.anomalies.count == 1)
    #expect(world.detection.nextDeadline.map { $0 <= (world.second + 1) * 1_000_000 } == true)
    world.wait(1)
    #expect(world.anomalies.map(\.phase) == [.started, .ended])
    #expect(world.anomalies[1].score > world.anomalies[0].score)
  }

  @Test("A series with a declared interval is silent after it and heard again with the next sample")
  func silence() {
    var world = DetectionWorld(seed: 45)
    world.define(0, .init(silentMicroseconds: 60_000_000))
    world.send(1)
    world.wait(59)
    #expect(world.anomalies.isEmpty)
    world.wait(2)
    #expect(world.kinds == [.silence])
    #expect(world.anomalies[0].toleratedMicroseconds == 60_000_000)
    world.wait(1_000)
    #expect(world.anomalies.count == 1)
    world.send(2)
    #expect(world.anomalies.map(\.phase) == [.started, .ended])
  }

  @Test("A series whose source was reported gone, or that nobody listened to, is not silent")
  func resting() {
    var world = DetectionWorld(seed: 46)
    world.define(0, .init(silentMicroseconds: 60_000_000))
    world.send(1)
    world.send(1, 0, quality: [.uncertain, .stale])
    world.wait(1_000)
    #expect(world.anomalies.isEmpty)
    world.send(1)
    world.second += 5_000
    world.detection.resume()
    world.wait(1)
    #expect(world.anomalies.isEmpty)
  }

  @Test("An undeclared series falls silent by its own habit, after it was learned for a week")
  func habit() {
    var world = DetectionWorld(seed: 47)
    world.define(0)
    world.run(days: 8)
    world.anomalies = []
    world.wait(300 * 19)
    #expect(!world.kinds.contains(.silence))
    world.wait(300 * 2)
    #expect(world.kinds.contains(.silence))
  }

  @Test("A stuck sensor is a flat line, and moves again with the first other value")
  func flatLine() {
    var world = DetectionWorld(seed: 48)
    world.define(0)
    world.run(days: 8)
    world.anomalies = []
    for _ in 0..<49 {
      world.wait(300)
      world.send(50)
    }
    #expect(!world.kinds.contains(.flatLine))
    for _ in 0..<4 {
      world.wait(300)
      world.send(50)
    }
    #expect(world.kinds.filter { $0 == .flatLine }.count == 1)
    world.wait(300)
    world.send(51)
    #expect(world.anomalies.last?.kind == .flatLine && world.anomalies.last?.phase == .ended)
  }

  @Test("Charts are drawn where they were asked for")
  func charts() {
    var world = DetectionWorld(seed: 49)
    world.define(0, .init(charts: .declared(target: 50, sigma: 1)))
    world.define(1)
    for _ in 0..<50 {
      world.wait(60)
      world.send(52, 0)
      world.send(52, 1)
    }
    #expect(world.kinds.contains(.ewma) && world.kinds.contains(.cusum))
    #expect(world.anomalies.allSatisfy { $0.series == 0 })
  }

  @Test("Channels of a machine that no longer fit together are one anomaly that names the channel")
  func machine() throws {
    var settings = DetectionSettings()
    settings.learningMicroseconds = 3_600_000_000
    settings.trainingRows = 300
    var world = DetectionWorld(seed: 50, settings: settings)
    for series in 0..<4 { world.define(UInt32(series)) }
    let isGrouped = world.detection.group(device: 0, series: [0, 1, 2, 3, 99])
    #expect(isGrouped)
    func step(_ fault: Double) {
      world.wait(10)
      let load = 5 * world.signal.noise()
      for (series, share) in [1.0, 0.5, -0.2, 2].enumerated() {
        let own = 0.1 * world.signal.noise() + (series == 1 ? fault : 0)
        world.send(100 + share * load + own, UInt32(series))
      }
    }
    for _ in 0..<700 { step(0) }
    #expect(!world.kinds.contains(.multichannel))
    for _ in 0..<60 { step(3) }
    let found = try #require(world.anomalies.first { $0.kind == .multichannel })
    #expect(found.series == 1)
    #expect(found.contributions.first?.cause == .series(1))
    #expect((found.contributions.reduce(0) { $0 + $1.amount } - found.score).magnitude < 1e-12)
    for _ in 0..<500 { step(0) }
    #expect(world.anomalies.contains { $0.kind == .multichannel && $0.phase == .ended })
  }

  @Test("After a reset the device learns again before anything is new")
  func reset() {
    var world = DetectionWorld(seed: 51)
    world.define(0)
    world.run(days: 10)
    world.detection.reset(device: 0, .maintenance)
    world.anomalies = []
    world.run(days: 5, level: 500)
    #expect(!world.kinds.contains(.novelty))
  }

  @Test("State restored at any moment goes on as if it had never stopped")
  func restored() throws {
    var settings = DetectionSettings()
    settings.learningMicroseconds = 86_400_000_000
    settings.maturityMicroseconds = 86_400_000_000
    settings.trainingRows = 60
    var whole = DetectionWorld(seed: 52, settings: settings)
    for series in 0..<3 {
      whole.define(UInt32(series), .init(range: 40...60, charts: .learned(points: 100)))
    }
    whole.detection.group(device: 0, series: [0, 1, 2])
    var halting = whole
    for turn in 0..<40 {
      for world in 0..<2 {
        func play(_ one: inout DetectionWorld) {
          for step in 0..<60 {
            one.wait(step == 59 && turn % 7 == 0 ? 90_000 : 120)
            for series in 0..<3 {
              let odd: Double = step == 30 && turn % 5 == 4 && series == 1 ? 30 : 0
              one.send(50 + one.signal.noise() + odd, UInt32(series))
            }
          }
        }
        if world == 0 { play(&whole) } else { play(&halting) }
      }
      #expect(whole.anomalies == halting.anomalies)
      #expect(whole.detection.nextDeadline == halting.detection.nextDeadline)
      var writer = ByteWriter()
      halting.detection.encode(into: &writer)
      var reader = ByteReader(writer.bytes)
      halting.detection = try SeriesDetection(settings: settings, from: &reader)
      #expect(reader.remaining == 0)
    }
    #expect(Set(whole.kinds.map(\.rawValue)).count >= 4)
    #expect(SeriesDetection.bytesPerSeries <= 2_560)
  }
}
