import ArgumentParser
import Devices
import Foundation
import Gateway
import Scoring
import Storage
import Telemetry
import Training

/// `millwright train`: models of failures from stored history, put in force in the running gateway.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train models of failures from stored samples and maintenance events.",
    discussion: """
      Reads the running gateway, or its files where none runs. Models are judged on the later part of
      the history, then trained on all of it and put in force. Below five labelled failures nothing is
      trained. See docs/maintenance.md.

      EXAMPLES
        millwright train --device press1
        millwright train --profile press --from -2y
        millwright train --device press1 --output press1.model    write it, put nothing in force
      """)

  @OptionGroup var place: ConfigurationOptions
  @OptionGroup var choice: TrainingChoice

  @Option(
    help: ArgumentHelp("Write the models to a file and put nothing in force.", valueName: "file"))
  var output: String?

  func run() async throws {
    try await reporting {
      let loaded = try place.load()
      let target = try choice.target(loaded)
      try await DataAccess.with(place) { access in
        if output == nil { _ = try access.runningGateway() }
        let rows = try await TrainingHistory(access, choice).rows(target)
        let version = try await access.nextModelVersion(of: target.scope)
        let (set, text) = try choice.train(rows, target, version: version)
        print(text)
        if let output {
          try Data(set.encoded).write(to: URL(fileURLWithPath: output))
          return print("\nwritten to \(output)")
        }
        let model = Data(set.encoded).base64EncodedString()
        let body = JSONText.object([("model", JSONText.quoted(model))])
        let answer = try await access.runningGateway()
          .send(.POST, "/api/v1/maintenance/models", body: body)
        print("\nin force: \(answer["scope"].text ?? target.scope), version \(version)")
      }
    }
  }
}

/// `millwright evaluate`: the same, without putting anything in force.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Judge what models of failures would be worth, and put nothing in force.",
    discussion: """
      EXAMPLES
        millwright evaluate --device press1
        millwright evaluate --profile press --from -2y
      """)

  @OptionGroup var place: ConfigurationOptions
  @OptionGroup var choice: TrainingChoice

  func run() async throws {
    try await reporting {
      let target = try choice.target(try place.load())
      let text = try await DataAccess.with(place) { access in
        let rows = try await TrainingHistory(access, choice).rows(target)
        return try choice.train(rows, target, version: 1).text
      }
      print(text)
    }
  }
}

/// Whom models are trained for, and how.
struct TrainingChoice: ParsableArguments {
  @Option(help: "The device; its entry under `maintenance:` counts.")
  var device: String?

  @Option(help: "All declared devices of a profile.")
  var profile: String?

  @Option(help: ArgumentHelp("Where the history begins.", valueName: "time"))
  var from = "-400d"

  @Option(help: "logistic, or trees (needs libxgboost0).")
  var method: MethodName = .logistic

  enum MethodName: String, ExpressibleByArgument, CaseIterable {
    case logistic, trees
  }

  struct Target {
    var scope: String
    var machine: MaintainedMachine
    var devices: [DeclaredDevice]
  }

  func validate() throws {
    guard (device == nil) != (profile == nil) else {
      throw ValidationError("give --device or --profile")
    }
  }

  func target(_ loaded: LoadedConfiguration) throws -> Target {
    let directory = loaded.gateway.devicesDirectory + "/"
    let files = loaded.readFiles.filter { $0.name.hasPrefix(directory) }
    let (configuration, _) = MaintenanceConfiguration.load(files: files, devices: loaded.devices)
    if let device {
      guard let declared = loaded.devices.device(device),
        let machine = configuration?.machine(device: device, profile: declared.profile)
      else { throw Failure("no entry under `maintenance:` is about device \(device)") }
      return Target(scope: device, machine: machine, devices: [declared])
    }
    let profile = profile ?? ""
    guard let machine = configuration?.machines.first(where: { $0.subject == .profile(profile) })
    else { throw Failure("no entry under `maintenance:` is about profile \(profile)") }
    return Target(
      scope: MaintenanceModelSet.scope(machine.subject), machine: machine,
      devices: loaded.devices.devices.filter { $0.profile == profile })
  }

  /// - Returns: the set, and the report in words.
  func train(
    _ rows: MaintenanceRows, _ target: Target, version: Int
  ) throws -> (set: MaintenanceModelSet, text: String) {
    let now = Timestamp(microseconds: ClockSource.system().read().wallMicroseconds)
    let training = MaintenanceTraining(
      method: method == .trees ? .trees(.failure) : .logistic(penalty: 1),
      life: method == .trees ? MaintenanceLifeTraining() : nil)
    let result: MaintenanceTraining.Result
    let bar = ProgressBar("training", total: training.steps, unit: "models")
    defer { bar.finish() }
    do {
      result = try training.train(
        rows, scope: target.scope, usageUnit: target.machine.usage.unit, version: version, at: now,
        progress: bar.update)
    } catch {
      throw Failure("\(error)")
    }
    let report = TrainingReport(
      rows: rows, result: result, method: method.rawValue, unit: target.machine.usage.unit)
    let set = MaintenanceModelSet(
      scope: target.scope, version: version, trainedAt: now, labelledFailures: rows.failures,
      features: rows.features, periodMicroseconds: target.machine.periodMicroseconds,
      usageUnit: target.machine.usage.unit, models: result.models, report: report.json.encoded)
    return (set, report.text)
  }
}

/// Feeds stored samples and maintenance events through the state that the gateway keeps live, day by day.
struct TrainingHistory {
  private let access: DataAccess
  private let from: String

  init(_ access: DataAccess, _ choice: TrainingChoice) {
    self.access = access
    from = choice.from
  }

  func rows(_ target: TrainingChoice.Target) async throws -> MaintenanceRows {
    let now = Timestamp(microseconds: ClockSource.system().read().wallMicroseconds)
    guard let start = Moment.time(from, now: now) else {
      throw Failure("`\(from)` is no time; write -400d or 2025-01-01")
    }
    var rows = MaintenanceRows(features: MachineCondition.features(of: target.machine))
    let all = try await access.series()
    for (number, device) in target.devices.enumerated() {
      let metrics = target.machine.metrics
      let series = all.filter { $0.key.device == device.id && metrics.contains($0.key.metric) }
      rows.append(
        try await history(of: device, series, target.machine, start..<now), machine: number)
    }
    return rows
  }

  private func history(
    of device: DeclaredDevice, _ series: [SeriesInfo], _ machine: MaintainedMachine,
    _ range: Range<Timestamp>
  ) async throws -> MachineHistory {
    var history = MachineHistory(machine)
    var reports = try await access.maintenanceReports(of: device)[...]
    let day: Int64 = 86_400_000_000
    var days = Set<Int64>()
    for series in series {
      let question = Question(
        from: range.lowerBound, to: range.upperBound, stepMicroseconds: day, aggregates: [.count],
        now: range.upperBound)
      for row in try await access.answer(question, for: series).rows {
        days.insert(row.time.microseconds)
      }
    }
    let state = machine.running?.metric
    for start in days.sorted() {
      var samples: [(time: Timestamp, order: Int, metric: String, value: Value)] = []
      for series in series {
        let question = Question(
          from: Timestamp(microseconds: start), to: Timestamp(microseconds: start + day),
          stepMicroseconds: nil, aggregates: [], now: range.upperBound)
        let order = series.key.metric == state ? 0 : 1
        for row in try await access.answer(question, for: series).rows {
          guard let value = row.cells.first ?? nil, row.cells.last != .text("bad") else { continue }
          samples.append((row.time, order, series.key.metric, value))
        }
      }
      samples.sort { ($0.time, $0.order, $0.metric) < ($1.time, $1.order, $1.metric) }
      for sample in samples {
        while let report = reports.first, report.moment <= sample.time {
          history.take(reports.removeFirst())
        }
        history.take(sample.metric, sample.value, at: sample.time)
      }
    }
    for report in reports { history.take(report) }
    return history
  }
}

extension DataAccess {
  func answer(_ question: Question, for series: SeriesInfo) async throws -> Answer {
    switch self {
    case .store(let store): try store.answer(question, for: series)
    case .gateway(let client): try await client.answer(question, for: series)
    }
  }

  /// What was told of a device's maintenance, in the order of time.
  func maintenanceReports(of device: DeclaredDevice) async throws -> [MaintenanceReport] {
    let sql = """
      SELECT event_id, time, device, properties FROM event WHERE name = '\(MaintenanceReport.eventName)'
      ORDER BY time LIMIT 100000
      """
    let result: SQLResult
    switch self {
    case .gateway(let client): result = try await client.run(sql)
    case .store(let store):
      result = try SQLConsole(secondsMax: 60, rowsMax: 100_000).run(sql, reader: store.reader)
    }
    let ids = [device.id] + device.was
    return result.rows.compactMap { row in
      guard row.count == 4, case .text(let id) = row[0], case .text(let properties) = row[3] else {
        return nil
      }
      var event = Event(
        id: id, name: MaintenanceReport.eventName, time: .epoch, properties: properties)
      if case .integer(let time) = row[1] { event.time = Timestamp(microseconds: time) }
      if case .text(let text) = row[1], let time = Timestamp(rfc3339: text) { event.time = time }
      if case .text(let name) = row[2] { event.device = name }
      // What cannot be read moved nothing when it came either.
      guard let report = try? MaintenanceReport(event) else { return nil }
      let isIts = report.device.map(ids.contains) ?? (report.asset == device.asset)
      return isIts ? report : nil
    }.sorted { $0.moment < $1.moment }
  }

  /// One more than what is in force; 1 where no gateway runs.
  func nextModelVersion(of scope: String) async throws -> Int {
    guard case .gateway(let client) = self else { return 1 }
    let items = try await client.get("/api/v1/maintenance/models")["items"].elements
    guard let present = items.first(where: { $0["scope"].text == scope }),
      case .integer(let version) = present["version"]
    else { return 1 }
    return Int(version) + 1
  }
}

/// What a training found, for people and as the report that the models carry.
struct TrainingReport {
  var rows: MaintenanceRows
  var result: MaintenanceTraining.Result
  var method: String
  /// Of usage.
  var unit: String

  var text: String {
    let machines = Set(rows.machines).count
    var lines = [
      "\(rows.count) rows of \(machines) machine\(machines == 1 ? "" : "s"), \(rows.failures) labelled failures, "
        + "\(rows.lives.count) lives of known usage", "",
      "Judged on the rows from \(result.cut.rfc3339) on, by models that saw only rows before:",
    ]
    var table = Table(
      [
        "horizon", "rows", "of failing", "AUC", "AUC of age alone", "log loss",
        "of a constant rate",
      ],
      rightAligned: [1, 2, 3, 4, 5, 6])
    table.rows = result.judgements.map { judgement in
      [
        judgement.horizon, String(judgement.testRows), String(judgement.testFailures),
        Self.number(judgement.areaUnderROC), Self.number(judgement.ageAreaUnderROC),
        Self.number(judgement.logLoss), Self.number(judgement.constantLogLoss),
      ]
    }
    lines.append(table.text)
    if result.judgements.contains(where: { $0.areaUnderROC == nil }) {
      lines.append(
        "–: the later part has not both kinds of rows, or the earlier part too few to train on")
    }
    if result.judgements.contains(where: {
      ($0.logLoss ?? 0) > ($0.constantLogLoss ?? .infinity)
    }) {
      lines.append(
        "A head whose log loss is above that of a constant rate foretells nothing; it is left out.")
    }
    lines.append("")
    lines.append(
      "models, trained on all rows: " + result.models.map(\.reference.name).joined(separator: ", ")
        + "\n(age: lives alone, for horizons without a head; life: the remaining life; life_by_age: until a life has readings)"
    )
    lines += lifeLines
    return lines.joined(separator: "\n")
  }

  private var lifeLines: [String] {
    if let problem = result.lifeProblem { return ["Remaining life is by age: \(problem)"] }
    guard let life = result.life else {
      return method == "trees"
        ? [
          "Remaining life is by age: for life by condition "
            + "\(MaintenanceLifeTraining.livesMin) lives that ended in a failure are needed."
        ] : []
    }
    let limit = "\(Self.number(life.limit)) \(unit)"
    guard let rmse = life.rmse, let age = life.ageRMSE else {
      return [
        "Remaining life is by age: only \(life.trainingLives) lives ended in a failure before the later part, and "
          + "\(life.testRows) of its rows came before one."
      ]
    }
    return [
      "Remaining life by condition, up to \(limit), on \(life.testRows) rows of the later part: RMSE "
        + "\(Self.number(rmse)) \(unit), by age alone \(Self.number(age)) \(unit); 90 % intervals held "
        + "\(Self.number(life.coverage)), mean width \(Self.number(life.width)) \(unit).",
      life.isUseful ? "It is put in force." : "Age alone does better; it stays in force.",
    ]
  }

  private static func number(_ value: Double?) -> String {
    value.map { String(format: "%.3f", $0) } ?? "–"
  }

  var json: JSONValue {
    .object([
      ("method", .string(method)), ("rows", .integer(rows.count)),
      ("machines", .integer(Set(rows.machines).count)), ("failures", .integer(rows.failures)),
      ("lives", .integer(rows.lives.count)), ("judged_from", .string(result.cut.rfc3339)),
      (
        "horizons",
        .array(
          result.judgements.map { judgement in
            .object([
              ("horizon", .string(judgement.horizon)),
              ("training_rows", .integer(judgement.trainingRows)),
              ("test_rows", .integer(judgement.testRows)),
              ("test_failing_rows", .integer(judgement.testFailures)),
              ("auc", judgement.areaUnderROC.map(JSONValue.double) ?? .null),
              ("auc_of_age", judgement.ageAreaUnderROC.map(JSONValue.double) ?? .null),
              ("log_loss", judgement.logLoss.map(JSONValue.double) ?? .null),
              ("log_loss_constant", judgement.constantLogLoss.map(JSONValue.double) ?? .null),
            ])
          })
      ),
      ("remaining_life", result.life.map(lifeJSON) ?? .null),
    ])
  }

  private func lifeJSON(_ life: MaintenanceLifeTraining.Judgement) -> JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.double) ?? .null }
    return .object([
      ("unit", .string(unit)), ("limit", .double(life.limit)),
      ("training_lives", .integer(life.trainingLives)), ("test_rows", .integer(life.testRows)),
      ("rmse", number(life.rmse)), ("rmse_of_age", number(life.ageRMSE)),
      ("coverage", number(life.coverage)), ("width", number(life.width)),
      ("in_force", .bool(life.isUseful)),
    ])
  }
}
