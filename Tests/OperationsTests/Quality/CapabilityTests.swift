import Operations
import Statistics
import Telemetry
import Testing

@Suite struct CapabilityTests {
  /// NIST/SEMATECH e-Handbook 6.1.6: limits 8 and 20, mean 16, σ 2.
  @Test("Cp and Cpk are those of the NIST handbook")
  func nist() throws {
    let limits = try #require(SpecificationLimits(lower: 8, upper: 20))
    let index = try #require(
      CapabilityIndex(limits: limits, mean: 16, sigma: 2, count: 50, degrees: 49))
    #expect(index.potential == 1)
    #expect(abs(index.actual - 0.6667) < 0.00005)
    #expect(index.upperSide.map { abs($0 - 0.6667) < 0.00005 } == true)
    #expect(index.lowerSide.map { abs($0 - 1.3333) < 0.00005 } == true)
    // Cp·√(χ²(49)/49) at 0.025 and 0.975: 31.5549 and 70.2224.
    let interval = try #require(index.potentialInterval)
    #expect(abs(interval.lower - (31.5549 / 49).squareRoot()) < 1e-5)
    #expect(abs(interval.upper - (70.2224 / 49).squareRoot()) < 1e-5)
    // Bissell: 0.6667 ± 1.96·√(1/450 + 0.4444/98).
    let half = 1.959964 * (1.0 / 450 + 4.0 / 9 / 98).squareRoot()
    #expect(abs(index.actualInterval.lower - (2.0 / 3 - half)) < 1e-6)
    #expect(abs(index.actualInterval.upper - (2.0 / 3 + half)) < 1e-6)
    // Beyond 2σ above and 4σ below: 22,750 and 31.7 parts per million.
    #expect(abs(index.expectedAbovePPM - 22_750.13) < 0.01)
    #expect(abs(index.expectedBelowPPM - 31.671) < 0.001)
  }

  @Test("With one limit there is no Cp, and Cpk is of that side")
  func oneSided() throws {
    let limits = try #require(SpecificationLimits(upper: 10))
    let index = try #require(
      CapabilityIndex(limits: limits, mean: 4, sigma: 1, count: 30, degrees: 29))
    #expect(index.potential == nil && index.potentialInterval == nil)
    #expect(index.actual == 2 && index.lowerSide == nil && index.expectedBelowPPM == 0)
    #expect(SpecificationLimits(lower: 5, upper: 5) == nil)
  }

  @Test("Within subgroups σ is the mean range over d2; overall it is that of all values")
  func study() throws {
    // Means wander between subgroups, so the process did worse than it could.
    let groups = (0..<20).map { group in
      [-1.0, 0, 1].map { $0 + (group.isMultiple(of: 2) ? 3 : -3) }
    }
    let limits = try #require(SpecificationLimits(lower: -12, upper: 12))
    let study = try CapabilityStudy(subgroups: groups, limits: limits)
    #expect(study.estimate == .range && study.count == 60)
    #expect(abs((study.within?.sigma ?? 0) - 2 / 1.692569) < 1e-9)
    let overall = (20.0 * (16 + 9 + 4) / 59).squareRoot()
    #expect(abs(study.overall.sigma - overall) < 1e-9)
    #expect((study.within?.actual ?? 0) > 2 * study.overall.actual)
    #expect(study.warnings.contains(.notNormal) && !study.warnings.contains(.fewValues))
    let byDeviation = try CapabilityStudy(subgroups: groups, limits: limits, estimate: .deviation)
    #expect(abs((byDeviation.within?.sigma ?? 0) - 1 / 0.886227) < 1e-5)
    let json = study.json(characteristic: "d", unit: "mm")
    #expect(json["within"]?["cpk"] != nil && json["overall"]?["ppk"] != nil)
  }

  @Test("Single values are compared by moving ranges over 1.128")
  func movingRanges() throws {
    let limits = try #require(SpecificationLimits(lower: 0, upper: 10))
    let study = try CapabilityStudy(subgroups: [[4], [6], [5], [4]], limits: limits)
    #expect(study.estimate == .movingRange)
    #expect(abs((study.within?.sigma ?? 0) - (2 + 1 + 1) / 3.0 / 1.128379) < 1e-12)
    #expect(study.warnings == [.fewValues] && study.normality == nil)
  }

  @Test("What has no capability says why")
  func refusals() throws {
    let limits = try #require(SpecificationLimits(upper: 10))
    #expect(throws: CapabilityStudy.Refusal.noLimits) {
      try CapabilityStudy(subgroups: [[1, 2]], limits: .none)
    }
    #expect(throws: CapabilityStudy.Refusal.tooFewValues(1)) {
      try CapabilityStudy(subgroups: [[1]], limits: limits)
    }
    #expect(throws: CapabilityStudy.Refusal.noSpread) {
      try CapabilityStudy(subgroups: [[1, 1], [1, 1]], limits: limits)
    }
  }
}
