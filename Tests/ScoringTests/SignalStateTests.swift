import Statistics
import Telemetry
import Testing

@testable import Scoring

/// Runs `state` through writing and reading.
func restored<State>(
  _ encode: (inout ByteWriter) -> Void, _ decode: (inout ByteReader) throws -> State
) throws -> State {
  var writer = ByteWriter()
  encode(&writer)
  var reader = ByteReader(writer.bytes)
  let state = try decode(&reader)
  #expect(reader.remaining == 0)
  return state
}

@Suite struct LifeFeaturesTests {
  /// The definition, from all values at once.
  static func direct(_ values: [Double]) -> [Double] {
    func mean(_ part: some Collection<Double>) -> Double { part.reduce(0, +) / Double(part.count) }
    let window = Array(values.suffix(30))
    let n = window.count
    let (x, y) = (Double(n - 1) / 2, mean(window))
    var (xy, xx, yy) = (0.0, 0.0, 0.0)
    for (index, value) in window.enumerated() {
      xy += (Double(index) - x) * (value - y)
      xx += (Double(index) - x) * (Double(index) - x)
      yy += (value - y) * (value - y)
    }
    return [
      mean(values.suffix(5)), mean(values.suffix(10)), y, n > 1 ? xy / xx : 0,
      n > 1 ? (yy / Double(n - 1)).squareRoot() : 0,
      mean(values.suffix(5)) - mean(values.prefix(20)),
      mean(values), Double(values.count),
    ]
  }

  @Test("Streamed features are those of the whole life at every cycle")
  func streaming() {
    var random = SplitMix64(seed: 2)
    var life = LifeFeatures(sensorCount: 1)
    var values: [Double] = []
    for cycle in 0..<120 {
      values.append(640 + 0.02 * Double(cycle) + Double.random(in: -1...1, using: &random))
      life.observe([values[cycle]])
      for (ours, theirs) in zip(life.values, Self.direct(values)) {
        #expect((ours - theirs).magnitude < 1e-9, "cycle \(cycle + 1)")
      }
    }
  }

  @Test("Stopping at any cycle and going on is as if it had never stopped")
  func restoring() throws {
    var random = SplitMix64(seed: 3)
    var whole = LifeFeatures(sensorCount: 3)
    var stopped = whole
    for cycle in 0..<70 {
      var row = (0..<3).map { _ in Double.random(in: -1e6...1e6, using: &random) }
      if cycle % 11 == 4 { row[cycle % 3] = .nan }
      whole.observe(row)
      stopped.observe(row)
      stopped = try restored({ stopped.encode(into: &$0) }, { try LifeFeatures(from: &$0) })
      #expect(stopped.values.map(\.bitPattern) == whole.values.map(\.bitPattern))
    }
    #expect(stopped == whole)
  }

  @Test("A sensor that never spoke is missing; the others are told")
  func silent() {
    var life = LifeFeatures(sensorCount: 2)
    for _ in 0..<3 { life.observe([.nan, 4]) }
    #expect(life.values.prefix(7).count { $0.isNaN } == 7)
    #expect(Array(life.values.suffix(8)) == [4, 4, 4, 0, 0, 0, 4, 3])
    life.reset()
    #expect(life.cycles == 0)
    #expect(
      LifeFeatures.features(of: [Feature("t", unit: "Cel"), Feature("p")]).count
        == life.values.count)
  }
}

@Suite struct EntityStateTests {
  static func at(_ seconds: Double) -> Timestamp {
    Timestamp(microseconds: 1_700_000_000_000_000 + Int64(seconds * 1e6))
  }

  @Test("A steady rate settles at rate × half-life / ln 2, and silence halves the count")
  func counters() {
    var activity = ActivityState()
    for event in 0...20_000 { activity.observe(at: Self.at(Double(event) * 60)) }
    let now = activity.counts(at: Self.at(1_200_000))[0]
    #expect((now / (60 / 0.6931471805599453) - 1).magnitude < 0.01)
    let later = activity.counts(at: Self.at(1_200_000 + 3_600))[0]
    #expect((later / now - 0.5).magnitude < 1e-12)
  }

  @Test("An event that comes late counts as much as one in order")
  func late() {
    var (straight, late) = (ActivityState(), ActivityState())
    for time in [0.0, 100, 5_000] { straight.observe(at: Self.at(time)) }
    for time in [0.0, 5_000, 100] { late.observe(at: Self.at(time)) }
    let (a, b) = (straight.counts(at: Self.at(6_000)), late.counts(at: Self.at(6_000)))
    for index in 0..<4 { #expect((a[index] - b[index]).magnitude < 1e-12) }
    #expect(late.last == Self.at(5_000))
  }

  @Test("Silence is overdue by the entity's own habit")
  func overdue() throws {
    var random = SplitMix64(seed: 6)
    var (fast, slow) = (ActivityState(), ActivityState())
    var (fastTime, slowTime) = (0.0, 0.0)
    for _ in 0..<200 {
      fast.observe(at: Self.at(fastTime))
      slow.observe(at: Self.at(slowTime))
      let spread = Double.random(in: 0.7...1.4, using: &random)
      fastTime += 10 * spread
      slowTime += 86_400 * spread
    }
    let last = try #require(fast.last)
    let minute = last.advanced(byMicroseconds: 120_000_000)
    #expect(try #require(fast.overdue(at: minute)) > 3)
    let slowMinute = try #require(slow.last).advanced(byMicroseconds: 120_000_000)
    #expect(try #require(slow.overdue(at: slowMinute)) < 0)
    #expect(ActivityState().overdue(at: minute) == nil)
  }

  @Test("Drift follows a level that moves and forgets it in the long run")
  func drift() {
    var random = SplitMix64(seed: 7)
    var signal = SignalState()
    for _ in 0..<20 { signal.observe(1) }
    #expect(signal.drift.isNaN)
    for _ in 0..<2_000 { signal.observe(Double.random(in: -1...1, using: &random)) }
    #expect(signal.drift.magnitude < 1)
    for _ in 0..<60 { signal.observe(4 + Double.random(in: -1...1, using: &random)) }
    #expect(signal.drift > 2)
    for _ in 0..<6_000 { signal.observe(4 + Double.random(in: -1...1, using: &random)) }
    #expect(signal.drift.magnitude < 1)
  }

  @Test("A restored entity goes on bit for bit, whatever it sees")
  func restoring() throws {
    var random = SplitMix64(seed: 8)
    var whole = EntityState(signalCount: 2)
    var stopped = whole
    var time = 0.0
    for step in 0..<300 {
      time += Double.random(in: -5...100, using: &random)
      let value = step % 17 == 0 ? .nan : Double.random(in: -9...9, using: &random)
      whole.observe(signal: step % 2, value: value, at: Self.at(time))
      stopped.observe(signal: step % 2, value: value, at: Self.at(time))
      if step == 150 {
        whole.addUsage(12.5)
        stopped.addUsage(12.5)
      }
      stopped = try restored({ stopped.encode(into: &$0) }, { try EntityState(from: &$0) })
      let now = Self.at(time + 30)
      #expect(stopped.values(at: now).map(\.bitPattern) == whole.values(at: now).map(\.bitPattern))
    }
    #expect(
      EntityState.features(of: [Feature("a"), Feature("b")], usageUnit: "h").count
        == whole.values(at: Self.at(0)).count)
    whole.resetLife()
    #expect(whole.usage == 0 && whole.activity.total == 300)
  }

  @Test("Bytes that are cut short or of another version are refused")
  func damaged() throws {
    var state = EntityState(signalCount: 1)
    state.observe(signal: 0, value: 3, at: Self.at(0))
    var writer = ByteWriter()
    state.encode(into: &writer)
    for length in 0..<writer.count {
      var cut = ByteReader(UnsafeRawBufferPointer(rebasing: writer.bytes[..<length]))
      #expect(throws: ByteReader.Truncated.self) { try EntityState(from: &cut) }
    }
    writer.overwrite(at: 0, UInt8(99))
    var reader = ByteReader(writer.bytes)
    #expect(throws: ByteReader.Truncated.self) { try EntityState(from: &reader) }
  }
}

@Suite struct OperatingConditionsTests {
  /// Six altitudes, and two sensors that follow them besides wearing.
  static func rows(following: Bool) -> (settings: Matrix, sensors: Matrix) {
    var random = SplitMix64(seed: 10)
    var (settings, sensors) = (Matrix(columnCount: 2), Matrix(columnCount: 2))
    for row in 0..<600 {
      let point = [0.0, 10, 20, 25, 35, 42][Int.random(in: 0..<6, using: &random)]
      let noise = { (width: Double) in Double.random(in: -width...width, using: &random) }
      settings.append([point + noise(0.01), point / 50 + noise(0.0005)])
      let base = following ? point * 10 : 0
      sensors.append([base + Double(row) / 100 + noise(0.1), 500 - base + noise(1)])
    }
    return (settings, sensors)
  }

  @Test("Operating points that the sensors follow are found and taken out")
  func found() throws {
    let (settings, sensors) = Self.rows(following: true)
    let conditions = OperatingConditions(settings: settings, sensors: sensors)
    #expect(conditions.count == 6)
    let early = conditions.normalize(settings: settings.row(5), sensors: Array(sensors.row(5)))
    let late = conditions.normalize(settings: settings.row(595), sensors: Array(sensors.row(595)))
    #expect(late[0] - early[0] > 2.5)
    #expect(
      try restored({ conditions.encode(into: &$0) }, { try OperatingConditions(from: &$0) })
        == conditions)
  }

  @Test("Settings that no sensor follows leave readings as they are")
  func ignored() {
    let (settings, sensors) = Self.rows(following: false)
    let conditions = OperatingConditions(settings: settings, sensors: sensors)
    #expect(conditions.count == 1)
    #expect(conditions.normalize(settings: settings.row(0), sensors: [1, 2]) == [1, 2])
  }
}
