import Scoring
import Statistics
import Telemetry

/// Trains a model of remaining life and measures its intervals by cross-validation over machines.
public struct RemainingLifeTraining: Sendable {
  /// What it is trained on: one row a cycle, of machines that ran until they failed.
  public struct Rows: Sendable {
    public var features: [Feature]
    public var values: Matrix
    /// Remaining life at each row, in the usage unit.
    public var remaining: [Double]
    /// The machine of each row; folds keep a machine together.
    public var machines: [Int]

    public init(features: [Feature], values: Matrix, remaining: [Double], machines: [Int]) {
      precondition(features.count == values.columnCount, "every column has a feature")
      precondition(
        values.rowCount == remaining.count && values.rowCount == machines.count,
        "every row has a remaining life and a machine")
      self.features = features
      self.values = values
      self.remaining = remaining
      self.machines = machines
    }
  }

  /// What a training gives.
  public struct Result: Sendable {
    public var model: ScoringModel
    /// On machines that the fold's model had not seen, all rows: RMSE against the capped life.
    public var validationRMSE: Double
    /// Share of rows whose capped life lay inside the interval, the interval made of the errors of
    /// the other folds.
    public var validationCoverage: Double
    public var validationWidth: Double
  }

  public var settings: TreeSettings
  /// Remaining life above this is trained as this: a machine without wear does not tell its future.
  public var limit: Double
  public var unit: String
  public var folds: Int
  public var level: Double
  public var seed: UInt64

  public init(
    settings: TreeSettings = .remainingLife, limit: Double, unit: String, folds: Int = 5,
    level: Double = 0.9, seed: UInt64 = 1
  ) {
    self.settings = settings
    self.limit = limit
    self.unit = unit
    self.folds = folds
    self.level = level
    self.seed = seed
  }

  /// Trains `folds` + 1 ensembles on the calling thread.
  /// - Parameter progress: told how many of them are done.
  /// - Throws: `TrainingError`; below two machines a fold there is nothing to validate on.
  public func train(
    _ rows: Rows, reference: ModelReference, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(TrainingError) -> Result {
    let machineCount = Set(rows.machines).count
    guard machineCount >= folds * 2 else {
      throw .rows(
        "\(machineCount) machines that failed are too few for \(folds) folds; \(folds * 2) are needed"
      )
    }
    let labels = rows.remaining.map { min($0, limit) }
    let folds = Folds.grouped(rows.machines, count: folds, seed: seed)
    var predictions = [Double](repeating: 0, count: labels.count)
    for fold in 0..<folds.count {
      let training = folds.training(without: fold)
      let trees = try BoostedTrees.train(
        rows: rows.values.rows(at: training), labels: training.map { labels[$0] },
        settings: settings)
      for row in folds.test(in: fold) { predictions[row] = bounded(trees, rows.values.row(row)) }
      progress(fold + 1, folds.count + 1)
    }
    let trees = try BoostedTrees.train(rows: rows.values, labels: labels, settings: settings)
    progress(folds.count + 1, folds.count + 1)
    let intervals = try crossIntervals(predictions, labels, folds)
    return Result(
      model: ScoringModel(
        reference: reference, features: rows.features, kind: .trees(trees),
        output: .remainingLife(
          unit: unit, limit: limit,
          intervals: try conformal(predictions, labels, Array(labels.indices)))),
      validationRMSE: RegressionMetrics.rmse(predictions: predictions, truths: labels),
      validationCoverage: RegressionMetrics.coverage(intervals: intervals, truths: labels),
      validationWidth: RegressionMetrics.meanWidth(intervals))
  }

  private func bounded(_ trees: TreeEnsemble, _ row: ArraySlice<Double>) -> Double {
    max(0, min(limit, trees.margin(row)))
  }

  /// An interval a row, made without the errors of the row's own fold: nothing judges itself.
  private func crossIntervals(
    _ predictions: [Double], _ labels: [Double], _ folds: Folds
  ) throws(TrainingError) -> [ClosedRange<Double>] {
    var intervals = [ClosedRange<Double>](repeating: 0...0, count: labels.count)
    for fold in 0..<folds.count {
      let fitted = try conformal(predictions, labels, folds.training(without: fold))
      for row in folds.test(in: fold) {
        let range = fitted.interval(for: predictions[row])
        let low = max(0, min(limit, range.lowerBound))
        intervals[row] = low...max(low, min(limit, range.upperBound))
      }
    }
    return intervals
  }

  private func conformal(
    _ predictions: [Double], _ labels: [Double], _ rows: [Int]
  ) throws(TrainingError) -> ConformalIntervals {
    do {
      return try ConformalIntervals(
        predictions: rows.map { predictions[$0] }, truths: rows.map { labels[$0] }, level: level)
    } catch { throw .rows(error.description) }
  }
}
