import Scoring
import Statistics
import Telemetry

/// Rows of one machine or several of a kind, made from their history by the same state that the gateway keeps live.
public struct MaintenanceRows: Sendable {
  public private(set) var values: Matrix
  /// The machine of each row.
  public private(set) var machines: [Int] = []
  public private(set) var times: [Timestamp] = []
  /// When the machine failed next; `nil`: not as far as it was seen.
  private var failureAt: [Timestamp?] = []
  /// Until when it is known that it did not fail: the next replacement, or the end of the history.
  private var knownUntil: [Timestamp] = []
  /// The usage left at each row until the failure that followed; `nil`: none did.
  private var remaining: [Double?] = []
  /// Which life of which machine a row is of.
  private(set) var lifeOf: [Int] = []
  private var lifeCount = 0
  /// How long lives lasted, in the usage unit; those whose usage is known.
  public private(set) var lives: [Life] = []
  public private(set) var failures = 0
  public let features: [Feature]

  public init(features: [Feature]) {
    self.features = features
    values = Matrix(columnCount: features.count)
  }

  public var count: Int { times.count }

  /// Adds the history of a machine.
  /// - Parameter history: its whole life so far, told in the order of time.
  public mutating func append(_ history: MachineHistory, machine: Int) {
    let ends = history.ends
    failures += ends.count { $0.isFailure }
    lives += history.condition.history.lives
    for (place, time) in history.times.enumerated() {
      let next = ends.firstIndex { $0.time > time }
      lifeOf.append(lifeCount + (next ?? ends.count))
      remaining.append(
        next.flatMap { ends[$0].isFailure ? ends[$0].usage - history.usages[place] : nil })
      append(history.rows[place], at: time, next.map { ends[$0] }, history, machine)
    }
    lifeCount += ends.count + 1
  }

  private mutating func append(
    _ row: [Double], at time: Timestamp, _ next: MachineHistory.End?, _ history: MachineHistory,
    _ machine: Int
  ) {
    values.append(row)
    machines.append(machine)
    times.append(time)
    failureAt.append(next.flatMap { $0.isFailure ? $0.time : nil })
    knownUntil.append(next?.time ?? history.end)
  }

  /// The usage left at a row until its machine failed; `nil`: it was replaced before, or has not failed yet.
  func remaining(_ row: Int) -> Double? { remaining[row] }

  /// In the usage unit; `nil`: nobody knows.
  func age(_ row: Int) -> Double? {
    values.row(row).last.flatMap { $0.isFinite ? $0 : nil }
  }

  /// When the life of a row ended in a failure.
  func endOfLife(_ row: Int) -> Timestamp? { failureAt[row] }

  /// Whether the machine of a row failed within `seconds`; `nil`: nobody knows, it was replaced or not watched so long.
  public func label(_ row: Int, within seconds: Double) -> Bool? {
    let end = times[row].advanced(byMicroseconds: Int64(seconds * 1e6))
    if let failure = failureAt[row] { return failure <= end }
    return knownUntil[row] >= end ? false : nil
  }
}

/// One machine's history on its way into rows: fed in the order of time.
public struct MachineHistory: Sendable {
  struct End: Sendable {
    var time: Timestamp
    /// What the meter showed with the last row before; with the last sample, where none came since.
    var usage: Double
    var isFailure: Bool
  }

  public let machine: MaintainedMachine
  public private(set) var condition: MachineCondition
  private(set) var rows: [[Double]] = []
  private(set) var times: [Timestamp] = []
  private(set) var usages: [Double] = []
  private(set) var ends: [End] = []
  private(set) var end = Timestamp.distantPast

  public init(_ machine: MaintainedMachine) {
    self.machine = machine
    condition = MachineCondition(machine)
  }

  /// Takes a sample; each period that closes makes a row.
  public mutating func take(_ metric: String, _ value: Value, at time: Timestamp) {
    end = max(end, time)
    if condition.take(metric, value, at: time, machine).contains(.period) {
      rows.append(condition.row)
      times.append(time)
      usages.append(condition.usage.total)
    }
  }

  public mutating func take(_ report: MaintenanceReport) {
    guard condition.take(report, machine) else { return }
    guard report.kind == .failure || report.beginsLife else { return }
    // Told when it was over; the life ended when it began.
    let rowBefore = times.lastIndex { $0 <= report.start }
    let usage = end <= report.start ? condition.usage.total : rowBefore.map { usages[$0] }
    let place = ends.firstIndex { $0.time > report.start } ?? ends.count
    ends.insert(
      End(
        time: report.start, usage: usage ?? condition.usage.total,
        isFailure: report.kind == .failure),
      at: place)
  }
}

/// Trains the models of a device or profile and judges them on time they have not seen.
public struct MaintenanceTraining: Sendable {
  /// How one head did on the later part of the history.
  public struct Judgement: Sendable, Equatable {
    public var horizon: String
    public var trainingRows: Int
    public var testRows: Int
    /// Rows of the later part whose machine failed within the horizon.
    public var testFailures: Int
    /// Of the model, and of the age alone; `nil` without failures and survivals in the later part.
    public var areaUnderROC: Double?
    public var ageAreaUnderROC: Double?
    /// Mean −ln p(truth), and that of the training rows' constant rate.
    public var logLoss: Double?
    public var constantLogLoss: Double?

    /// It foretold the later part better than a constant rate; one that did not, or that could not be judged, is not
    /// put in force.
    public var isUseful: Bool {
      guard let logLoss, let constantLogLoss, areaUnderROC != nil else { return false }
      return logLoss < constantLogLoss
    }
  }

  public struct Result: Sendable {
    public var models: [ScoringModel]
    public var judgements: [Judgement]
    /// When the later part begins.
    public var cut: Timestamp
    /// Of remaining life by condition; `nil` where it was not tried.
    public var life: MaintenanceLifeTraining.Judgement?
    /// Why it could not be trained.
    public var lifeProblem: String?
  }

  public var method: FailureTraining.Method
  /// Share of the rows, by time, that models are judged without.
  public var testShare: Double
  /// How remaining life by condition is trained; `nil`: by age alone.
  public var life: MaintenanceLifeTraining?

  public init(
    method: FailureTraining.Method = .logistic(penalty: 1), testShare: Double = 0.3,
    life: MaintenanceLifeTraining? = nil
  ) {
    self.method = method
    self.testShare = testShare
    self.life = life
  }

  /// Trainings of `train`, at the most.
  public var steps: Int {
    2 * Horizon.standard(usagePerHour: 1).count + (life?.steps ?? 0)
  }

  /// Judges on the later part, then trains on all.
  /// - Parameter progress: told how many of `steps` are done.
  /// - Throws: `TrainingError` below five failures, or with rows that cannot be trained on.
  public func train(
    _ rows: MaintenanceRows, scope: String, usageUnit: String, version: Int, at now: Timestamp,
    progress: (Int) -> Void = { _ in }
  ) throws(TrainingError) -> Result {
    guard rows.failures >= FailureForecast.failuresMin else {
      throw .rows(
        "\(rows.failures) labelled failures; models are trained from \(FailureForecast.failuresMin) "
          + "on. Until then zones and a declared prior serve; failures are told with `millwright "
          + "maintenance import` or POST /api/v1/maintenance/events")
    }
    guard rows.count >= 50 else {
      throw .rows("\(rows.count) rows; at least 50 periods of readings are needed")
    }
    let ordered = rows.times.sorted()
    let cut = ordered[min(ordered.count - 1, Int(Double(ordered.count) * (1 - testShare)))]
    var result = Result(models: [], judgements: [], cut: cut)
    for (place, horizon) in Horizon.standard(usagePerHour: 1).enumerated() {
      let known = (0..<rows.count).filter { rows.label($0, within: horizon.seconds) != nil }
      let reference = ModelReference(
        name: "\(scope)/\(horizon.name)", version: version, trainedAt: now)
      let judgement = judge(rows, known, horizon, cut, reference)
      result.judgements.append(judgement)
      progress(2 * place + 1)
      // A head without enough of both kinds is left out too; the others stand.
      if judgement.isUseful, let trained = try? fit(rows, known, horizon, reference) {
        result.models.append(trained)
      }
      progress(2 * place + 2)
    }
    // Lives by age give the horizons that no head has, and the remaining life.
    if let weibull = try? LifetimeTraining.weibull(
      rows.lives, unit: usageUnit,
      reference: ModelReference(name: "\(scope)/age", version: version, trainedAt: now))
    {
      result.models.append(weibull)
      var life = weibull
      life.reference.name = "\(scope)/life"
      life.output = .remainingLife(unit: usageUnit, limit: nil, intervals: nil)
      let heads = 2 * result.judgements.count
      var trained: (judgement: MaintenanceLifeTraining.Judgement, model: ScoringModel?)?
      do {
        trained = try self.life?.train(
          rows, unit: usageUnit, cut: cut, reference: life.reference,
          progress: { progress(heads + $0) })
      } catch {
        // What cannot be trained leaves the others in force.
        result.lifeProblem = error.description
      }
      result.life = trained?.judgement
      if let model = trained?.model {
        result.models.append(model)
        // Answers in the first period of a life.
        life.reference.name += "_by_age"
      }
      result.models.append(life)
    }
    guard !result.models.isEmpty else {
      throw .rows(
        "no head foretold the later part better than a constant rate, and too few lives have a known usage"
      )
    }
    return result
  }

  private func fit(
    _ rows: MaintenanceRows, _ chosen: [Int], _ horizon: Horizon, _ reference: ModelReference
  ) throws(TrainingError) -> ScoringModel {
    try FailureTraining(method: method).train(
      rows: rows.values.rows(at: chosen),
      labels: chosen.map { rows.label($0, within: horizon.seconds) ?? false },
      features: rows.features, horizon: horizon, reference: reference
    ).model
  }

  /// Trained on rows whose horizon ends before the cut, asked about rows after it.
  private func judge(
    _ rows: MaintenanceRows, _ known: [Int], _ horizon: Horizon, _ cut: Timestamp,
    _ reference: ModelReference
  ) -> Judgement {
    let reach = Int64(horizon.seconds * 1e6)
    let training = known.filter { rows.times[$0].advanced(byMicroseconds: reach) <= cut }
    let test = known.filter { rows.times[$0] >= cut }
    let truths = test.map { rows.label($0, within: horizon.seconds) ?? false }
    var judgement = Judgement(
      horizon: horizon.name, trainingRows: training.count, testRows: test.count,
      testFailures: truths.count { $0 })
    judgement.ageAreaUnderROC = ClassificationMetrics.areaUnderROC(
      scores: test.map { rows.age($0) ?? 0 }, labels: truths)
    // With too few failures before the cut there is no model to judge: the figures stay empty.
    guard !test.isEmpty, let model = try? fit(rows, training, horizon, reference) else {
      return judgement
    }
    let scores = test.map { row in
      model.score(entity: "", row: Array(rows.values.row(row)), at: cut).value ?? 0
    }
    judgement.areaUnderROC = ClassificationMetrics.areaUnderROC(scores: scores, labels: truths)
    judgement.logLoss = ClassificationMetrics.logLoss(probabilities: scores, labels: truths)
    let failed = training.count { rows.label($0, within: horizon.seconds) == true }
    let rate = Double(failed) / Double(max(1, training.count))
    judgement.constantLogLoss = ClassificationMetrics.logLoss(
      probabilities: truths.map { _ in min(max(rate, 1e-6), 1 - 1e-6) }, labels: truths)
    return judgement
  }
}
