import Operations
import Telemetry
import TestSupport
import Testing

/// Every rule at exactly the point that completes its pattern, on both sides, and against a plain reading of it.
@Suite struct RunRuleTests {
  /// Indices at which `rule` fires on values whose centre is 0 and σ is 1.
  static func fires(_ rule: RunRule, _ values: [Double]) -> [Int] {
    signals(rule, values).map { $0.points[$0.points.count - 1].index }
  }

  static func signals(_ rule: RunRule, _ values: [Double]) -> [OutOfControl] {
    let settings = ChartSettings(
      .individuals, rules: RunRules([rule]),
      baseline: .declared(ChartParameters(center: 0, sigma: 1)))
    return ControlChart(
      id: "z", settings: settings, subgroups: ControlChartTests.singles(values)
    ).findings.filter { $0.chart == .location }
  }

  struct Case: Sendable {
    var rule: RunRule
    var values: [Double]
    var index: Int
    var points: Int
    var isMirrored = true
  }

  /// Fires at the last value and not before; the same turned over fires on the other side.
  static let cases: [Case] = [
    Case(rule: .nelson1, values: [0, 3.0, 3.01], index: 2, points: 1),
    Case(rule: .nelson2, values: [-1] + [Double](repeating: 0.5, count: 9), index: 9, points: 9),
    Case(rule: .nelson3, values: [0.5, -1, -0.8, -0.4, 0, 0.4, 0.9], index: 6, points: 6),
    Case(
      rule: .nelson4, values: (0..<14).map { $0.isMultiple(of: 2) ? 0.4 : -0.4 }, index: 13,
      points: 14, isMirrored: false),
    Case(rule: .nelson5, values: [0, 2.1, 0.3, 2.2], index: 3, points: 2),
    Case(rule: .nelson6, values: [1.1, 1.2, -0.3, 1.3, 1.4], index: 4, points: 4),
    Case(
      rule: .nelson7, values: [1.5] + (0..<15).map { $0.isMultiple(of: 3) ? 0.9 : -0.9 },
      index: 15, points: 15, isMirrored: false),
    Case(
      rule: .nelson8, values: [0.2, 1.1, -1.1, 1.2, -1.4, 1.3, -1.2, 1.1, 1.4], index: 8, points: 8,
      isMirrored: false),
    Case(rule: .westernElectric1, values: [2.9, 3.1], index: 1, points: 1),
    Case(rule: .westernElectric2, values: [2.5, 1, 2.5], index: 2, points: 2),
    Case(rule: .westernElectric3, values: [0, 1.1, 1.1, 1.1, 1.1], index: 4, points: 4),
    Case(
      rule: .westernElectric4, values: [-0.1] + [Double](repeating: 0.1, count: 8), index: 8,
      points: 8),
  ]

  @Test("A rule fires at the point that completes its pattern, not before", arguments: cases)
  func exact(_ example: Case) {
    let signals = Self.signals(example.rule, example.values)
    #expect(signals.map { $0.points.last?.index } == [example.index])
    #expect(signals.first?.points.count == example.points)
    #expect(signals.first?.isContinued == false)
    #expect(Self.signals(example.rule, Array(example.values.dropLast())).isEmpty)
    let turned = Self.signals(example.rule, example.values.map { -$0 })
    #expect(turned.map { $0.points.last?.index } == [example.index])
    if example.isMirrored {
      #expect(signals.first?.side == .upper && turned.first?.side == .lower)
      #expect(signals.first?.sentence != turned.first?.sentence)
    } else {
      #expect(signals.first?.side == .both && turned.first?.side == .both)
    }
  }

  @Test("Near misses do not fire")
  func nearMisses() {
    #expect(Self.fires(.nelson1, [3, -3]) == [])
    #expect(Self.fires(.nelson2, [0.5, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0.5, 0.5]) == [])
    #expect(Self.fires(.nelson3, [0, 0.1, 0.2, 0.2, 0.3, 0.4, 0.5]) == [])
    #expect(Self.fires(.nelson5, [2.5, -2.5, 1]) == [])
    #expect(Self.fires(.nelson5, [2.5, 1, 1, 2.5]) == [])
    #expect(Self.fires(.nelson6, [1.5, 1.5, 1.5, 0, 0, 1.5]) == [])
    #expect(Self.fires(.nelson7, (0..<20).map { $0 % 14 == 0 ? 1 : 0.5 }) == [])
    #expect(Self.fires(.nelson8, [Double](repeating: 1.5, count: 12)) == [])
  }

  @Test("A pattern that lasts is told again, marked as continued; after a break it is news")
  func continued() {
    let values = [Double](repeating: 0.5, count: 11) + [-0.5] + [Double](repeating: 0.5, count: 9)
    let signals = Self.signals(.nelson2, values)
    #expect(signals.map { $0.points.last?.index } == [8, 9, 10, 20])
    #expect(signals.map(\.isContinued) == [false, true, true, false])
  }

  @Test("A rule that is off is silent; names lead back to rules")
  func switches() {
    #expect(Self.fires(.nelson2, [9, 9]) == [])
    for rule in RunRule.allCases {
      #expect(RunRule(name: rule.name) == rule)
      #expect(RunRules([rule]).list == [rule])
    }
    #expect(RunRules.nelson.list.map(\.name).last == "nelson_8")
    #expect(RunRules.westernElectric.list.map(\.name).first == "western_electric_1")
  }

  /// The rules read from the array, without windows or state.
  static func naive(_ rule: RunRule, _ z: [Double]) -> [Int] {
    func last(_ i: Int, _ n: Int) -> [Double]? { i + 1 >= n ? Array(z[(i + 1 - n)...i]) : nil }
    func zone(_ i: Int, _ needed: Int, _ n: Int, _ edge: Double) -> Bool {
      let part = z[max(0, i + 1 - n)...i]
      return [1.0, -1.0].contains { sign in
        sign * z[i] > edge && part.count { sign * $0 > edge } >= needed
      }
    }
    func oneSide(_ i: Int, _ n: Int) -> Bool {
      guard let p = last(i, n) else { return false }
      return p.allSatisfy { $0 > 0 } || p.allSatisfy { $0 < 0 }
    }
    func holds(_ i: Int) -> Bool {
      switch rule {
      case .nelson1, .westernElectric1: return abs(z[i]) > 3
      case .nelson2: return oneSide(i, 9)
      case .westernElectric4: return oneSide(i, 8)
      case .nelson3:
        guard let p = last(i, 6) else { return false }
        let pairs = Array(zip(p, p.dropFirst()))
        return pairs.allSatisfy { $0.0 < $0.1 } || pairs.allSatisfy { $0.0 > $0.1 }
      case .nelson4:
        guard let p = last(i, 14) else { return false }
        let steps: [Double] = zip(p, p.dropFirst()).map { $0.1 - $0.0 }
        return zip(steps, steps.dropFirst()).allSatisfy { $0.0 * $0.1 < 0 }
      case .nelson5, .westernElectric2: return zone(i, 2, 3, 2)
      case .nelson6, .westernElectric3: return zone(i, 4, 5, 1)
      case .nelson7: return last(i, 15)?.allSatisfy { abs($0) < 1 } ?? false
      case .nelson8:
        guard let p = last(i, 8), p.allSatisfy({ abs($0) > 1 }) else { return false }
        return p.contains { $0 > 0 } && p.contains { $0 < 0 }
      }
    }
    return z.indices.filter(holds)
  }

  @Test("On random walks each rule fires where a plain reading of it says")
  func againstNaive() {
    var random = SeededGenerator(seed: 7)
    var fired = 0
    for round in 0..<60 {
      // Different spreads and drifts make every rule fire somewhere.
      let scale = [0.3, 1, 2, 3][round % 4]
      var drift = 0.0
      var values: [Double] = []
      for index in 0..<80 {
        let step = Double.random(in: -0.4...0.4, using: &random)
        let noise = Double.random(in: -1...1, using: &random)
        let zigzag = index.isMultiple(of: 2) ? 1.6 : -1.6
        drift = round % 3 == 0 ? drift * 0.9 + step : 0
        values.append(drift + scale * noise + (round % 5 == 0 ? zigzag : 0))
      }
      for rule in RunRule.allCases {
        let expected = Self.naive(rule, values)
        fired += expected.count
        #expect(Self.fires(rule, values) == expected, "\(rule), round \(round)")
      }
    }
    #expect(fired > 500)
  }

  @Test("Stopped anywhere and restored, a stream says the same, bit by bit", arguments: ChartType.allCases)
  func restored(_ type: ChartType) throws {
    var random = SeededGenerator(seed: 11)
    let size = type == .individuals ? 1 : 4
    let groups = (0..<90).map { index in
      type.isAttribute
        ? Subgroup(
          time: ControlChartTests.moment(index), count: Int.random(in: 0...9, using: &random),
          inspected: 50)
        : Subgroup(
          time: ControlChartTests.moment(index),
          values: (0..<size).map { _ in
            Double.random(in: -1...1, using: &random) + (index > 60 ? 0.8 : 0)
          })
    }
    let settings = ChartSettings(type, baseline: .first(20))
    var whole = ChartState(id: "x", settings: settings)
    var parts = whole
    var found = 0
    for group in groups {
      let expected = try whole.observe(group)
      let bytes = Self.bytes(parts)
      parts = try bytes.withUnsafeBytes { raw in
        var reader = ByteReader(raw)
        let state = try ChartState(from: &reader)
        #expect(reader.remaining == 0)
        return state
      }
      #expect(try parts.observe(group) == expected)
      #expect(Self.bytes(parts) == Self.bytes(whole))
      found += expected.count
    }
    #expect(ControlChart(id: "x", settings: settings, subgroups: groups).findings.count == found)
    if !type.isAttribute { #expect(found > 0) }
    let bytes = Self.bytes(whole)
    for length in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: ByteReader.Truncated.self) {
        try bytes[..<length].withUnsafeBytes { raw in
          var reader = ByteReader(raw)
          _ = try ChartState(from: &reader)
        }
      }
    }
  }

  static func bytes(_ state: ChartState) -> [UInt8] {
    var writer = ByteWriter()
    state.encode(into: &writer)
    return Array(writer.bytes)
  }
}
