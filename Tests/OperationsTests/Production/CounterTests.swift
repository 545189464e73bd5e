import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct CounterTests {
  /// Counts what `heights`, a minute apart from 06:01 on, add up to after a first sample at 06:00.
  private static func count(
    _ first: Double, _ heights: [Double], rollover: Double? = nil, qualities: [Int: Quality] = [:]
  ) -> (made: Double?, warnings: [String]) {
    var bench = Bench([(at(5), .running)])
    bench.machine.counters.total = MachineDefinition.CounterSource(
      series: SeriesKey(device: "m1", metric: "cycles"), rollover: rollover)
    bench.record.total = ([first] + heights).enumerated().map { index, height in
      CounterSample(time: at(6, index), value: height, quality: qualities[index] ?? .good)
    }
    let result = bench.ledger.result(over: early)
    return (result.figures.made.fraction?.value, result.warnings.map(\.code))
  }

  @Test("A counter counts what it grows by")
  func grows() { #expect(Self.count(1_000, [1_001, 1_001, 1_010]).made == 10) }

  @Test("A reset starts from zero: what it shows afterwards was made since")
  func reset() {
    #expect(Self.count(1_000, [1_005, 0, 3]).made == 8)
    #expect(Self.count(1_000, [1_005, 4, 7]).made == 12)
    #expect(Self.count(1_000, [1_005, 4, 7]).warnings == [])
  }

  @Test("A counter that rolls over goes on; one that is reset far from its top was reset")
  func rollover() {
    #expect(Self.count(65_530, [65_535, 2], rollover: 65_536).made == 8)
    #expect(Self.count(100, [105, 2], rollover: 65_536).made == 7)
    #expect(Self.count(4_294_967_290, [4_294_967_295, 10], rollover: 4_294_967_296).made == 16)
  }

  @Test(
    "A small step back without a reset counts nothing until the old height is passed, and is warned of"
  )
  func setBack() {
    let counted = Self.count(1_000, [1_010, 1_008, 1_009, 1_011])
    #expect(counted.made == 11)
    #expect(counted.warnings == ["counter_went_back", "counter_went_back"])
  }

  @Test("Bad and impossible samples are passed over")
  func bad() {
    #expect(Self.count(0, [5, 500, 10], qualities: [2: .bad]).made == 10)
    #expect(Self.count(0, [5, 500, 10], qualities: [2: .stale]).made == 10)
    #expect(Self.count(0, [5, .nan, -3, .infinity, 10]).made == 10)
  }

  @Test("A configured counter without samples is warned of and leaves the figures without a value")
  func missing() {
    var bench = Bench([(at(5), .running)])
    bench.machine.counters.total = MachineDefinition.CounterSource(
      series: SeriesKey(device: "m1", metric: "cycles"))
    let result = bench.ledger.result(over: early)
    #expect(result.warnings.map(\.message) == ["no samples of the counter `m1/cycles`"])
    #expect(result.kpis.oee.value == nil)
  }

  @Test("Where two counters are given, the third follows")
  func derived() {
    func figures(_ total: Int?, _ good: Int?, _ scrap: Int?) -> [Double?] {
      let product = ProductFigures(
        total: total.map { Parts($0) }, good: good.map { Parts($0) }, scrap: scrap.map { Parts($0) }
      )
      return [product.made?.number, product.goodMade?.number, product.rejects?.number]
    }
    #expect(figures(100, 95, nil) == [100, 95, 5])
    #expect(figures(100, nil, 5) == [100, 95, 5])
    #expect(figures(nil, 95, 5) == [100, 95, 5])
    #expect(figures(100, nil, nil) == [100, nil, nil])
    #expect(ProductFigures(total: Parts(5), scrap: Parts(6)).contradiction != nil)
    #expect(ProductFigures(total: Parts(5), good: Parts(5), scrap: Parts(5)).contradiction == nil)
  }

  @Test("Whatever the cut, the counts of two adjoining stretches sum to the whole")
  func additive() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<50 {
      var bench = Bench([(at(5), .running)])
      var height = Double(Int.random(in: 0...100, using: &generator))
      bench.record.total = (0..<100).map { index in
        height += Double(Int.random(in: 0...3, using: &generator))
        if Int.random(in: 0..<20, using: &generator) == 0 { height = 0 }
        return CounterSample(time: at(5, 58, index * 290), value: height)
      }
      let ledger = bench.ledger
      let whole = ledger.figures(over: SpanSet(early))
      let cut = at(6, 0, Int.random(in: 0...28_800, using: &generator))
      let sum =
        ledger.figures(over: SpanSet(Span(early.from..<cut)))
        + ledger.figures(over: SpanSet(Span(cut..<early.to)))
      #expect(sum.products == whole.products && sum.partsOutside == whole.partsOutside)
    }
  }
}
