import Scoring
import Statistics
import Telemetry
import Testing

@testable import Training

/// Machines that wear: a sensor that bends upwards towards the end, noise, and lives of all lengths.
enum WearingFleet {
  /// - Parameter points: distinct operating points that settings and sensors jump between.
  static func text(
    engines: Int, seed: UInt64, cutTo share: Double = 1, points: Int = 1
  ) -> (String, [Int]) {
    var random = SplitMix64(seed: seed)
    var (text, remaining) = ("", [Int]())
    for engine in 1...engines {
      let life = Int.random(in: 100...160, using: &random)
      let seen =
        share == 1 ? life : Int(Double(life) * Double.random(in: 0.3...share, using: &random))
      remaining.append(life - seen)
      for cycle in 1...seen {
        let wear = 20 / (1 + Double(life - cycle) / 10)
        let noise = { Double.random(in: -0.5...0.5, using: &random) }
        var sensors = [Double](repeating: 100, count: 21)
        sensors[3] = 1_400 + wear + noise()
        sensors[10] = 47 - wear / 2 + noise()
        sensors[20] = 23 + noise()
        let point = Double(Int.random(in: 0..<points, using: &random))
        for sensor in sensors.indices { sensors[sensor] += 200 * point }
        let numbers = [10 * point + noise() / 1_000, 0.002 + 0.1 * point, 100] + sensors
        text += "\(engine) \(cycle) \(numbers.map { "\($0)" }.joined(separator: " "))  \n"
      }
    }
    return (text, remaining)
  }
}

@Suite(.enabled(if: hasXGBoost, "libxgboost0 is not installed: apt install libxgboost0"))
struct ModelTrainingTests {
  @Test("Remaining life is learnt from a fleet, with intervals that hold on machines not seen")
  func remainingLife() throws {
    let train = try CMAPSSRows(
      text: WearingFleet.text(engines: 30, seed: 1).0, file: "train.txt")
    let (text, remaining) = WearingFleet.text(engines: 40, seed: 2, cutTo: 0.95)
    let test = try CMAPSSRows(text: text, file: "test.txt")
    var settings = TreeSettings.remainingLife
    settings.rounds = 60
    var steps: [Int] = []
    let outcome = try CMAPSSBenchmark(settings: settings).run(
      train: train, test: test, truths: remaining.map(Double.init),
      progress: { done, _ in steps.append(done) })
    #expect(steps == [1, 2, 3, 4, 5, 6])
    // Three sensors vary; each has seven features, and there is the age.
    #expect(outcome.features == 22 && outcome.conditions == 1)
    let mean = Double(remaining.reduce(0, +)) / 40
    let spread = RegressionMetrics.rmse(
      predictions: [Double](repeating: mean, count: 40), truths: remaining.map(Double.init))
    #expect(outcome.rmseCapped < spread / 2)
    #expect((0.86...0.94).contains(outcome.validationCoverage))
    #expect(outcome.coverage > 0.75)
    for score in outcome.scores {
      let sum = score.contributions.reduce(0) { $0 + $1.amount }
      #expect((sum - (score.margin - score.baseMargin)).magnitude < 1e-9 * 125)
    }
  }

  @Test("Operating points that drown the wear are found and taken out")
  func operatingPoints() throws {
    let train = try CMAPSSRows(
      text: WearingFleet.text(engines: 20, seed: 3, points: 6).0, file: "train.txt")
    let (text, remaining) = WearingFleet.text(engines: 20, seed: 4, cutTo: 0.95, points: 6)
    var settings = TreeSettings.remainingLife
    settings.rounds = 40
    let outcome = try CMAPSSBenchmark(settings: settings, usesAge: false).run(
      train: train, test: try CMAPSSRows(text: text, file: "test.txt"),
      truths: remaining.map(Double.init))
    // The sensors that never wear are constant at each point, and so say nothing.
    #expect(outcome.conditions == 6 && outcome.features == 21)
    #expect(outcome.rmseCapped < 30)
  }

  @Test("A failure model is calibrated, explained on the logit, and beats the base rate")
  func failure() throws {
    let toy = ToyRows(count: 1_500, seed: 31)
    let labels = toy.labels.map { $0 > 4 }
    let features = (0..<5).map { Feature("x\($0)") }
    var settings = TreeSettings.failure
    settings.rounds = 40
    let reference = ModelReference(name: "failure_7d", version: 1, trainedAt: .epoch)
    for method in [FailureTraining.Method.trees(settings), .logistic(penalty: 1)] {
      let result = try FailureTraining(method: method).train(
        rows: toy.rows, labels: labels, features: features, horizon: nil, reference: reference)
      let area = ClassificationMetrics.areaUnderROC(scores: result.validation, labels: labels)
      #expect(try #require(area) > 0.9)
      let error = ClassificationMetrics.calibrationError(
        probabilities: result.validation, labels: labels)
      #expect(error < 0.06)
      let score = result.model.score(entity: "m", row: Array(toy.rows.row(1)), at: .epoch)
      let sum = score.contributions.reduce(0) { $0 + $1.amount }
      #expect((sum - (score.margin - score.baseMargin)).magnitude < 1e-9)
    }
  }

  @Test("Too few failures or machines are refused with their number")
  func tooFew() {
    let reference = ModelReference(name: "m", version: 1, trainedAt: .epoch)
    let rows = Matrix(rows: (0..<10).map { [Double($0)] })
    #expect(throws: TrainingError.rows("2 failures among 10 rows are too few for 5 folds")) {
      try FailureTraining().train(
        rows: rows, labels: (0..<10).map { $0 < 2 }, features: [Feature("x")], horizon: nil,
        reference: reference)
    }
    let lives = RemainingLifeTraining.Rows(
      features: [Feature("x")], values: rows, remaining: (0..<10).map(Double.init),
      machines: [Int](repeating: 1, count: 10))
    #expect(throws: TrainingError.self) {
      try RemainingLifeTraining(limit: 125, unit: "h").train(lives, reference: reference)
    }
  }
}

@Suite struct LifetimeTrainingTests {
  static let reference = ModelReference(name: "wear", version: 1, trainedAt: .epoch)

  @Test("Five failures make a Weibull model; four do not")
  func weibull() throws {
    let lives = [100.0, 150, 180, 220, 260].map { Life(duration: $0, isFailure: true) }
    let model = try LifetimeTraining.weibull(lives, unit: "h", reference: Self.reference)
    #expect(model.basis == .model)
    #expect(
      throws: TrainingError.rows("4 labelled failures; a Weibull is fitted from 5 on")
    ) {
      try LifetimeTraining.weibull(
        Array(lives.dropLast()) + [Life(duration: 260, isFailure: false)], unit: "h",
        reference: Self.reference)
    }
  }

  @Test("A hazard learnt from wearing units gives old ones the higher risk")
  func hazard() throws {
    var random = SplitMix64(seed: 17)
    var periods = PersonPeriods(featureCount: 1)
    for unit in 0..<200 {
      var rows: [[Double]] = []
      var fails = false
      while !fails, rows.count < 40 {
        rows.append([Double(rows.count)])
        let risk = Logistic.probability(logit: -5 + 0.15 * Double(rows.count - 1))
        fails = Double.random(in: 0..<1, using: &random) < risk
      }
      periods.append(unit: unit, periods: rows, endsInFailure: fails)
    }
    let model = try LifetimeTraining.hazard(
      periods, features: [Feature("age", unit: "d")], period: 1, ageFeature: 0,
      reference: Self.reference)
    guard case .hazard(let hazard) = model.kind else {
      Issue.record("no hazard")
      return
    }
    #expect((hazard.logit.weights[0] - 0.15).magnitude < 0.03)
    let week = Horizon(name: "7d", seconds: 604_800, usage: 7)
    let young = try #require(model.score(entity: "a", row: [1], at: .epoch, horizon: week).value)
    let old = try #require(model.score(entity: "a", row: [30], at: .epoch, horizon: week).value)
    #expect(young < 0.1 && old > 0.4)
  }
}

@Suite struct BenchmarkFileTests {
  @Test(
    "A malformed row of C-MAPSS is told by file and line",
    arguments: [
      ("1 1 2 3", "t.txt:2: 4 columns; a row of C-MAPSS has 26"),
      (row("1 3"), "t.txt:2: cycle 3 of engine 1 does not follow the last one"),
      (row("3 2"), "t.txt:2: engine 3 must follow in order and begin with cycle 1"),
      (row("x 2"), "t.txt:2: engine and cycle must be whole numbers above 0"),
      (row("1 2", last: "nan"), "t.txt:2: column 26 holds “nan”, which is no number"),
    ])
  func cmapss(_ line: String, _ sentence: String) throws {
    let error = #expect(throws: DataFileError.self) {
      try CMAPSSRows(text: Self.row("1 1") + "\n" + line + "\n", file: "t.txt")
    }
    #expect("\(try #require(error))" == sentence)
  }

  static func row(_ start: String, last: String = "0") -> String {
    start + String(repeating: " 1.5", count: 23) + " " + last
  }

  @Test("An empty file and lives that are no numbers are refused")
  func empty() throws {
    #expect(throws: DataFileError.self) { try CMAPSSRows(text: "\n\n", file: "t.txt") }
    #expect(
      throws: DataFileError(file: "r", line: 2, sentence: "column 1 holds “?”, which is no number")
    ) { try CMAPSSRows.remainingLives(text: "112\n?\n", file: "r") }
  }

  static let head =
    "UID,Product ID,Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],"
    + "Torque [Nm],Tool wear [min],Machine failure,TWF,HDF,PWF,OSF,RNF\n"

  @Test("AI4I is read without its ids and failure modes")
  func ai4i() throws {
    let rows = try AI4IRows(
      text: Self.head + "1,M14860,M,298.1,308.6,1551,42.8,0,0,0,0,0,0,0\r\n"
        + "2,H1,H,298.0,308.5,1500,40,10,1,1,1,1,1,1\n", file: "a.csv")
    #expect(rows.labels == [false, true])
    #expect(rows.values[1, 0] == 2 && rows.values[0, 0] == 1)
    #expect((rows.values[1, 7] - 1_500 * 40 * 2 * 3.141592653589793 / 60).magnitude < 1e-9)
    #expect(rows.values[1, 8] == 400 && rows.values.columnCount == 9)
  }

  @Test(
    "A malformed AI4I file is told by line",
    arguments: [
      ("a,b\n1,2\n", "a.csv:1: the column “Type” is missing"),
      (head + "1,M1,M,298.1\n", "a.csv:2: 4 columns; the head has 14"),
      (head + "1,M1,Q,1,2,3,4,5,0,0,0,0,0,0\n", "a.csv:2: the type “Q” is none of L, M, H"),
      (head + "1,M1,L,1,2,3,-,5,0,0,0,0,0,0\n", "a.csv:2: column 7 holds “-”, which is no number"),
      (head + "1,M1,L,1,2,3,4,5,2,0,0,0,0,0\n", "a.csv:2: “Machine failure” is 0 or 1"),
    ])
  func badAI4I(_ text: String, _ sentence: String) throws {
    let error = #expect(throws: DataFileError.self) { try AI4IRows(text: text, file: "a.csv") }
    #expect("\(try #require(error))" == sentence)
  }
}
