import Scoring
import Statistics
import Telemetry
import TestSupport
import Testing

@testable import Training

@Suite("Training on the history of machines")
struct MaintenanceTrainingTests {
  private static let machine: MaintainedMachine = {
    var machine = MaintainedMachine(.device("press1"))
    machine.signals = [Feature("vibration", unit: "mm/s")]
    machine.usage = .init(source: .calendarHours, unit: "h", initial: 0)
    return machine
  }()

  private static let start = Timestamp(rfc3339: "2026-01-01T00:00:00Z")!

  private static func report(_ kind: MaintenanceEvent.Kind, _ hours: Int) throws
    -> MaintenanceReport
  {
    let time = start.advanced(byMicroseconds: Int64(hours) * 3_600_000_000).rfc3339
    return try MaintenanceReport(
      reading: .object([
        ("device_id", .string("press1")), ("kind", .string(kind.rawValue)),
        ("start", .string(time)),
      ]))
  }

  /// Lives of random length; in its last three days vibration rises. A failure is repaired by a replacement.
  private static func history(lives: Int, seed: UInt64) throws -> MachineHistory {
    var random = SeededGenerator(seed: seed)
    var history = MachineHistory(machine)
    var hour = 0
    for _ in 0..<lives {
      let length = Int.random(in: 200...500, using: &random)
      for age in 0..<length {
        let rise = max(0, 1 - Double(length - age) / 72)
        let vibration = 1.5 + 2 * rise + Double.random(in: -0.2...0.2, using: &random)
        history.take(
          "vibration", .number(vibration),
          at: start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000))
        hour += 1
      }
      history.take(try report(.failure, hour))
      history.take(try report(.replacement, hour + 1))
      hour += 5
    }
    return history
  }

  private static func rows(lives: Int, seed: UInt64 = 7) throws -> MaintenanceRows {
    var rows = MaintenanceRows(features: MachineCondition.features(of: machine))
    rows.append(try history(lives: lives, seed: seed), machine: 0)
    return rows
  }

  @Test("Labels look ahead to the next failure; what nobody knows is no label")
  func labels() throws {
    var history = MachineHistory(Self.machine)
    for hour in 0..<200 {
      if hour == 50 { history.take(try Self.report(.preventive, 50)) }
      history.take(
        "vibration", .number(1),
        at: Self.start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000))
    }
    history.take(try Self.report(.failure, 200))
    var rows = MaintenanceRows(features: MachineCondition.features(of: Self.machine))
    rows.append(history, machine: 0)
    #expect(rows.failures == 1)
    func label(_ hour: Int) -> Bool?? {
      let time = Self.start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000)
      return rows.times.firstIndex(of: time).map { rows.label($0, within: 86_400) }
    }
    #expect(label(10) == .some(false))
    // Replaced within the day: whether it would have failed is not known.
    #expect(label(40) == .some(nil))
    #expect(label(100) == .some(false) && label(190) == .some(true))
  }

  @Test("Below five failures nothing is trained, and the refusal says what to do")
  func refusal() throws {
    let training = MaintenanceTraining()
    do {
      _ = try training.train(
        try Self.rows(lives: 4), scope: "press1", usageUnit: "h", version: 1, at: .epoch)
      Issue.record("it was trained")
    } catch let error as TrainingError {
      #expect(error.description.contains("4 labelled failures"))
      #expect(error.description.contains("maintenance import"))
    }
  }

  @Test("A signal that rises before failures is found, judged on time that was not seen")
  func foretells() throws {
    let result = try MaintenanceTraining().train(
      try Self.rows(lives: 20), scope: "press1", usageUnit: "h", version: 2, at: .epoch)
    let day = result.judgements[0]
    #expect(day.horizon == "24h" && day.isUseful)
    #expect(try #require(day.areaUnderROC) > 0.95)
    #expect(try #require(day.areaUnderROC) > (try #require(day.ageAreaUnderROC)))
    let names = result.models.map(\.reference.name)
    #expect(
      names.contains("press1/24h") && names.contains("press1/age") && names.contains("press1/life"))
    #expect(result.models.allSatisfy { $0.reference.version == 2 })
    // In force it foretells a machine that shakes, and one that does not.
    let features = MachineCondition.features(of: Self.machine)
    let set = MaintenanceModelSet(
      scope: "press1", version: 2, trainedAt: .epoch, labelledFailures: 20, features: features,
      periodMicroseconds: 3_600_000_000, usageUnit: "h", models: result.models, report: "{}")
    func chance(_ vibration: Double) throws -> Double {
      var condition = MachineCondition(Self.machine)
      var last = Self.start
      for hour in 0..<100 {
        last = Self.start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000)
        condition.take(
          "vibration", .number(hour < 60 ? 1.5 : vibration), at: last, Self.machine)
      }
      let outlook = MaintenanceOutlook(
        device: "press1", asset: "", machine: Self.machine, condition: condition, models: set,
        at: last)
      #expect(outlook.forecast.basis == .model)
      #expect(outlook.forecast.failures.allSatisfy { $0.value != nil })
      return try #require(outlook.forecast.failures[0].value)
    }
    #expect(try chance(3.2) > 0.5)
    #expect(try chance(1.5) < 0.1)
  }

  @Test(
    "Remaining life by condition beats the age where a signal tells the wear, and goes in force",
    .enabled(if: hasXGBoost, "libxgboost0 is not installed: apt install libxgboost0"))
  func lifeByCondition() throws {
    var light = TreeSettings.remainingLife
    (light.rounds, light.boosters, light.learningRate) = (25, 1, 0.15)
    let training = MaintenanceTraining(life: MaintenanceLifeTraining(settings: light))
    let result = try training.train(
      try Self.rows(lives: 24), scope: "press1", usageUnit: "h", version: 1, at: .epoch)
    let life = try #require(result.life)
    #expect(life.trainingLives >= 10 && life.testRows > 500)
    #expect((150...270).contains(life.limit))
    #expect(life.isUseful, "RMSE \(life.rmse ?? -1) h, by age \(life.ageRMSE ?? -1) h")
    #expect(try #require(life.coverage) > 0.75)
    let model = try #require(result.models.first { $0.reference.name == "press1/life" })
    guard case .trees = model.kind else {
      Issue.record("it is not the trees")
      return
    }
    // The last hours of a life that nobody has seen.
    let unseen = try Self.history(lives: 1, seed: 99)
    let row = try #require(unseen.rows.last)
    let score = model.score(entity: "press1", row: row, at: .epoch)
    #expect(try #require(score.value) < 60)
    #expect(score.unit == "h" && score.interval != nil)
    // In force: a life that has no readings yet is judged by its age.
    let set = MaintenanceModelSet(
      scope: "press1", version: 1, trainedAt: .epoch, labelledFailures: 24,
      features: MachineCondition.features(of: Self.machine), periodMicroseconds: 3_600_000_000,
      usageUnit: "h", models: result.models, report: "{}")
    func outlook(_ condition: MachineCondition) throws -> Score {
      let outlook = MaintenanceOutlook(
        device: "press1", asset: "", machine: Self.machine, condition: condition, models: set,
        at: try #require(condition.usage.lastSeen))
      return try #require(outlook.forecast.remainingLife)
    }
    let fresh = try outlook(unseen.condition)
    #expect(fresh.model?.name == "press1/life_by_age")
    var grown = unseen.condition
    let last = try #require(grown.usage.lastSeen)
    for hour in 1...40 {
      grown.take(
        "vibration", .number(1.5), at: last.advanced(byMicroseconds: Int64(hour) * 3_600_000_000),
        Self.machine)
    }
    #expect(try outlook(grown).model?.name == "press1/life")
    #expect(try #require(try outlook(grown).value) > 100)
    // With few lives it is not tried.
    let few = try training.train(
      try Self.rows(lives: 8), scope: "press1", usageUnit: "h", version: 1, at: .epoch)
    #expect(few.life == nil)
    #expect(few.models.contains { $0.reference.name == "press1/life" })
  }

  @Test("What is left of a life ends with its failure; a replacement before tells nothing")
  func remaining() throws {
    var history = MachineHistory(Self.machine)
    for hour in 0..<300 {
      if hour == 100 { history.take(try Self.report(.preventive, 100)) }
      if hour == 250 {
        history.take(try Self.report(.failure, 250))
        history.take(try Self.report(.replacement, 251))
      }
      history.take(
        "vibration", .number(1),
        at: Self.start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000))
    }
    var rows = MaintenanceRows(features: MachineCondition.features(of: Self.machine))
    rows.append(history, machine: 0)
    func remaining(_ hour: Int) -> Double?? {
      let time = Self.start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000)
      return rows.times.firstIndex(of: time).map { rows.remaining($0) }
    }
    #expect(remaining(50) == .some(nil))
    #expect(try #require(remaining(150) ?? nil) == 99)
    #expect(remaining(280) == .some(nil))
    #expect(Set(rows.lifeOf).count == 3)
  }

  @Test("A signal that says nothing gives no head; lives by age still do")
  func foretellsNothing() throws {
    var rows = MaintenanceRows(features: MachineCondition.features(of: Self.machine))
    var history = MachineHistory(Self.machine)
    var random = SeededGenerator(seed: 3)
    var hour = 0
    for life in 0..<12 {
      // Failures by chance alone, whatever the age or the signal.
      for _ in 0..<(40 + (life * 37) % 300) {
        history.take(
          "vibration", .number(Double.random(in: 1...2, using: &random)),
          at: Self.start.advanced(byMicroseconds: Int64(hour) * 3_600_000_000))
        hour += 1
      }
      history.take(try Self.report(.failure, hour))
      history.take(try Self.report(.replacement, hour))
    }
    rows.append(history, machine: 0)
    let result = try MaintenanceTraining().train(
      rows, scope: "press1", usageUnit: "h", version: 1, at: .epoch)
    for judgement in result.judgements where !judgement.isUseful {
      #expect(!result.models.contains { $0.reference.name == "press1/" + judgement.horizon })
    }
    #expect(result.models.contains { $0.reference.name == "press1/life" })
  }
}
