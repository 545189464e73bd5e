import Statistics
import Telemetry
import Testing

@testable import Scoring

@Suite struct MaintenanceTests {
  static func event(
    _ kind: MaintenanceEvent.Kind, _ usage: Double, resets: Bool? = nil
  ) -> MaintenanceEvent {
    MaintenanceEvent(
      kind: kind, time: Timestamp(microseconds: Int64(usage) * 1_000_000), usage: usage,
      resetsLife: resets)
  }

  @Test("A preventive replacement censors a life, a failure ends one")
  func lives() {
    let history = MaintenanceHistory(
      events: [
        Self.event(.preventive, 100), Self.event(.inspection, 150), Self.event(.failure, 180),
        Self.event(.replacement, 185),
      ], birth: 0, now: 200)
    #expect(
      history.lives == [
        Life(duration: 100, isFailure: false), Life(duration: 80, isFailure: true),
        Life(duration: 15, isFailure: false),
      ])
    #expect(history.failures == 1 && history.age == 15)
  }

  @Test("A repair that does not reset life leaves the machine its age")
  func repair() {
    let history = MaintenanceHistory(
      events: [
        Self.event(.failure, 50), Self.event(.failure, 51), Self.event(.repair, 52),
        Self.event(.failure, 90), Self.event(.repair, 91, resets: true),
      ].reversed(), birth: 0, now: 100)
    // A second report of one breakdown is not a second failure.
    #expect(history.failures == 2)
    #expect(
      history.lives == [
        Life(duration: 50, isFailure: true), Life(duration: 90, isFailure: true),
        Life(duration: 9, isFailure: false),
      ])
  }

  @Test(
    "Severity falls into the zone its limits say",
    arguments: [
      (0.0, "A", 1.0), (2.29, "A", 0.751), (2.3, "B", 0.75), (4.5, "C", 0.5), (7.1, "D", 0.25),
      (8.4, "D", 0.125), (50, "D", 0),
    ])
  func zones(_ value: Double, _ zone: String, _ health: Double) throws {
    let zones = try #require(SeverityZones.example("iso10816-3/1/rigid"))
    #expect(zones.zone(of: value)?.rawValue == zone)
    #expect((try #require(zones.health(of: value)) - health).magnitude < 1e-3)
  }

  @Test("Limits that do not rise are no zones; a value that is missing is in none")
  func badZones() throws {
    #expect(SeverityZones(aToB: 2, bToC: 2, cToD: 3, unit: "mm/s") == nil)
    let zones = try #require(SeverityZones(aToB: 1, bToC: 2, cToD: 3, unit: "mm/s"))
    #expect(zones.zone(of: .nan) == nil && zones.health(of: .nan) == nil)
    #expect(SeverityZones.example("iso10816-9") == nil)
  }

  @Test("Below five labelled failures there is a zone and no probability")
  func zonesOnly() throws {
    let forecast = FailureForecast(
      entity: "press1",
      evidence: .init(
        labelledFailures: 4, failureModels: [SampleModels.all[3]],
        zones: SeverityZones.example("iso10816-3/1/rigid")),
      condition: .init(rows: ["sample": [1, 2]], severity: 5, usageUnit: "h"), at: .epoch)
    #expect(forecast.basis == .zones && forecast.zone == .c)
    #expect(forecast.failures.map(\.name) == ["failure_24h", "failure_7d", "failure_30d"])
    #expect(forecast.failures.allSatisfy { $0.value == nil && $0.basis == .zones })
    #expect(forecast.remainingLife == nil)
    #expect(try #require(forecast.health) < 0.5)
  }

  @Test("A declared prior gives probabilities that rise with the horizon, and says what it is")
  func prior() throws {
    let forecast = FailureForecast(
      entity: "press1",
      evidence: .init(labelledFailures: 2, prior: Weibull(shape: 2, scale: 1_000)),
      condition: .init(age: 500, usagePerHour: 0.5, usageUnit: "cycle"), at: .epoch)
    #expect(forecast.basis == .weibullPrior)
    let values = forecast.failures.compactMap(\.value)
    #expect(values.count == 3 && values == values.sorted() && values[0] < values[2])
    #expect(forecast.failures.allSatisfy { $0.basis == .weibullPrior })
    let life = try #require(forecast.remainingLife)
    let weibull = Weibull(shape: 2, scale: 1_000)
    #expect(life.value == weibull.remaining(at: 500, survival: 0.5) && life.unit == "cycle")
    let hours = try #require(forecast.remainingHours)
    #expect(hours.value == (life.value ?? 0) * 2 && hours.unit == "h")
    let health = try #require(forecast.health)
    #expect(health > 0 && health < 1)
  }

  @Test("Without a duty rate a prior in cycles says nothing about calendar horizons")
  func noRate() {
    let forecast = FailureForecast(
      entity: "press1", evidence: .init(prior: Weibull(shape: 2, scale: 1_000)),
      condition: .init(age: 500, usageUnit: "cycle"), at: .epoch)
    #expect(forecast.failures.allSatisfy { $0.value == nil })
    #expect(forecast.remainingLife?.value != nil && forecast.remainingHours == nil)
  }

  @Test("With five failures each horizon has its own head, and health is the worst that is said")
  func model() throws {
    let heads = Horizon.standard(usagePerHour: 1).enumerated().map { index, horizon in
      var head = SampleModels.model(
        .logistic(LinearModel(base: Double(index) - 3, weights: [0.5, 0], means: [0, 0])),
        .probability(horizon: horizon, calibration: .identity))
      head.reference.name = "head\(index)"
      return head
    }
    let rows = Dictionary(uniqueKeysWithValues: (0..<3).map { ("head\($0)", [1.0, 0]) })
    let forecast = FailureForecast(
      entity: "press1",
      evidence: .init(
        labelledFailures: 5, failureModels: heads, prior: Weibull(shape: 1, scale: 1),
        zones: SeverityZones.example("iso10816-1/I")),
      condition: .init(rows: rows, severity: 0.1, usageUnit: "h"), at: .epoch)
    #expect(forecast.basis == .model)
    for (index, score) in forecast.failures.enumerated() {
      #expect(score.model?.name == "head\(index)" && score.scale == .logit)
    }
    let month = try #require(forecast.failures[2].value)
    #expect(forecast.health == 1 - month)
  }

  @Test("Health from a life model is its remaining life as a share of the limit")
  func lifeHealth() {
    var life = SampleModels.all[2]
    life.reference.name = "life"
    let forecast = FailureForecast(
      entity: "engine", evidence: .init(labelledFailures: 9, lifeModel: life),
      condition: .init(rows: ["life": [1, 2]], usagePerHour: 2, usageUnit: "cycle"), at: .epoch)
    #expect(forecast.remainingLife?.value == 60 && forecast.health == 60.0 / 125)
    #expect(forecast.remainingHours?.value == 30)
  }
}
