import Statistics
import Telemetry
import Testing

@testable import Scoring

@Suite("What is said of a machine's maintenance")
struct MaintenanceOutlookTests {
  private static func outlook(
    hours: Double, vibration: Double, set: MaintenanceModelSet? = nil, isHeld: Bool = false,
    change: (inout MaintainedMachine) -> Void
  ) -> MaintenanceOutlook {
    var machine = MachineConditionTests.press
    machine.services = []
    change(&machine)
    var condition = MachineCondition(machine)
    MachineConditionTests.run(hours: hours, vibration: vibration, &condition, machine: machine)
    return MaintenanceOutlook(
      device: "press1", asset: "plant/press1", machine: machine, condition: condition, models: set,
      isHeld: isHeld, at: MachineConditionTests.at(hours: hours))
  }

  @Test("With zones alone there is health and advice, and no probability")
  func zonesOnly() throws {
    let outlook = Self.outlook(hours: 10, vibration: 3.5) { $0.leadMicroseconds = 86_400_000_000 }
    #expect(outlook.forecast.basis == .zones && outlook.zone == .c)
    #expect(outlook.forecast.failures.allSatisfy { $0.value == nil })
    #expect(outlook.recommendation.code == "plan_repair")
    #expect(outlook.recommendation.dueBefore == outlook.zoneSince?.advanced(byHours: 24))
    #expect(outlook.cost == .failure(.noCosts))
    let health = try #require(outlook.forecast.health)
    #expect(outlook.scale == .health && outlook.reasons.count == 1)
    #expect((outlook.reasons[0].contribution - (health - 1)).magnitude < 1e-12)
    let worse = Self.outlook(hours: 10, vibration: 6) { _ in }
    #expect(worse.recommendation.urgency == .stop && worse.zone == .d)
    #expect(MaintenanceOutlook.isMoreUrgent(worse, outlook))
  }

  @Test("A declared prior gives probabilities in the time that use takes, with reasons that add up")
  func prior() throws {
    let outlook = Self.outlook(hours: 100, vibration: 1) {
      $0.prior = Weibull(shape: 2, scale: 20_000)
    }
    #expect(outlook.forecast.basis == .weibullPrior)
    // Age 1,100 of 20,000 strokes, ten an hour: H(t + 240) − H(t) = (1340² − 1100²)/20000².
    let day = try #require(outlook.forecast.failures[0].value)
    #expect((day - 0.001463).magnitude < 3e-5)
    let sum = outlook.reasons.reduce(0) { $0 + $1.contribution }
    #expect((sum - (outlook.margin - outlook.base)).magnitude < 1e-12)
    #expect(outlook.scale == .cumulativeHazard && outlook.reasons.map(\.signal) == ["age"])
    let life = try #require(outlook.forecast.remainingLife?.value)
    let hours = try #require(outlook.forecast.remainingHours?.value)
    #expect((life / hours - 10).magnitude < 0.1)
  }

  @Test("Waiting costs what the hazard adds, less what a longer life saves")
  func cost() throws {
    let costs = MaintainedMachine.Costs(currency: "EUR", failure: 9, planned: 1)
    // The best age T solves 2T·∫₀ᵀe^(−t²) − (1 − e^(−T²)) = 1/8: T = 0.3573, and then g = 2T·8.
    let lives = Weibull(shape: 2, scale: 1)
    #expect((CostOfWaiting.longRunCost(costs, lives: lives) - 5.717).magnitude < 5e-3)
    // Without wear no age is best: one waits for the failure.
    let chance = Weibull(shape: 1, scale: 1)
    #expect((CostOfWaiting.longRunCost(costs, lives: chance) - 9).magnitude < 1e-9)
    let year = MaintainedMachine.Costs(currency: "EUR", failure: 18_400, planned: 3_100)
    let late = try CostOfWaiting(
      costs: year, probability: 0.01, lives: Weibull(shape: 2, scale: 365))
    // 0.0100503 × 15,300 less what 365 days at the best age cost.
    let daily = CostOfWaiting.longRunCost(year, lives: Weibull(shape: 2, scale: 365))
    #expect((late.amount - (153.770 - daily)).magnitude < 1e-3 && late.amount > 0)
    #expect(late.phrase.english.hasPrefix("Each day of waiting costs about "))
    let young = try CostOfWaiting(
      costs: year, probability: 0.0001, lives: Weibull(shape: 2, scale: 365))
    #expect(young.amount < 0 && young.phrase.portuguese.hasPrefix("Esperar ainda compensa"))
    #expect(throws: CostOfWaiting.Refusal.noCosts) {
      try CostOfWaiting(costs: nil, probability: 0.1, lives: nil)
    }
    #expect(throws: CostOfWaiting.Refusal.noProbability) {
      try CostOfWaiting(costs: costs, probability: nil, lives: nil)
    }
  }

  @Test("An old part is to be replaced once waiting costs more than it saves; a young one is not")
  func replacement() throws {
    func outlook(_ age: Double, isHeld: Bool = false) -> MaintenanceOutlook {
      Self.outlook(hours: 48, vibration: 1, isHeld: isHeld) {
        $0.prior = Weibull(shape: 3, scale: 20_000)
        $0.costs = .init(currency: "EUR", failure: 5_000, planned: 1_000)
        $0.usage.initial = age
      }
    }
    #expect(outlook(2_000).recommendation.code == "no_action")
    let old = outlook(18_000)
    #expect(old.recommendation.code == "plan_replacement" && old.recommendation.isForecast)
    #expect(try #require(try? old.cost.get()).amount > 0)
    #expect(try #require(old.recommendation.dueBefore) > old.time)
  }

  @Test("A model counts from five failures on, and only with the rows it was trained on")
  func models() throws {
    let features = MachineCondition.features(of: MachineConditionTests.press)
    let weights = features.indices.map { $0 == 3 ? 0.5 : 0.0 }
    let model = ScoringModel(
      reference: ModelReference(name: "press1/30d", version: 1, trainedAt: .epoch),
      features: features,
      kind: .logistic(
        LinearModel(base: -3, weights: weights, means: features.map { _ in 1.5 })),
      output: .probability(
        horizon: Horizon(name: "30d", seconds: 2_592_000, usage: 7_200), calibration: .identity))
    var set = MaintenanceModelSet(
      scope: "press1", version: 1, trainedAt: .epoch, labelledFailures: 5, features: features,
      periodMicroseconds: 3_600_000_000, usageUnit: "strokes", models: [model], report: "{}")
    let outlook = Self.outlook(hours: 30, vibration: 2, set: set) { _ in }
    #expect(outlook.forecast.basis == .model && outlook.model?.name == "press1/30d")
    #expect(outlook.explained == "failure_30d" && outlook.scale == .logit)
    let sum = outlook.reasons.reduce(0) { $0 + $1.contribution }
    #expect((sum - (outlook.margin - outlook.base)).magnitude < 1e-9)
    // Seven features of vibration are one reason.
    #expect(outlook.reasons.count == 3 && outlook.reasons[0].signal == "vibration")
    #expect(try MaintenanceModelSet(encoded: set.encoded) == set)
    set.labelledFailures = 4
    #expect(Self.outlook(hours: 30, vibration: 2, set: set) { _ in }.forecast.basis == .zones)
    set.labelledFailures = 9
    let other = Self.outlook(hours: 30, vibration: 2, set: set) {
      $0.periodMicroseconds = 60_000_000
    }
    #expect(other.forecast.basis == .zones && other.model == nil)
  }

  @Test("The plan has the members that a dashboard is built on")
  func plan() throws {
    let outlook = Self.outlook(hours: 10, vibration: 3.5) {
      $0.prior = Weibull(shape: 2, scale: 20_000)
      $0.costs = .init(currency: "EUR", failure: 5_000, planned: 1_000)
    }
    let json = outlook.plan(in: .portuguese)
    let names = json.members?.map(\.0) ?? []
    for name in [
      "device_id", "asset", "health", "zone", "failure_probability", "remaining_useful_life",
      "recommended_action", "due_before", "cost_of_waiting", "reasons", "basis",
    ] {
      #expect(names.contains(name))
    }
    #expect(json["zone"]?.text == "C")
    #expect(json["failure_probability"]?.members?.map(\.0) == ["24h", "7d", "30d"])
    #expect(json["cost_of_waiting"]?["per"]?.text == "day")
    #expect(json["recommended_action"]?["text"]?.text?.contains("planeje um reparo") == true)
    #expect(json["remaining_useful_life"]?["unit"]?.text == "strokes")
  }
}

@Suite("What is told of maintenance")
struct MaintenanceReportTests {
  private static func read(_ text: String) throws -> MaintenanceReport {
    try MaintenanceReport(reading: try JSONReader.read(Array(text.utf8)))
  }

  @Test(
    "A mistake is refused with its field and a code",
    arguments: [
      ("[]", "", "not_an_object"), (#"{"kind": "failure"}"#, "start", "missing"),
      (#"{"device_id": "p", "kind": "faliure", "start": 1795248000}"#, "kind", "unknown_kind"),
      (#"{"device_id": "p", "start": 1795248000}"#, "kind", "missing"),
      (#"{"kind": "failure", "start": 1795248000}"#, "device_id", "missing"),
      (#"{"device_id": "p", "kind": "failure", "start": "monday"}"#, "start", "bad_timestamp"),
      (
        #"{"device_id": "p", "kind": "failure", "start": 1795248000, "end": 1795247000}"#, "end",
        "end_before_start"
      ),
      (
        #"{"device_id": "p", "kind": "failure", "start": 1795248000, "cost": -1}"#, "cost",
        "bad_cost"
      ),
      (
        #"{"device_id": "p", "kind": "failure", "start": 1795248000, "resets_life": "yes"}"#,
        "resets_life", "not_a_boolean"
      ), (#"{"devise_id": "p", "kind": "failure", "start": 1}"#, "devise_id", "unknown_member"),
    ])
  func mistakes(_ text: String, _ field: String, _ code: String) throws {
    do {
      _ = try Self.read(text)
      Issue.record("it was taken: \(text)")
    } catch let refusal as MaintenanceReport.Refusal {
      #expect(refusal.field == field && refusal.code == code && !refusal.detail.isEmpty)
    }
  }

  @Test("A report goes into the event log and comes back the same")
  func roundTrip() throws {
    let report = try Self.read(
      #"{"event_id": "wo-1", "device_id": "press1", "component": "bearing", "kind": "replacement", "start": "2026-11-21T08:00:00Z", "end": "2026-11-21T10:00:00Z", "cause": "worn", "cost": 1480.5}"#
    )
    #expect(report.beginsLife)
    var again = try MaintenanceReport(report.event(id: "x"))
    #expect(again.resetsLife == true)
    again.resetsLife = nil
    #expect(again == report)
  }
}
