import Operations
import Telemetry
import Testing

@Suite struct LineTests {
  /// Three machines of 30, 60 and 40 s a part in one shift; `m2` is down for an hour and starves `m3` meanwhile.
  private static func machines() throws -> [(Bench, String)] {
    let cycles = ["m1": "30 s", "m2": "60 s", "m3": "40 s"]
    let changes: [String: [(Timestamp, MachineState)]] = [
      "m1": [
        (at(5), .running), (at(8), .blocked), (at(9), .running), (at(12), .blocked),
        (at(13), .running),
      ],
      "m2": [(at(5), .running), (at(8), .unplannedStop), (at(9), .running)],
      "m3": [
        (at(5), .running), (at(8), .starved), (at(9), .running), (at(12), .starved),
        (at(13), .running),
      ],
    ]
    return try ["m1", "m2", "m3"].map { id in
      var bench = Bench(try #require(changes[id]))
      bench.machine.id = id
      bench.machine.device = id
      bench.machine.idealCycle = IdealCycle(try #require(cycles[id]))
      let made: Double = id == "m1" ? 390 : id == "m2" ? 380 : 370
      bench.count([(at(14), made, made - 5)])
      return (bench, id)
    }
  }

  private static func line(_ constraint: String?, _ products: [Product] = []) throws -> LineResult {
    let machines = try machines().map {
      LineResult.Machine(definition: $0.0.machine, result: $0.0.ledger.result(over: early))
    }
    return LineResult(
      line: LineDefinition(id: "line1", machines: ["m1", "m2", "m3"], constraint: constraint),
      machines: machines, products: products)
  }

  @Test("The OEE of a line is its last machine's good parts at the pace of the declared constraint")
  func declared() throws {
    let line = try Self.line("m2")
    // 365 good × 60 s / 450 min.
    #expect(line.oee.value == 365.0 / 450)
    #expect(line.constraint == "m2" && line.isConstraintDeclared)
    #expect(line.warnings.isEmpty)
    #expect(line.scrapParts == Fraction(20))
    #expect(line.scrapRatio.value == 20.0 / 385)
    #expect(line.rule.contains("declared constraint `m2`"))
  }

  @Test(
    "Without a declared constraint the largest ideal cycle per product counts, and the answer says so"
  )
  func undeclared() throws {
    let line = try Self.line(nil)
    #expect(line.oee.value == 365.0 / 450)
    #expect(line.constraint == "m2" && !line.isConstraintDeclared)
    #expect(line.warnings.map(\.code) == ["constraint_not_declared"])
    #expect(line.json()["constraint_declared"] == .bool(false))
  }

  @Test("The mean of the machines is a figure of its own, weighted by planned time through sums")
  func weighted() throws {
    let line = try Self.line("m2")
    let productive = 385.0 * 30 + 375 * 60 + 365 * 40
    let oee = try #require(line.weighted.first { $0.name == "oee" })
    #expect(oee.value == productive / (3 * 27_000))
    let availability = try #require(line.weighted.first { $0.name == "availability" })
    #expect(availability.value == 1_050.0 / 1_350)
    #expect(line.json()["machines_weighted"]?["oee"]?["value"] == .double(productive / 81_000))
    #expect(line.json()["oee"] == .double(365.0 / 450))
  }

  @Test(
    "A loss costs the line what it costs the constraint; of any other machine it costs the line nothing"
  )
  func worth() throws {
    let worth = try Self.line("m2").worth
    let breakdown = try #require(worth.first)
    #expect(breakdown.machine == "m2" && breakdown.loss == "breakdowns")
    #expect(breakdown.linePoints == 60.0 / 450 && breakdown.linePartsPerShift == 60)
    #expect(breakdown.machinePartsPerShift == 60)
    let blocked = try #require(worth.first { $0.machine == "m1" && $0.loss == "blocked" })
    #expect(blocked.machinePoints == 120.0 / 450 && blocked.machinePartsPerShift == 240)
    #expect(blocked.linePoints == 0 && blocked.linePartsPerShift == 0)
    #expect(worth.allSatisfy { $0.machine == "m2" || $0.linePoints == 0 })
    #expect(breakdown.json["basis"] == .string("observed_not_tried"))
  }

  @Test("Machines of the line that nothing is known of are told")
  func absent() throws {
    let line = LineResult(
      line: LineDefinition(id: "line1", machines: ["m1", "m9"], constraint: "m9"), machines: [],
      products: [])
    #expect(line.oee.value == nil)
    #expect(line.warnings.map(\.code) == ["machine_without_figures", "machine_without_figures"])
  }

  @Test("Both methods find the machine that blocks what is before it and starves what is behind it")
  func bottleneck() throws {
    let timelines = try Self.machines().map { ($0.1, $0.0.ledger.timeline) }
    let found = Bottleneck(timelines, within: SpanSet(early))
    #expect(found.machine == "m2")
    #expect(found.turningPoints == ["m2"])
    #expect(found.shares[0].blocked == minutes(120) && found.shares[2].starved == minutes(120))
    let total = found.shares.reduce(0) { $0 + $1.sole + $1.shifting }
    #expect(total == minutes(450))
  }

  @Test("The momentary bottleneck is the longest active period, and shifts while two overlap")
  func shifting() {
    func timeline(_ active: Span) -> StateTimeline {
      StateTimeline(
        states: [
          StateSample(time: at(6), state: .starved),
          StateSample(time: active.from, state: .running),
          StateSample(time: active.to, state: .starved),
        ], timeoutMicroseconds: .max, over: early)
    }
    // a: 06:30–09:30 (3 h), b: 08:30–12:30 (4 h): b is it from 08:30; until 09:30 it shifts.
    let found = Bottleneck(
      [
        ("a", timeline(Span(at(6, 30)..<at(9, 30)))), ("b", timeline(Span(at(8, 30)..<at(12, 30)))),
      ],
      within: SpanSet(early))
    #expect(found.machine == "b")
    #expect(found.shares.map(\.sole) == [minutes(120), minutes(180)])
    #expect(found.shares.map(\.shifting) == [0, minutes(60)])
    let silent = Bottleneck([("a", Bench().ledger.timeline)], within: SpanSet(early))
    #expect(silent.machine == nil && silent.turningPoints == [])
  }
}

@Suite struct ObservedSettingsTests {
  private static let speed = SettingDefinition(name: "speed", range: 50...100, step: 5, current: 80)

  private static func observations(_ value: Double, _ outcomes: [Double]) -> [SettingObservation] {
    outcomes.map {
      SettingObservation(product: "a", setting: "speed", value: value, outcome: $0)
    }
  }

  @Test("The 95 % interval of a mean is Student's: 10, 12, 14 gives 12 ± 4.97")
  func interval() throws {
    let mean = ObservedMean([10, 12, 14])
    #expect(mean.mean == 12 && mean.deviation == 2)
    let interval = try #require(mean.interval)
    // t(2) = 4.303; 4.303 × 2/√3.
    #expect((interval.upperBound - 16.9687).magnitude < 0.0005)
    #expect(ObservedMean([1]).interval == nil)
    // The tables print t(60) = 2.000 and t(120) = 1.980.
    for (count, quantile) in [(61, 2.0003), (121, 1.9799)] {
      let alternating = ObservedMean((0..<count).map { Double($0 % 2) })
      let half = ((alternating.interval?.upperBound ?? 0) - alternating.mean)
      let found = half * Double(count).squareRoot() / alternating.deviation
      #expect((found - quantile).magnitude < 0.001)
    }
  }

  @Test(
    "A better setting inside the range is suggested with its interval, labelled as observed and not tried"
  )
  func suggested() throws {
    let found = ObservedSettings(
      Self.observations(80, [40, 41, 39, 40, 42]) + Self.observations(90, [48, 50, 49, 51, 47])
        + Self.observations(120, [90, 90, 90, 90, 90]), product: "a", of: Self.speed)
    let suggestion = try #require(found.suggestion)
    #expect(suggestion.value == 90 && (suggestion.gain - 8.6).magnitude < 1e-12)
    #expect(suggestion.gainInterval.lowerBound > 0)
    #expect(found.groups.map(\.value) == [80, 90])
    #expect(found.json["basis"] == .string("observed_not_tried"))
    #expect(found.json["best"]?["n"] == .integer(5))
  }

  @Test("Nothing is suggested on thin evidence, and the reason is given")
  func silent() {
    func reason(_ observations: [SettingObservation], current: Double? = 80) -> String? {
      var setting = Self.speed
      setting.current = current
      let found = ObservedSettings(observations, product: "a", of: setting)
      #expect(found.suggestion == nil)
      return found.noSuggestion
    }
    let now = Self.observations(80, [40, 41, 39, 40, 42])
    #expect(reason([]) == "no setting was observed 5 times")
    #expect(reason(now) == "what is set now is the best that was observed")
    #expect(
      reason(now + Self.observations(90, [60, 61, 62, 63]))
        == "what is set now is the best that was observed")
    #expect(
      reason(now + Self.observations(90, [35, 48, 39, 42, 44]))
        == "the advantage over what is set now may be chance")
    #expect(reason(now, current: 55) == "what is set now was not observed 5 times")
    #expect(reason(now, current: nil) == "what is set now was not observed 5 times")
  }
}
