import Scoring
import Statistics
import Telemetry

/// Trains a model of the probability of a failure, calibrated on rows it had not seen.
public struct FailureTraining: Sendable {
  public enum Method: Sendable {
    case trees(TreeSettings)
    case logistic(penalty: Double)
  }

  public var method: Method
  public var folds: Int
  public var seed: UInt64

  public init(method: Method = .trees(.failure), folds: Int = 5, seed: UInt64 = 1) {
    self.method = method
    self.folds = folds
    self.seed = seed
  }

  public struct Result: Sendable {
    public var model: ScoringModel
    /// The calibrated probability above which the F1 of the validation rows is highest.
    public var threshold: Double
    /// Calibrated probabilities of every row, from the fold that had not seen it.
    public var validation: [Double]
  }

  /// - Throws: `TrainingError` with fewer failures than folds.
  public func train(
    rows: Matrix, labels: [Bool], features: [Feature], horizon: Horizon?,
    reference: ModelReference
  ) throws(TrainingError) -> Result {
    let failures = labels.count { $0 }
    guard failures >= folds, labels.count - failures >= folds else {
      throw .rows("\(failures) failures among \(labels.count) rows are too few for \(folds) folds")
    }
    let folds = Folds.stratified(labels, count: folds, seed: seed)
    var margins = [Double](repeating: 0, count: labels.count)
    for fold in 0..<folds.count {
      let training = folds.training(without: fold)
      let kind = try fit(rows.rows(at: training), training.map { labels[$0] })
      for row in folds.test(in: fold) { margins[row] = kind.margin(Array(rows.row(row))) }
    }
    let calibration: PlattScaling
    do { calibration = try PlattScaling.fit(margins: margins, labels: labels) } catch {
      throw .rows(error.description)
    }
    let validation = margins.map { Logistic.probability(logit: calibration.logit(margin: $0)) }
    return Result(
      model: ScoringModel(
        reference: reference, features: features, kind: try fit(rows, labels),
        output: .probability(horizon: horizon, calibration: calibration)),
      threshold: ClassificationMetrics.bestF1Threshold(scores: validation, labels: labels),
      validation: validation)
  }

  private func fit(_ rows: Matrix, _ labels: [Bool]) throws(TrainingError) -> ScoringModel.Kind {
    switch method {
    case .trees(let settings):
      return .trees(
        try BoostedTrees.train(rows: rows, labels: labels.map { $0 ? 1 : 0 }, settings: settings))
    case .logistic(let penalty):
      do {
        return .logistic(
          try LogisticRegression.fit(rows: rows, labels: labels, penalty: penalty))
      } catch { throw .rows(error.description) }
    }
  }
}

extension ScoringModel.Kind {
  /// The margin of trees and linear models; the others have none.
  func margin(_ row: [Double]) -> Double {
    switch self {
    case .trees(let trees): trees.margin(row)
    case .ridge(let model), .logistic(let model): model.value(row)
    case .weibull, .hazard: preconditionFailure("training fits trees and linear models only")
    }
  }
}
