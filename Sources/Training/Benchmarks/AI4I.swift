import Scoring
import Statistics
import Telemetry

/// The AI4I 2020 data (UCI, CC BY 4.0): type and five measured columns, and whether the machine failed.
///
/// Ids and the columns of the failure modes are not read: they would tell the answer.
public struct AI4IRows: Sendable {
  static let columns = [
    "Type", "Air temperature [K]", "Process temperature [K]", "Rotational speed [rpm]",
    "Torque [Nm]", "Tool wear [min]",
  ]
  static let label = "Machine failure"

  /// The six inputs and three that follow from them.
  public static let features = [
    Feature("type"), Feature("air temperature", unit: "K"),
    Feature("process temperature", unit: "K"), Feature("speed", unit: "/min"),
    Feature("torque", unit: "N.m"), Feature("tool wear", unit: "min"),
    Feature("temperature difference", unit: "K"), Feature("power", unit: "W"),
    Feature("wear × torque", unit: "min.N.m"),
  ]

  public var values = Matrix(columnCount: features.count)
  public var labels: [Bool] = []

  /// - Throws: `DataFileError` when a column is missing or a row is malformed.
  public init(text: String, file: String) throws(DataFileError) {
    let rows = TextRows(text, file: file, separator: ",")
    guard let head = rows.lines.first else { throw rows.failure(0, "there are no rows") }
    var places: [Int] = []
    for name in Self.columns + [Self.label] {
      guard let place = head.cells.firstIndex(where: { $0 == name }) else {
        throw rows.failure(head.number, "the column “\(name)” is missing")
      }
      places.append(place)
    }
    for (line, cells) in rows.lines.dropFirst() {
      guard cells.count == head.cells.count else {
        throw rows.failure(line, "\(cells.count) columns; the head has \(head.cells.count)")
      }
      guard let type = ["L", "M", "H"].firstIndex(of: cells[places[0]]) else {
        throw rows.failure(line, "the type “\(cells[places[0]].prefix(40))” is none of L, M, H")
      }
      var row = [Double(type)]
      for place in places[1...5] {
        row.append(try rows.number(cells[place], line: line, column: place + 1))
      }
      guard let label = ["0", "1"].firstIndex(of: cells[places[6]]) else {
        throw rows.failure(line, "“\(Self.label)” is 0 or 1")
      }
      row.append(row[2] - row[1])
      row.append(row[3] * row[4] * 2 * .pi / 60)
      row.append(row[5] * row[4])
      values.append(row)
      labels.append(label == 1)
    }
  }
}

/// Stratified 5-fold cross-validation, repeated, with the F1 threshold chosen inside training folds.
public struct AI4IBenchmark: Sendable {
  public struct Outcome: Sendable {
    /// Means over folds and repeats.
    public var areaUnderROC: Double
    public var f1: Double
    public var logLoss: Double
    public var calibrationError: Double
    /// Of the means of the repeats.
    public var areaDeviation: Double
    public var f1Deviation: Double
  }

  public var training: FailureTraining
  public var repeats: Int

  public init(method: FailureTraining.Method = .trees(.failure), repeats: Int = 5) {
    training = FailureTraining(method: method)
    self.repeats = repeats
  }

  public func run(
    _ data: AI4IRows, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(TrainingError) -> Outcome {
    var means = Matrix(columnCount: 4)
    for round in 0..<repeats {
      let folds = Folds.stratified(data.labels, count: 5, seed: UInt64(round + 1))
      var sums = [0.0, 0, 0, 0]
      for fold in 0..<folds.count {
        let measured = try judge(data, folds, fold)
        for index in sums.indices { sums[index] += measured[index] / Double(folds.count) }
        progress(round * folds.count + fold + 1, repeats * folds.count)
      }
      means.append(sums)
    }
    let moments = ColumnMoments(means)
    return Outcome(
      areaUnderROC: moments.means[0], f1: moments.means[1], logLoss: moments.means[2],
      calibrationError: moments.means[3], areaDeviation: moments.deviations[0],
      f1Deviation: moments.deviations[1])
  }

  private func judge(
    _ data: AI4IRows, _ folds: Folds, _ fold: Int
  ) throws(TrainingError) -> [Double] {
    let inner = folds.training(without: fold)
    let result = try training.train(
      rows: data.values.rows(at: inner), labels: inner.map { data.labels[$0] },
      features: AI4IRows.features, horizon: nil,
      reference: ModelReference(name: "failure", version: 1, trainedAt: .epoch))
    let test = folds.test(in: fold)
    let labels = test.map { data.labels[$0] }
    guard case .probability(_, let calibration) = result.model.output else {
      preconditionFailure("failure training gives probabilities")
    }
    let scores = test.map {
      Logistic.probability(
        logit: calibration.logit(margin: result.model.kind.margin(Array(data.values.row($0)))))
    }
    guard let area = ClassificationMetrics.areaUnderROC(scores: scores, labels: labels) else {
      throw .rows("a fold has no failures")
    }
    return [
      area, ClassificationMetrics.f1(scores: scores, labels: labels, threshold: result.threshold),
      ClassificationMetrics.logLoss(probabilities: scores, labels: labels),
      ClassificationMetrics.calibrationError(probabilities: scores, labels: labels),
    ]
  }
}
