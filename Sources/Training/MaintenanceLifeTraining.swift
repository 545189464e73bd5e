import Scoring
import Statistics
import Telemetry

/// Remaining life by condition: trained on the lives of machines that ended in a failure.
public struct MaintenanceLifeTraining: Sendable {
  /// How it did on the later part of the history, beside the age alone.
  public struct Judgement: Sendable, Equatable {
    /// Remaining life above this counts as this, in the usage unit: 0.6 of the median life. A machine without wear
    /// does not tell its future; 125 cycles of C-MAPSS FD001 are 0.63 of its median.
    public var limit: Double
    public var trainingLives: Int
    public var testRows: Int
    /// On rows of the later part, in the usage unit; `nil` where they could not be judged.
    public var rmse: Double?
    /// Of a Weibull over the same lives as the model.
    public var ageRMSE: Double?
    /// Share of the rows whose life lay inside the 90 % interval.
    public var coverage: Double?
    public var width: Double?

    /// It foretold the later part better than the age alone.
    public var isUseful: Bool {
      guard let rmse, let ageRMSE else { return false }
      return rmse < ageRMSE
    }
  }

  /// Lives that ended in a failure, from which on it is tried.
  public static let livesMin = 10
  public var settings: TreeSettings

  /// An eighth of the trees of `remainingLife`: they are explained behind the commit, for each machine.
  public static let standard: TreeSettings = {
    var settings = TreeSettings.remainingLife
    (settings.rounds, settings.boosters, settings.learningRate) = (100, 4, 0.1)
    return settings
  }()

  public init(settings: TreeSettings = standard) { self.settings = settings }

  /// Trainings of `train`: five folds and the whole, to judge and to use.
  var steps: Int { 12 }

  /// Judges on rows after `cut`, then trains on all.
  /// - Returns: no model when it is not better than the age alone; `nil` with too few lives.
  /// - Throws: `TrainingError` of XGBoost.
  func train(
    _ rows: MaintenanceRows, unit: String, cut: Timestamp, reference: ModelReference,
    progress: (Int) -> Void
  ) throws(TrainingError) -> (judgement: Judgement, model: ScoringModel?)? {
    let known = (0..<rows.count).filter { rows.remaining($0) != nil }
    guard let limit = Self.limit(Self.lives(rows, known)) else { return nil }
    let training = known.filter { (rows.endOfLife($0) ?? .distantFuture) <= cut }
    let test = known.filter { rows.times[$0] >= cut }
    let lives = Self.lives(rows, training)
    var judgement = Judgement(
      limit: Self.limit(lives) ?? limit, trainingLives: lives.count, testRows: test.count)
    if lives.count >= Self.livesMin, !test.isEmpty {
      let model = try fit(rows, training, judgement.limit, unit, reference, progress)
      var age = try LifetimeTraining.weibull(lives, unit: unit, reference: reference)
      age.output = .remainingLife(unit: unit, limit: nil, intervals: nil)
      judge(model, age, rows, test, into: &judgement)
    }
    guard judgement.isUseful else { return (judgement, nil) }
    let model = try fit(rows, known, limit, unit, reference) { progress(steps / 2 + $0) }
    return (judgement, model)
  }

  /// The lives of these rows, in their order, by the age at which they failed; those whose age nobody knows are
  /// left out.
  private static func lives(_ rows: MaintenanceRows, _ chosen: [Int]) -> [Life] {
    var lives: [Life] = []
    var last = -1
    for row in chosen {
      guard rows.lifeOf[row] != last, let left = rows.remaining(row),
        let age = rows.age(row)
      else { continue }
      last = rows.lifeOf[row]
      if age + left > 0 { lives.append(Life(duration: age + left, isFailure: true)) }
    }
    return lives
  }

  private static func limit(_ lives: [Life]) -> Double? {
    guard lives.count >= livesMin else { return nil }
    return 0.6 * lives.map(\.duration).sorted()[lives.count / 2]
  }

  private func fit(
    _ rows: MaintenanceRows, _ chosen: [Int], _ limit: Double, _ unit: String,
    _ reference: ModelReference, _ progress: (Int) -> Void
  ) throws(TrainingError) -> ScoringModel {
    // A life is kept together: its rows resemble each other more than those of another.
    try RemainingLifeTraining(settings: settings, limit: limit, unit: unit).train(
      .init(
        features: rows.features, values: rows.values.rows(at: chosen),
        remaining: chosen.map { rows.remaining($0) ?? 0 },
        machines: chosen.map { rows.lifeOf[$0] }),
      reference: reference, progress: { done, _ in progress(done) }
    ).model
  }

  private func judge(
    _ model: ScoringModel, _ age: ScoringModel, _ rows: MaintenanceRows, _ test: [Int],
    into judgement: inout Judgement
  ) {
    let limit = judgement.limit
    var (truths, own, byAge): ([Double], [Double], [Double]) = ([], [], [])
    var intervals: [ClosedRange<Double>] = []
    for row in test {
      let features = Array(rows.values.row(row))
      let score = model.score(entity: "", row: features, at: .epoch)
      // Where the age is not known there is nothing to compare with.
      guard let value = score.value, let interval = score.interval, let known = rows.age(row),
        let told = age.score(entity: "", row: [known], at: .epoch).value
      else { continue }
      truths.append(min(rows.remaining(row) ?? 0, limit))
      own.append(value)
      byAge.append(min(told, limit))
      intervals.append(interval)
    }
    judgement.testRows = truths.count
    guard !truths.isEmpty else { return }
    judgement.rmse = RegressionMetrics.rmse(predictions: own, truths: truths)
    judgement.ageRMSE = RegressionMetrics.rmse(predictions: byAge, truths: truths)
    judgement.coverage = RegressionMetrics.coverage(intervals: intervals, truths: truths)
    judgement.width = RegressionMetrics.meanWidth(intervals)
  }
}
