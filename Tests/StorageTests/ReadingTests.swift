import TestSupport
import Testing

@testable import Storage

@Suite struct ReadingTests {
  static func aggregate(
    _ samples: [(Int64, Double)], range: Range<Int64>, step: Int64, before: Double? = nil,
    states: Bool = false
  ) -> [AggregateBucket] {
    var buckets = [AggregateBucket]()
    var aggregator = StepAggregator(range: range, step: step, tracksStates: states)
    if let before { aggregator.precede(bits: before.bitPattern) }
    for (time, value) in samples {
      aggregator.add(time: time, bits: value.bitPattern) { buckets.append($0) }
    }
    aggregator.finish { buckets.append($0) }
    return buckets
  }

  @Test("A value weighs as long as it holds, split at the borders")
  func timeWeightedMean() {
    // 4 holds 0–5, 10 holds 5–12, 1 holds 12–20: (20 + 50) / 10 and (20 + 8) / 10.
    let buckets = Self.aggregate([(5, 10), (12, 1)], range: 0..<20, step: 10, before: 4)
    #expect(buckets.map(\.timeWeightedMean) == [7, 2.8])
    #expect(buckets.map(\.mean) == [10, 1])
    let fresh = Self.aggregate([(5, 10), (12, 1)], range: 0..<20, step: 10)
    #expect(fresh.map(\.timeWeightedMean) == [10, 2.8])
    #expect(fresh.map(\.held) == [5, 10])
  }

  @Test("A counter that drops has started again, and a delta belongs to the later bucket")
  func increase() {
    let buckets = Self.aggregate(
      [(1, 100), (9, 107), (11, 110), (15, 4), (19, 6)], range: 0..<20, step: 10, before: 90)
    #expect(buckets.map(\.increase) == [17, 9])
  }

  @Test("A state's time is split at the borders of buckets")
  func states() {
    let buckets = Self.aggregate([(4, 1), (13, 2)], range: 0..<20, step: 10, states: true)
    let one = (1.0).bitPattern
    let two = (2.0).bitPattern
    #expect(buckets.map(\.stateDurations) == [[one: 6], [one: 3, two: 7]])
  }

  @Test("Columns give what their samples give one by one, to the bit")
  func columns() {
    var random = SeededGenerator(seed: 5)
    for round in 0..<200 * fuzzFactor {
      var samples: [(Int64, Double)] = []
      var columns = ChunkColumns()
      for time in Int64(0)..<1_000 where random.below(3) == 0 {
        let value = random.below(30) == 0 ? Double.nan : Double(random.below(100_000)) / 700 - 50
        samples.append((time, value))
        columns.append(time: time, bits: value.bitPattern, quality: 0)
      }
      let tracksStates = round % 4 == 0
      var buckets: [AggregateBucket] = []
      var aggregator = StepAggregator(range: 0..<1_000, step: 37, tracksStates: tracksStates)
      aggregator.add(columns) { buckets.append($0) }
      aggregator.finish { buckets.append($0) }
      #expect(buckets == Self.aggregate(samples, range: 0..<1_000, step: 37, states: tracksStates))
    }
  }

  @Test("Whole chunks give what their samples give")
  func summaries() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<500 * fuzzFactor {
      var whole = [AggregateBucket]()
      var single = [AggregateBucket]()
      var a = StepAggregator(range: 0..<400, step: 100)
      var b = a
      for start in stride(from: Int64(0), to: 400, by: 50) {
        var columns = ChunkColumns()
        for time in start..<start + 50 where random.below(20) == 0 {
          let value = random.below(5) == 0 ? Double.nan : Double(random.below(9))
          columns.append(time: time, bits: value.bitPattern, quality: 0)
        }
        a.add(columns) { single.append($0) }
        b.add(ChunkSummary(columns)) { whole.append($0) }
      }
      a.finish { single.append($0) }
      b.finish { whole.append($0) }
      #expect(single == whole)
    }
  }

  @Test("A merge gives what sorting gives, and the newer chunk wins: all worlds of three chunks")
  func merge() {
    for world in 1..<(1 << 12) {
      var merged = ChunkColumns()
      var model = [Int64: UInt64]()
      for chunk in 0..<3 {
        var columns = ChunkColumns()
        for time in 0..<4 where world >> (chunk * 4 + time) & 1 == 1 {
          columns.append(time: Int64(time), bits: UInt64(chunk), quality: 0)
          model[Int64(time)] = UInt64(chunk)
        }
        merged = ColumnMerge.merge(older: merged, newer: columns)
      }
      #expect(merged.times == model.keys.sorted())
      #expect(merged.bits == model.keys.sorted().map { model[$0]! })
    }
  }
}
