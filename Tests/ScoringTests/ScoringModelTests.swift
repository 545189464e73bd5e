import Statistics
import Telemetry
import Testing

@testable import Scoring

#if canImport(Glibc)
  import Glibc
#endif

/// A model of each kind, over features a and b (a Weibull has the age alone).
enum SampleModels {
  static let reference = ModelReference(
    name: "sample", version: 3, trainedAt: Timestamp(microseconds: 1_700_000_000_000_000))

  static func trees() -> TreeEnsemble {
    var trees = TreeEnsemble(featureCount: 2, base: 0.3)
    for step in 0..<5 {
      let nodes: [TreeEnsemble.Node] = [
        .split(
          feature: step % 2, threshold: Float(step) - 2, missingGoesLeft: true, left: 1, right: 2,
          cover: 10),
        .leaf(value: -0.7, cover: 4),
        .split(feature: 1, threshold: 0.5, missingGoesLeft: false, left: 3, right: 4, cover: 6),
        .leaf(value: 0.4, cover: 1), .leaf(value: 1.3, cover: 5),
      ]
      do { try trees.append(tree: nodes) } catch { Issue.record(error) }
    }
    return trees
  }

  static let linear = LinearModel(base: -1.5, weights: [0.8, -0.3], means: [1, 2])
  static let probability = ScoringModel.Output.probability(
    horizon: Horizon(name: "7d", seconds: 604_800, usage: 168),
    calibration: PlattScaling(slope: 0.7, offset: -0.4))
  static let life = ScoringModel.Output.remainingLife(unit: "cycle", limit: 125, intervals: nil)

  static func model(_ kind: ScoringModel.Kind, _ output: ScoringModel.Output) -> ScoringModel {
    var features = [Feature("a", unit: "mm/s"), Feature("b")]
    if case .weibull = kind { features = [Feature("age", unit: "h")] }
    return ScoringModel(reference: reference, features: features, kind: kind, output: output)
  }

  static var all: [ScoringModel] {
    let hazard = HazardModel(logit: linear, period: 24, ageFeature: 0)
    return [
      model(.trees(trees()), probability), model(.trees(trees()), life),
      model(.ridge(LinearModel(base: 60, weights: [40, -9], means: [1, 2])), life),
      model(.logistic(linear), probability),
      model(.weibull(Weibull(shape: 2.5, scale: 4_000)), probability),
      model(
        .weibull(Weibull(shape: 2.5, scale: 4_000)),
        .remainingLife(unit: "h", limit: nil, intervals: nil)),
      model(.hazard(hazard), probability),
    ]
  }
}

@Suite struct ScoringModelTests {
  static let rows: [[Double]] = [
    [0, 0], [1, 2], [-4, 7.5], [3, .nan], [.nan, .nan], [5, -3], [30, 30], [-50, 0],
  ]

  @Test(
    "Contributions sum to the margin less the base's, for every kind", arguments: SampleModels.all)
  func additive(_ model: ScoringModel) throws {
    for row in Self.rows {
      let used = model.features.count == 1 ? [row[0].magnitude * 100] : row
      let score = model.score(entity: "press1", row: used, at: .epoch)
      let sum = score.contributions.reduce(0) { $0 + $1.amount }
      let wanted = score.margin - score.baseMargin
      #expect((sum - wanted).magnitude < 1e-9 * max(1, score.margin.magnitude), "\(row)")
      let value = try #require(score.value)
      switch score.scale {
      case .logit: #expect((Logistic.logit(value) - score.margin).magnitude < 1e-9)
      case .remainingLife: #expect(value == score.margin)
      case .cumulativeHazard:
        #expect((1 - exp(-score.margin) - value).magnitude < 1e-12)
      case .none: Issue.record("a model that scores has a scale")
      }
    }
  }

  @Test("Every kind survives being written and read", arguments: SampleModels.all)
  func coding(_ model: ScoringModel) throws {
    #expect(
      try restored({ model.encode(into: &$0) }, { try ScoringModel(from: &$0) }) == model)
    var writer = ByteWriter()
    model.encode(into: &writer)
    for length in 0..<writer.count {
      var cut = ByteReader(UnsafeRawBufferPointer(rebasing: writer.bytes[..<length]))
      #expect(throws: ByteReader.Truncated.self) { try ScoringModel(from: &cut) }
    }
  }

  @Test("A remaining life stays between nothing and the limit, and says what that took away")
  func limited() throws {
    let model = SampleModels.all[2]
    let high = model.score(entity: "e", row: [10, 2], at: .epoch)
    #expect(high.value == 125)
    #expect(high.contributions.last?.feature == "limit")
    #expect(high.contributions.last?.amount == -295.0)
    #expect(model.score(entity: "e", row: [-9, 2], at: .epoch).value == 0)
    #expect(high.scaled(by: 0.5, unit: "h").value == 62.5)
    #expect(high.strongest(1)[0].feature == "a")
  }

  @Test("The interval is bounded as the life is, and holds its prediction's errors")
  func interval() throws {
    let intervals = try ConformalIntervals(
      predictions: (0..<100).map { Double($0) }, truths: (0..<100).map { Double($0 + $0 % 2 * 40) },
      level: 0.9)
    let model = SampleModels.model(
      .ridge(LinearModel(base: 60, weights: [1, 0], means: [0, 0])),
      .remainingLife(unit: "cycle", limit: 125, intervals: intervals))
    #expect(model.score(entity: "e", row: [0, 0], at: .epoch).interval == 60...100)
    #expect(model.score(entity: "e", row: [50, 0], at: .epoch).interval == 110...125)
  }

  @Test("A Weibull's failure probability over a horizon is the conditional one")
  func weibull() throws {
    let weibull = Weibull(shape: 2.5, scale: 4_000)
    let model = SampleModels.all[4]
    let week = Horizon(name: "7d", seconds: 604_800, usage: 168)
    let score = model.score(entity: "e", row: [3_000], at: .epoch, horizon: week)
    let wanted = 1 - weibull.survival(at: 3_168) / weibull.survival(at: 3_000)
    #expect((try #require(score.value) - wanted).magnitude < 1e-12)
    #expect(score.name == "failure_7d" && score.scale == .cumulativeHazard)
  }

  @Test("A hazard rises with its horizon and is the sum of its periods")
  func hazard() throws {
    let model = HazardModel(logit: SampleModels.linear, period: 24, ageFeature: nil)
    let day = model.cumulative([2, 1], horizon: 24)
    #expect((model.cumulative([2, 1], horizon: 240).value - 10 * day.value).magnitude < 1e-12)
    #expect(day.value == Logistic.softplus(SampleModels.linear.value([2, 1])))
    #expect(model.cumulative([1, 2], horizon: 24).parts == [0, 0])
  }
}

@Suite struct ModelRegistryTests {
  @Test("The newest version is current; a version is never written over")
  func versions() throws {
    var registry = ModelRegistry()
    var model = SampleModels.all[0]
    for version in [2, 1, 3] {
      model.reference.version = version
      try registry.add(model)
    }
    var other = SampleModels.all[3]
    other.reference.name = "another"
    try registry.add(other)
    #expect(registry.models.map(\.reference.version) == [3, 1, 2, 3])
    #expect(registry.current("sample")?.reference.version == 3)
    #expect(registry.nextVersion(of: "sample") == 4 && registry.nextVersion(of: "new") == 1)
    try registry.add(model)
    other.reference = model.reference
    #expect(throws: ModelRegistry.Refusal.versionExists(name: "sample", version: 3)) {
      try registry.add(other)
    }
    #expect(
      try restored({ registry.encode(into: &$0) }, { try ModelRegistry(from: &$0) }) == registry)
    registry.keepNewest(1)
    #expect(registry.models.map(\.reference.name) == ["another", "sample"])
    #expect(registry.model(named: "sample", version: 2) == nil)
  }
}
