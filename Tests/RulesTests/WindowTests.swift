import Telemetry
import TestSupport
import Testing

@testable import Rules

@Suite struct WindowTests {
  static let second: Int64 = 1_000_000

  /// What each function is over a list of times (s) and values, the plain way.
  static func brute(
    _ function: WindowFunction, _ points: [(t: Double, v: Double)], quantile: Double
  ) -> Double? {
    let values = points.map(\.v)
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    switch function {
    case .mean: return values.isEmpty ? nil : mean
    case .sum: return values.reduce(0, +)
    case .min: return values.min()
    case .max: return values.max()
    case .count: return count
    case .stddev:
      guard count > 1 else { return nil }
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    case .slope:
      let middle = points.reduce(0) { $0 + $1.t } / count
      let square = points.reduce(0) { $0 + ($1.t - middle) * ($1.t - middle) }
      guard count > 1, square > 0 else { return nil }
      return points.reduce(0) { $0 + ($1.t - middle) * ($1.v - mean) } / square
    case .percentile: return interpolatedQuantile(quantile, of: values.sorted()[...])
    default: return nil
    }
  }

  @Test(
    "A window in time agrees with the plain computation over the same span",
    arguments: [
      WindowFunction.mean, .sum, .min, .max, .count, .stddev, .slope, .percentile,
    ], 0..<4)
  func time(_ function: WindowFunction, _ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let span = Int64.random(in: 3...900, using: &random) * Self.second
    var window = Window(WindowSpec(function: function, quantile: 0.9, input: 0, microseconds: span))
    let bucket = span / 60
    var points: [(time: Int64, v: Double)] = []
    var now: Int64 = 7_000_000_000
    for _ in 0..<1_500 {
      now += Int64.random(in: 1...max(2, span / 20), using: &random)
      let value = Double.random(in: -50...100, using: &random)
      window.advance(to: now)
      window.observe(value, at: now)
      points.append((now, value))
      let oldest = (now / bucket - 59) * bucket
      let inside = points.filter { $0.time >= oldest }
      let expected = Self.brute(
        function, inside.map { (Double($0.time) / 1e6, $0.v) }, quantile: 0.9)
      guard let result = window.result(at: now, coverage: 0), let expected else { continue }
      #expect(abs(result - expected) <= 1e-6 * max(1, abs(expected)), "\(function) seed \(seed)")
    }
  }

  @Test(
    "A window in samples agrees with the plain computation",
    arguments: [WindowFunction.mean, .sum, .min, .max, .count, .stddev, .slope, .percentile])
  func samples(_ function: WindowFunction) throws {
    var random = SeededGenerator(seed: 9)
    var window = Window(WindowSpec(function: function, quantile: 0.5, input: 0, samples: 20))
    var points: [(t: Double, v: Double)] = []
    var now: Int64 = 0
    for step in 0..<300 {
      now += Int64.random(in: 1...2_000_000, using: &random)
      let value = Double.random(in: -5...5, using: &random)
      window.observe(value, at: now)
      points = Array((points + [(Double(now) / 1e6, value)]).suffix(20))
      let result = window.result(at: now, coverage: 0.8)
      guard step >= 15 else {
        #expect(result == nil, "16 of 20 samples are 80 %")
        continue
      }
      let expected = try #require(Self.brute(function, points, quantile: 0.5))
      #expect(abs(try #require(result) - expected) < 1e-9)
    }
  }

  @Test("Increments of a counter go over resets and roll-overs")
  func counters() throws {
    var spec = WindowSpec(function: .delta, quantile: 0, input: 0, microseconds: 60 * Self.second)
    spec.rollover = 1_000
    var window = Window(spec)
    window.isCounter = true
    for (index, value) in [990.0, 995, 5, 10, 2].enumerated() {
      window.advance(to: Int64(index) * Self.second)
      window.observe(value, at: Int64(index) * Self.second)
    }
    // 5, then over 1,000 by 10, then 5, then 10 → 2 by 992 over the roll-over.
    let increments = window.result(at: 4 * Self.second, coverage: 0)
    #expect(increments == 1_012)
    spec.rollover = 0
    window = Window(spec)
    window.isCounter = true
    for (index, value) in [10.0, 15, 3].enumerated() {
      window.advance(to: Int64(index) * Self.second)
      window.observe(value, at: Int64(index) * Self.second)
    }
    #expect(window.result(at: 2 * Self.second, coverage: 0) == 8)
  }

  @Test("Time in a state is the share of the window that it held")
  func occupancy() throws {
    var window = Window(
      WindowSpec(function: .occupancy, quantile: 0, input: nil, microseconds: 600 * Self.second))
    var isRunning = false
    for step in 0...1_200 {
      let now = Int64(step) * Self.second
      window.advance(to: now)
      isRunning = step / 30 % 2 == 0
      window.observe(isRunning ? 1 : 0, at: now)
    }
    let seconds = window.result(at: 1_200 * Self.second, coverage: 0.8) ?? .nan
    #expect(abs(seconds - 300) <= 10)
  }

  @Test("A window says nothing while less than its coverage is known")
  func coverage() {
    var window = Window(
      WindowSpec(function: .mean, quantile: 0, input: 0, microseconds: 60 * Self.second))
    for step in 0..<60 {
      window.advance(to: Int64(step) * Self.second)
      window.observe(1, at: Int64(step) * Self.second)
      #expect((window.result(at: Int64(step) * Self.second, coverage: 0.8) == nil) == (step < 48))
    }
    // 20 s without a value: two thirds are covered.
    window.advance(to: 60 * Self.second)
    window.lose()
    window.advance(to: 80 * Self.second)
    #expect(window.result(at: 80 * Self.second, coverage: 0.8) == nil)
    #expect(window.result(at: 80 * Self.second, coverage: 0.6) == 1)
  }

  @Test("Percentiles of very many values stay near, in bounded memory")
  func manyValues() throws {
    var random = SeededGenerator(seed: 3)
    var window = Window(
      WindowSpec(function: .percentile, quantile: 0.95, input: 0, microseconds: 3_600 * Self.second)
    )
    var values: [Double] = []
    for step in 0..<3_500 * 10 {
      let value = Double.random(in: 0...1, using: &random)
      let now = Int64(step) * Self.second / 10
      window.advance(to: now)
      window.observe(value, at: now)
      values.append(value)
      #expect(window.values.sorted.count <= WindowSpec.percentileValuesMax)
    }
    let result = window.result(at: 3_500 * Self.second, coverage: 0.8) ?? .nan
    #expect(abs(result - 0.95) < 0.03)
  }

  @Test("A saved window goes on as if it had never stopped", arguments: 0..<12)
  func saved(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let functions: [WindowFunction] = [
      .mean, .stddev, .slope, .percentile, .edges, .occupancy, .delta, .max,
    ]
    let spec = WindowSpec(
      function: functions[Int(seed) % functions.count], quantile: 0.5, input: 0,
      microseconds: seed < 8 ? 60 * Self.second : 0, samples: seed < 8 ? 0 : 12)
    var window = Window(spec)
    var now: Int64 = 0
    for _ in 0..<600 {
      now += Int64.random(in: 0...4_000_000, using: &random)
      var out = ByteWriter()
      window.encode(into: &out)
      var twin = Window(spec)
      try Array(out.bytes).withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        try twin.decode(&reader)
      }
      let value = Double.random(in: -1...1, using: &random).rounded()
      for step in 0..<2 {
        if step == 0 { window.advance(to: now) } else { twin.advance(to: now) }
        if step == 0 { window.observe(value, at: now) } else { twin.observe(value, at: now) }
      }
      #expect(window.result(at: now, coverage: 0) == twin.result(at: now, coverage: 0))
      #expect(window.numbers == twin.numbers && window.closed == twin.closed)
    }
  }
}
