import Operations
import Telemetry
import Testing

@Suite struct SamplingTests {
  @Test("Code letters of level II are those of the table, at both ends of every row")
  func letters() {
    let rows: [(Int, String?)] = [
      (1, nil), (2, "A"), (8, "A"), (9, "B"), (50, "D"), (51, "E"), (500, "H"), (501, "J"),
      (1_200, "J"), (3_200, "K"), (10_000, "L"), (10_001, "M"), (500_001, "Q"),
    ]
    for (lot, letter) in rows { #expect(SamplingTable.codeLetter(lot: lot) == letter) }
  }

  @Test("Plans are those of the tables, and arrows lead to the plan they point at")
  func plans() {
    func plan(_ letter: String, _ aql: Double, _ severity: InspectionSeverity = .normal) -> [Int]? {
      SamplingTable.plan(letter: letter, aql: aql, severity: severity).map {
        [$0.sampleSize, $0.acceptance, $0.rejection]
      }
    }
    #expect(plan("J", 1.0) == [80, 2, 3])
    #expect(plan("K", 2.5) == [125, 7, 8])
    #expect(plan("L", 0.65) == [200, 3, 4])
    #expect(plan("J", 1.0, .tightened) == [80, 1, 2])
    #expect(plan("F", 1.0) == [13, 0, 1])
    #expect(plan("G", 1.0) == [50, 1, 2])
    #expect(plan("D", 4.0) == [13, 1, 2])
    #expect(plan("D", 2.5) == [5, 0, 1])
    #expect(plan("A", 0.65) == [20, 0, 1])
    #expect(plan("J", 1.0, .reduced) == nil)
    #expect(plan("J", 1.2) == nil && plan("Q", 1.0) == nil)
  }

  @Test("Tightened inspection never accepts more readily than normal inspection")
  func severities() {
    for letter in SamplingTable.letters {
      for aql in SamplingTable.acceptableQualityLevels {
        guard let normal = SamplingTable.plan(letter: letter, aql: aql),
          let tightened = SamplingTable.plan(letter: letter, aql: aql, severity: .tightened)
        else { continue }
        let p = aql / 100
        #expect(
          tightened.acceptanceProbability(processShare: p)
            <= normal.acceptanceProbability(processShare: p), "\(letter) \(aql)")
        // A process at its AQL is mostly accepted: that is what the level promises.
        #expect(normal.acceptanceProbability(processShare: p) > 0.85, "\(letter) \(aql)")
      }
    }
  }

  @Test("The operating characteristic falls from one to zero; lots are counted without replacement")
  func characteristic() throws {
    let plan = try #require(SamplingPlan(sampleSize: 50, acceptance: 2))
    #expect(abs(plan.acceptanceProbability(processShare: 0.02) - 0.92157) < 0.00001)
    #expect(plan.acceptanceProbability(processShare: 0) == 1)
    let lot = try #require(SamplingPlan(sampleSize: 20, acceptance: 1))
    #expect(abs(lot.acceptanceProbability(lot: 200, defectives: 10) - 0.73717) < 0.00001)
    #expect(lot.acceptanceProbability(lot: 10, defectives: 1) == 1)
    #expect(lot.acceptanceProbability(lot: 10, defectives: 2) == 0)
    #expect(SamplingPlan(sampleSize: 5, acceptance: 5) == nil)
  }

  private func lots(_ pattern: String, _ state: inout SwitchingState) throws -> [String?] {
    let plan = try #require(SamplingPlan(sampleSize: 80, acceptance: 2))
    return pattern.map {
      state.observe(
        SwitchingState.Lot(plan: plan, nonconforming: $0 == "a" ? 0 : 3, tighterAcceptance: 1))
    }
  }

  @Test("Two rejected of five tighten, two of six do not; five accepted in a row relax")
  func switching() throws {
    var state = SwitchingState()
    #expect(try lots("raaaar", &state).compactMap { $0 } == [])
    #expect(state.severity == .normal)
    #expect(try lots("r", &state).compactMap { $0 }.count == 1)
    #expect(state.severity == .tightened)
    _ = try lots("aaaaraaaa", &state)
    #expect(state.severity == .tightened)
    _ = try lots("a", &state)
    #expect(state.severity == .normal)
  }

  @Test("Ten lots accepted with room to spare reach reduced inspection where it is wanted; one rejected ends it")
  func reduced() throws {
    var unwanted = SwitchingState()
    _ = try lots("aaaaaaaaaaaaaaa", &unwanted)
    #expect(unwanted.severity == .normal && unwanted.score == 45)
    var state = SwitchingState(allowsReduced: true)
    _ = try lots("aaaaaaaaa", &state)
    #expect(state.severity == .normal && state.score == 27)
    _ = try lots("a", &state)
    #expect(state.severity == .reduced)
    _ = try lots("r", &state)
    #expect(state.severity == .normal && state.score == 0)
    // Accepted, but not with the tighter plan: the score starts anew.
    let plan = try #require(SamplingPlan(sampleSize: 80, acceptance: 2))
    _ = try lots("aaa", &state)
    _ = state.observe(SwitchingState.Lot(plan: plan, nonconforming: 2, tighterAcceptance: 1))
    #expect(state.score == 0)
  }

  @Test("Five lots rejected in all on tightened inspection stop acceptance until it is resumed")
  func discontinued() throws {
    var state = SwitchingState()
    _ = try lots("rr", &state)
    _ = try lots("rararar", &state)
    #expect(!state.isDiscontinued)
    _ = try lots("r", &state)
    #expect(state.isDiscontinued)
    var writer = ByteWriter()
    state.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    let restored = try SwitchingState(from: &reader)
    #expect(restored == state)
    state.resume()
    #expect(state.severity == .tightened && !state.isDiscontinued)
  }

  @Test("Yields multiply along the steps, defects are ranked, opportunities are counted")
  func yields() throws {
    let steps = try [(100, 95), (100, 90), (50, 49)].map {
      try #require(ProcessStep(name: "s", units: $0.0, firstPass: $0.1))
    }
    #expect(abs((YieldFigures.rolledThroughput(steps) ?? 0) - 0.8379) < 1e-12)
    #expect(ProcessStep(name: "s", units: 5, firstPass: 6) == nil)
    #expect(YieldFigures.rolledThroughput([]) == nil)
    #expect(YieldFigures.dpmo(defects: 150, units: 1_000, opportunitiesPerUnit: 5) == 30_000)
    #expect(YieldFigures.dpmo(defects: 1, units: 0, opportunitiesPerUnit: 5) == nil)
    #expect(abs(YieldFigures.throughputYield(defectsPerUnit: 1) - 0.367879) < 1e-6)
    let pareto = DefectPareto(
      [("dent", 2), ("scratch", 5), ("burr", 2), ("dent", 1), ("none", 0)].map {
        DefectCount(code: $0.0, count: $0.1)
      })
    #expect(pareto.total == 10)
    #expect(pareto.rows.map(\.code) == ["scratch", "dent", "burr"])
    #expect(pareto.rows.map(\.count) == [5, 3, 2])
    #expect(pareto.rows.map(\.cumulativeShare) == [0.5, 0.8, 1])
  }
}
