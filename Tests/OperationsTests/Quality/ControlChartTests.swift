import Operations
import Telemetry
import Testing

/// Charts against published factors and examples.
@Suite struct ControlChartTests {
  static func moment(_ index: Int) -> Timestamp {
    Timestamp(microseconds: 1_795_248_000_000_000 + Int64(index) * 60_000_000)
  }

  static func groups(_ values: [[Double]]) -> [Subgroup] {
    values.enumerated().map { Subgroup(time: moment($0), values: $1) }
  }

  static func singles(_ values: [Double]) -> [Subgroup] { groups(values.map { [$0] }) }

  /// The printed factors, by size: A2, A3, B3, B4, D3, D4, c4, d2, E2 (Montgomery, appendix VI).
  static let factors: [(Int, [Double])] = [
    (2, [1.880, 2.659, 0, 3.267, 0, 3.267, 0.7979, 1.128, 2.660]),
    (3, [1.023, 1.954, 0, 2.568, 0, 2.574, 0.8862, 1.693, 1.772]),
    (4, [0.729, 1.628, 0, 2.266, 0, 2.282, 0.9213, 2.059, 1.457]),
    (5, [0.577, 1.427, 0, 2.089, 0, 2.114, 0.9400, 2.326, 1.290]),
    (6, [0.483, 1.287, 0.030, 1.970, 0, 2.004, 0.9515, 2.534, 1.184]),
    (7, [0.419, 1.182, 0.118, 1.882, 0.076, 1.924, 0.9594, 2.704, 1.109]),
    (10, [0.308, 0.975, 0.284, 1.716, 0.223, 1.777, 0.9727, 3.078, 0.975]),
    (15, [0.223, 0.789, 0.428, 1.572, 0.347, 1.653, 0.9823, 3.472, 0.864]),
    (25, [0.153, 0.606, 0.565, 1.435, 0.459, 1.541, 0.9896, 3.931, 0.763]),
  ]

  @Test("The factors of subgroups are those printed in the tables", arguments: factors)
  func constants(size: Int, printed: [Double]) throws {
    let k = try #require(ChartConstants(size: size))
    let ours = [k.a2, k.a3, k.b3, k.b4, k.lowerRange, k.upperRange, k.c4, k.d2, k.e2]
    for (index, value) in ours.enumerated() {
      // A unit of the last digit, since printed factors were made from rounded ones: E2 at 2 is 3 / 1.128.
      let tolerance = index == 6 ? 0.00006 : 0.0014
      #expect(abs(value - printed[index]) < tolerance, "\(index)")
    }
  }

  @Test("Sizes beyond the table have no factors")
  func sizes() {
    #expect(ChartConstants(size: 1) == nil && ChartConstants(size: 26) == nil)
  }

  @Test("Limits of means and ranges follow from A2, D3 and D4 times the mean range")
  func xbarR() throws {
    let groups = Self.groups([[10, 12, 11, 13, 14], [9, 13, 12, 11, 10], [11, 12, 13, 12, 12]])
    var settings = ChartSettings(.xbarR, baseline: .first(3))
    settings.rules = .limitsOnly
    let chart = ControlChart(id: "d", settings: settings, subgroups: groups)
    let mean = (12.0 + 11 + 12) / 3
    let range = (4.0 + 4 + 2) / 3
    let k = try #require(ChartConstants(size: 5))
    let limits = try #require(chart.points[0].limits)
    #expect(abs(limits.center - mean) < 1e-12)
    #expect(abs((limits.upper ?? 0) - (mean + k.a2 * range)) < 1e-9)
    #expect(abs((limits.lower ?? 0) - (mean - k.a2 * range)) < 1e-9)
    let spread = try #require(chart.points[0].spreadLimits)
    #expect(abs(spread.center - range) < 1e-9)
    #expect(spread.lower == nil)
    #expect(abs((spread.upper ?? 0) - k.upperRange * range) < 1e-9)
  }

  @Test("Limits of means and deviations follow from A3, B3 and B4 times the mean deviation")
  func xbarS() throws {
    let groups = Self.groups(
      [[1, 2, 3, 4, 5, 6, 7], [2, 3, 4, 5, 6, 7, 8], [0, 2, 4, 6, 8, 3, 5]])
    let chart = ControlChart(
      id: "d", settings: ChartSettings(.xbarS, baseline: .first(3)), subgroups: groups)
    let s = groups.reduce(0) { $0 + $1.deviation } / 3
    let k = try #require(ChartConstants(size: 7))
    let limits = try #require(chart.points[0].limits)
    #expect(abs((limits.upper ?? 0) - (limits.center + k.a3 * s)) < 1e-9)
    let spread = try #require(chart.points[0].spreadLimits)
    #expect(abs((spread.lower ?? 0) - k.b3 * s) < 1e-9)
    #expect(abs((spread.upper ?? 0) - k.b4 * s) < 1e-9)
  }

  /// NIST/SEMATECH e-Handbook 6.3.2.2: flow rates, MR̄ 1.8778, centre 50.81, limits 55.8041 and 45.8159.
  @Test("Limits of individuals are those of the NIST handbook")
  func individuals() throws {
    let flow = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    let chart = ControlChart(
      id: "flow", settings: ChartSettings(.individuals, baseline: .first(10)),
      subgroups: Self.singles(flow))
    let limits = try #require(chart.points[0].limits)
    #expect(abs(limits.center - 50.81) < 1e-9)
    #expect(abs((limits.upper ?? 0) - 55.8041) < 0.002)
    #expect(abs((limits.lower ?? 0) - 45.8159) < 0.002)
    #expect(chart.points.allSatisfy { !$0.isExcluded })
    #expect(chart.points[0].spread == nil && abs((chart.points[1].spread ?? 0) - 2) < 1e-9)
  }

  /// NIST/SEMATECH e-Handbook 6.3.3.1: 400 defects on 25 wafers: c̄ 16, limits 28 and 4.
  @Test("Limits of counts are those of the NIST handbook")
  func counts() throws {
    let settings = ChartSettings(.c, baseline: .declared(ChartParameters(center: 16)))
    let chart = ControlChart(
      id: "wafer", settings: settings,
      subgroups: [28, 29, 4, 3].enumerated().map {
        Subgroup(time: Self.moment($0), count: $1, inspected: 1)
      })
    #expect(chart.points[0].limits?.upper == 28 && chart.points[0].limits?.lower == 4)
    let beyond = chart.findings.filter { $0.cause == .rule(.nelson1) }
    #expect(beyond.map { $0.points[0].index } == [1, 3])
    #expect(beyond.map(\.side) == [.upper, .lower])
  }

  @Test("Limits of shares and of defects per unit follow the size of each sample")
  func varyingSizes() throws {
    let p = ChartParameters(center: 0.1)
    let large = p.locationLimits(.p, size: 400)
    #expect(abs((large.upper ?? 0) - 0.145) < 1e-12 && abs((large.lower ?? 0) - 0.055) < 1e-12)
    let small = p.locationLimits(.p, size: 25)
    #expect(abs((small.upper ?? 0) - 0.28) < 1e-12)
    #expect(small.lower == nil)
    let u = ChartParameters(center: 4).locationLimits(.u, size: 4)
    #expect(u.upper == 7 && u.lower == 1)
    let np = p.locationLimits(.np, size: 100)
    #expect(
      np.center == 10 && abs((np.upper ?? 0) - 19) < 1e-12 && abs((np.lower ?? 0) - 1) < 1e-12)

    let chart = ControlChart(
      id: "p", settings: ChartSettings(.p, rules: .limitsOnly, baseline: .first(2)),
      subgroups: [(10, 100), (30, 300), (28, 100)].enumerated().map {
        Subgroup(time: Self.moment($0), count: $1.0, inspected: $1.1)
      })
    #expect(chart.parameters?.center == 0.1)
    #expect(chart.findings.map(\.points).map { $0.map(\.index) } == [[2]])
  }

  /// NIST/SEMATECH e-Handbook 6.3.2.4: target 50, s 2.0539, λ 0.3: limits 52.5884 and 47.4116.
  @Test("The moving average has the limits of the NIST handbook, and stays within them")
  func ewma() throws {
    var settings = ChartSettings(
      .ewma, baseline: .declared(ChartParameters(center: 50, sigma: 2.0539)))
    settings.lambda = 0.3
    let values = [
      52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8,
      51.2,
      52.6, 52.4, 53.6, 52.1,
    ]
    let chart = ControlChart(id: "e", settings: settings, subgroups: Self.singles(values))
    #expect(abs((chart.points[0].limits?.upper ?? 0) - 52.5884) < 0.0001)
    #expect(abs((chart.points[0].limits?.lower ?? 0) - 47.4116) < 0.0001)
    #expect(
      abs(chart.points[0].value - 50.60) < 0.005 && abs(chart.points[1].value - 49.52) < 0.005)
    #expect(abs(chart.points[19].value - 51.99) < 0.005)
    #expect(chart.findings.isEmpty)
    let raised = ControlChart(
      id: "e", settings: settings, subgroups: Self.singles([Double](repeating: 54, count: 6)))
    // 50 + 4·(1 − 0.7ⁿ) passes 52.5884 at the third value.
    #expect(raised.findings.first?.points[0].index == 2)
    #expect(raised.findings.map(\.isContinued) == [false, true, true, true])
    #expect(raised.findings[0].side == .upper && raised.findings[0].cause == .movingAverage)
  }

  /// NIST/SEMATECH e-Handbook 6.3.2.3: target 325, k 0.3175, h 4.1959: signal at group 14 with 4.94.
  @Test(
    "The cumulative sum signals at the group of the NIST handbook, with the points that made it")
  func cusum() throws {
    var settings = ChartSettings(
      .cusum, baseline: .declared(ChartParameters(center: 325, sigma: 0.635)))
    settings.allowance = 0.5
    settings.decision = 4.1959 / 0.635
    let values = [
      324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600,
      324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350,
    ]
    var state = ChartState(id: "c", settings: settings)
    var first: OutOfControl?
    var sum = 0.0
    for group in Self.singles(values) {
      let findings = try state.observe(group)
      if first == nil, let found = findings.first {
        first = found
        sum = state.cumulativeSums?.upper ?? 0
      }
    }
    let finding = try #require(first)
    #expect(finding.points.last?.index == 13)
    #expect(abs(sum - 4.94) < 0.005)
    #expect(finding.points.map(\.index) == [12, 13])
    #expect(finding.sentence.contains("has run higher than its target since 2 points"))
  }

  @Test("Disturbed subgroups are left out of the baseline, one round after the other, and named")
  func baseline() throws {
    var values = (0..<20).map { 10 + ($0.isMultiple(of: 2) ? 0.5 : -0.5) }
    values[7] = 30
    let chart = ControlChart(
      id: "d", settings: ChartSettings(.individuals, rules: .limitsOnly, baseline: .first(20)),
      subgroups: Self.singles(values))
    #expect(chart.points.filter(\.isExcluded).map(\.index) == [7])
    #expect(chart.findings.map(\.cause) == [.baseline])
    #expect(chart.findings[0].sentence.contains("left out"))
    // The moving ranges into and out of it are gone as well: all others are 1.
    #expect(abs((chart.parameters?.sigma ?? 0) - 1 / 1.128379) < 1e-9)
    #expect(chart.isBaselineStable)
  }

  @Test("A subgroup that cannot be charted is refused and changes nothing")
  func refusals() throws {
    var state = ChartState(
      id: "n", settings: ChartSettings(.np, baseline: .declared(ChartParameters(center: 0.1))))
    _ = try state.observe(Subgroup(time: Self.moment(5), count: 3, inspected: 50))
    let before = state
    #expect(throws: ChartRefusal.sizeChanged(60, from: 50)) {
      try state.observe(Subgroup(time: Self.moment(6), count: 3, inspected: 60))
    }
    #expect(throws: ChartRefusal.moreThanInspected(51, 50)) {
      try state.observe(Subgroup(time: Self.moment(6), count: 51, inspected: 50))
    }
    #expect(throws: ChartRefusal.outOfOrder(Self.moment(4), after: Self.moment(5))) {
      try state.observe(Subgroup(time: Self.moment(4), count: 1, inspected: 50))
    }
    var means = ChartState(id: "x", settings: ChartSettings(.xbarR))
    #expect(throws: ChartRefusal.size(1, allowed: 2...25)) {
      try means.observe(Subgroup(time: Self.moment(0), values: [1]))
    }
    #expect(throws: ChartRefusal.notFinite) {
      try means.observe(Subgroup(time: Self.moment(0), values: [1, .infinity]))
    }
    #expect(state == before)
  }
}
