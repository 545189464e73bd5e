import Scoring
import Statistics
import Telemetry

/// One file of NASA's C-MAPSS turbofan data: 26 columns, blanks between, one row an engine and cycle.
///
/// `engine cycle setting1 setting2 setting3 sensor1 … sensor21` (Saxena et al. 2008, public domain).
public struct CMAPSSRows: Sendable {
  static let settingCount = 3
  static let sensorCount = 21

  public var engines: [Int] = []
  public var cycles: [Int] = []
  public var settings = Matrix(columnCount: settingCount)
  public var sensors = Matrix(columnCount: sensorCount)

  /// - Throws: `DataFileError` with the line of a malformed row.
  public init(text: String, file: String) throws(DataFileError) {
    let rows = TextRows(text, file: file, separator: nil)
    let width = 2 + Self.settingCount + Self.sensorCount
    for (line, cells) in rows.lines {
      guard cells.count == width else {
        throw rows.failure(line, "\(cells.count) columns; a row of C-MAPSS has \(width)")
      }
      guard let engine = Int(cells[0]), let cycle = Int(cells[1]), engine > 0, cycle > 0 else {
        throw rows.failure(line, "engine and cycle must be whole numbers above 0")
      }
      if engine == engines.last {
        guard cycle == cycles[cycles.count - 1] + 1 else {
          throw rows.failure(
            line, "cycle \(cycle) of engine \(engine) does not follow the last one")
        }
      } else {
        guard cycle == 1, engine > engines.last ?? 0 else {
          throw rows.failure(line, "engine \(engine) must follow in order and begin with cycle 1")
        }
      }
      var numbers: [Double] = []
      for column in 2..<width {
        numbers.append(try rows.number(cells[column], line: line, column: column + 1))
      }
      engines.append(engine)
      cycles.append(cycle)
      settings.append(numbers[..<Self.settingCount])
      sensors.append(numbers[Self.settingCount...])
    }
    guard !engines.isEmpty else { throw rows.failure(0, "there are no rows") }
  }

  /// The true remaining life of the engines of a test file: one number a line.
  public static func remainingLives(text: String, file: String) throws(DataFileError) -> [Double] {
    let rows = TextRows(text, file: file, separator: nil)
    var lives: [Double] = []
    for (line, cells) in rows.lines {
      guard cells.count == 1 else { throw rows.failure(line, "one remaining life a line") }
      lives.append(try rows.number(cells[0], line: line, column: 1))
    }
    return lives
  }

  /// Rows of engines, each from its first cycle to its last.
  var ranges: [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for row in engines.indices where row + 1 == engines.count || engines[row + 1] != engines[row] {
      ranges.append(start..<row + 1)
      start = row + 1
    }
    return ranges
  }
}

/// Trains on one C-MAPSS set and judges on its test engines.
public struct CMAPSSBenchmark: Sendable {
  /// Remaining life is capped here in training, as in the published work.
  public static let limit = 125.0

  public struct Outcome: Sendable {
    public var features: Int
    public var conditions: Int
    public var trees: Int
    public var validationRMSE: Double
    public var validationCoverage: Double
    public var validationWidth: Double
    /// Against the true remaining life.
    public var rmse: Double
    public var phm08: Double
    /// Against the true remaining life, capped at 125.
    public var rmseCapped: Double
    public var phm08Capped: Double
    /// Share of test engines inside their 90 % interval, truth capped as in training.
    public var coverage: Double
    /// The same against the uncapped truth: what lies beyond the cap counts as outside.
    public var coverageUncapped: Double
    public var width: Double
    public var scores: [Score]
  }

  public var training: RemainingLifeTraining
  /// Whether the cycle count is a feature; without it, as on a plant without install dates.
  public var usesAge: Bool

  public init(settings: TreeSettings = .remainingLife, usesAge: Bool = true) {
    training = RemainingLifeTraining(settings: settings, limit: Self.limit, unit: "cycle")
    self.usesAge = usesAge
  }

  /// - Throws: `TrainingError`; also when `truths` does not fit the engines of `test`.
  public func run(
    train: CMAPSSRows, test: CMAPSSRows, truths: [Double],
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(TrainingError) -> Outcome {
    guard truths.count == test.ranges.count else {
      throw .rows("\(truths.count) remaining lives for \(test.ranges.count) test engines")
    }
    let conditions = OperatingConditions(settings: train.settings, sensors: train.sensors)
    let sensors = Self.speakingSensors(train, conditions)
    let rows = rows(of: train, conditions, sensors)
    let result = try training.train(
      rows, reference: ModelReference(name: "remaining_life", version: 1, trainedAt: .epoch),
      progress: progress)
    let scores = test.ranges.map { range in
      var life = LifeFeatures(sensorCount: sensors.count)
      for row in range { life.observe(Self.readings(test, row, conditions, sensors)) }
      return result.model.score(
        entity: "engine\(test.engines[range.lowerBound])", row: chosen(life.values), at: .epoch)
    }
    var outcome = judge(scores, truths)
    outcome.features = rows.features.count
    outcome.conditions = conditions.count
    if case .trees(let trees) = result.model.kind { outcome.trees = trees.treeCount }
    outcome.validationRMSE = result.validationRMSE
    outcome.validationCoverage = result.validationCoverage
    outcome.validationWidth = result.validationWidth
    return outcome
  }

  private func judge(_ scores: [Score], _ truths: [Double]) -> Outcome {
    let values = scores.map { $0.value ?? 0 }
    let intervals = scores.map { $0.interval ?? 0...0 }
    let capped = truths.map { min($0, Self.limit) }
    return Outcome(
      features: 0, conditions: 0, trees: 0, validationRMSE: 0, validationCoverage: 0,
      validationWidth: 0, rmse: RegressionMetrics.rmse(predictions: values, truths: truths),
      phm08: RegressionMetrics.phm08(predictions: values, truths: truths),
      rmseCapped: RegressionMetrics.rmse(predictions: values, truths: capped),
      phm08Capped: RegressionMetrics.phm08(predictions: values, truths: capped),
      coverage: RegressionMetrics.coverage(intervals: intervals, truths: capped),
      coverageUncapped: RegressionMetrics.coverage(intervals: intervals, truths: truths),
      width: RegressionMetrics.meanWidth(intervals), scores: scores)
  }

  private func rows(
    of data: CMAPSSRows, _ conditions: OperatingConditions, _ sensors: [Int]
  ) -> RemainingLifeTraining.Rows {
    var features = LifeFeatures.features(of: sensors.map { Feature("s\($0 + 1)") })
    if !usesAge { features.removeLast() }
    var values = Matrix(columnCount: features.count)
    var remaining: [Double] = []
    for range in data.ranges {
      var life = LifeFeatures(sensorCount: sensors.count)
      for row in range {
        life.observe(Self.readings(data, row, conditions, sensors))
        values.append(chosen(life.values))
        remaining.append(Double(range.upperBound - 1 - row))
      }
    }
    return RemainingLifeTraining.Rows(
      features: features, values: values, remaining: remaining, machines: data.engines)
  }

  private func chosen(_ values: [Double]) -> [Double] { usesAge ? values : values.dropLast() }

  private static func readings(
    _ data: CMAPSSRows, _ row: Int, _ conditions: OperatingConditions, _ sensors: [Int]
  ) -> [Double] {
    let all = conditions.normalize(
      settings: data.settings.row(row), sensors: Array(data.sensors.row(row)))
    return sensors.map { all[$0] }
  }

  /// Sensors that vary once the operating point is taken out.
  private static func speakingSensors(
    _ data: CMAPSSRows, _ conditions: OperatingConditions
  ) -> [Int] {
    var normalized = Matrix(columnCount: CMAPSSRows.sensorCount)
    for row in 0..<data.engines.count {
      normalized.append(
        conditions.normalize(
          settings: data.settings.row(row), sensors: Array(data.sensors.row(row))))
    }
    let moments = ColumnMoments(normalized)
    return (0..<CMAPSSRows.sensorCount).filter {
      moments.deviations[$0] > 1e-9 * max(1, moments.means[$0].magnitude)
    }
  }
}
