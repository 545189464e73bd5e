import Scoring
import Statistics
import Telemetry
import TestSupport
import Testing

@testable import Training

/// Seeded rows with a rule that trees can learn; every seventh number is missing.
struct ToyRows {
  var rows = Matrix(columnCount: 5)
  var labels: [Double] = []

  init(count: Int, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for index in 0..<count {
      var row = (0..<5).map { _ in Double.random(in: -2...2, using: &random) }
      labels.append(
        3 * row[0] + (row[1] > 0.3 ? 5 : 0) * row[2] + Double.random(in: -0.1...0.1, using: &random)
      )
      if index % 7 == 0 { row[index % 5] = .nan }
      rows.append(row)
    }
  }
}

let hasXGBoost = (try? BoostedTrees.requireLibrary()) != nil

@Suite(.enabled(if: hasXGBoost, "libxgboost0 is not installed: apt install libxgboost0"))
struct BoostedTreesTests {
  static let settings: [TreeSettings] = [TreeSettings.remainingLife, .failure].map { full in
    var short = full
    short.rounds = 20
    return short
  }

  @Test(
    "Our evaluation of the trees is XGBoost's own, missing values included", arguments: settings)
  func parity(_ settings: TreeSettings) throws {
    let toy = ToyRows(count: 2_000, seed: 11)
    let labels = settings.objective == .logistic ? toy.labels.map { $0 > 1 ? 1.0 : 0 } : toy.labels
    let booster = try Booster(rows: toy.rows, labels: labels, settings: settings)
    let trees = try booster.trees()
    #expect(trees.treeCount == settings.rounds * settings.treesPerRound)
    let theirs = try booster.margins(toy.rows)
    for row in 0..<toy.rows.rowCount {
      let ours = trees.margin(toy.rows.row(row))
      #expect((ours - theirs[row]).magnitude <= 1e-5 * max(1, theirs[row].magnitude))
    }
  }

  @Test("Contributions of trained trees sum to the margin less the expected margin")
  func contributions() throws {
    let toy = ToyRows(count: 1_000, seed: 12)
    for settings in Self.settings {
      let labels =
        settings.objective == .logistic ? toy.labels.map { $0 > 1 ? 1.0 : 0 } : toy.labels
      let trees = try BoostedTrees.train(rows: toy.rows, labels: labels, settings: settings)
      for row in 0..<100 {
        let values = Array(toy.rows.row(row))
        let sum = trees.contributions(values).reduce(0, +)
        let wanted = trees.margin(values) - trees.expectedMargin
        #expect((sum - wanted).magnitude < 1e-9 * max(1, wanted.magnitude))
      }
    }
  }

  @Test("The same rows and settings give the same trees, another seed others")
  func deterministic() throws {
    let toy = ToyRows(count: 500, seed: 13)
    var settings = Self.settings[0]
    let first = try BoostedTrees.train(rows: toy.rows, labels: toy.labels, settings: settings)
    #expect(try BoostedTrees.train(rows: toy.rows, labels: toy.labels, settings: settings) == first)
    settings.seed = 2
    #expect(try BoostedTrees.train(rows: toy.rows, labels: toy.labels, settings: settings) != first)
  }

  @Test("Several boosters are averaged, each of its own seed")
  func boosters() throws {
    let toy = ToyRows(count: 500, seed: 14)
    var settings = Self.settings[0]
    settings.boosters = 3
    let trees = try BoostedTrees.train(rows: toy.rows, labels: toy.labels, settings: settings)
    settings.boosters = 1
    let single = try (1...3).map { seed in
      settings.seed = UInt32(seed)
      return try BoostedTrees.train(rows: toy.rows, labels: toy.labels, settings: settings)
    }
    #expect(trees == TreeEnsemble.mean(of: single))
    #expect(single[0] != single[1])
  }

  @Test("What XGBoost refuses is told with its own words")
  func refused() throws {
    var settings = Self.settings[0]
    settings.learningRate = -1
    let toy = ToyRows(count: 50, seed: 14)
    let error = #expect(throws: TrainingError.self) {
      try BoostedTrees.train(rows: toy.rows, labels: toy.labels, settings: settings)
    }
    #expect("\(try #require(error))".hasPrefix("XGBoost refused"))
  }

  @Test("Rows that cannot be trained on are named")
  func badRows() {
    var rows = Matrix(rows: [[1], [2], [3]])
    #expect(throws: TrainingError.rows("the label of row 2 is not a finite number")) {
      try BoostedTrees.train(rows: rows, labels: [1, .nan, 2], settings: Self.settings[0])
    }
    rows.append([.infinity])
    #expect(throws: TrainingError.rows("row 4 holds an infinite number")) {
      try BoostedTrees.train(rows: rows, labels: [1, 2, 3, 4], settings: Self.settings[0])
    }
  }
}

@Suite struct XGBoostLibraryTests {
  @Test("A missing library is told with the package to install")
  func missing() throws {
    let error = #expect(throws: TrainingError.self) {
      try XGBoostLibrary.load("libmillwright-has-no-such.so.0")
    }
    #expect(
      "\(try #require(error))".hasPrefix(
        "training trees needs libxgboost0: apt install libxgboost0"))
  }

  @Test("A library without XGBoost's functions is refused by name of the function")
  func foreign() {
    #expect(throws: TrainingError.librarySymbol("XGBGetLastError")) {
      try XGBoostLibrary.load("libm.so.6")
    }
  }

  @Test(
    "Model files that are damaged are refused, not trusted",
    arguments: [
      "", "{}", "{\"learner\":{\"learner_model_param\":{\"base_score\":\"x\"}}}",
      model(left: "[1,-1]", right: "[2,-1]", features: "[0,0]"),
      model(left: "[1,-1,-1]", right: "[2,-1,-1]", features: "[9,0,0]"),
      model(left: "[0,-1,-1]", right: "[0,-1,-1]", features: "[0,0,0]"),
      model(left: "[7,-1,-1]", right: "[2,-1,-1]", features: "[0,0,0]"),
      model(left: "[1,-1,-1]", right: "[2,-1,-1]", features: "[1e300,0,0]"),
    ])
  func damaged(_ text: String) {
    #expect(throws: TrainingError.self) {
      try TreeModelFile.read(Array(text.utf8), featureCount: 1)
    }
  }

  @Test("A model file of one split is read as it was written")
  func small() throws {
    let text = Self.model(left: "[1,-1,-1]", right: "[2,-1,-1]", features: "[0,0,0]")
    let trees = try TreeModelFile.read(Array(text.utf8), featureCount: 1)
    #expect(trees.margin([0.25]) == 2.5)
    #expect(trees.margin([0.5]) == 1.25)
    #expect(trees.margin([.nan]) == 2.5)
    #expect(trees.expectedMargin == 1.5625)
  }

  static func model(left: String, right: String, features: String) -> String {
    """
    {"learner":{"learner_model_param":{"base_score":"5E-1"},"objective":{"name":"reg:squarederror"},
    "gradient_booster":{"model":{"trees":[{"left_children":\(left),"right_children":\(right),
    "split_indices":\(features),"split_conditions":[0.5,2.0,0.75],"default_left":[1,0,0],
    "sum_hessian":[8,2,6]}]}}}}
    """
  }
}
