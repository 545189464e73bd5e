import ArgumentParser
import Foundation
import Scoring
import Simulator
import Statistics
import Telemetry
import Training

/// Remaining life against the simulator's truth.
struct RemainingLifeBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rul",
    abstract: "Whether intervals of remaining life hold the truth, on presses run to failure.",
    discussion: """
      Simulated presses wear until a bearing fails; lives of 50 to 110 hours, and how badly they
      shake at the end, differ. The model of `millwright score cmapss` is trained on some and judged
      on others: every half-hour of their second half of life, against the life they truly had left.
      Needs libxgboost0.
      """)

  @Option(help: "Presses to train on.")
  var machines = 60

  @Option(help: "Presses to judge by.")
  var tested = 60

  @Option(help: "Rounds of trees.")
  var rounds = 200

  @Option(help: "Seed of the first press.")
  var seed: UInt64 = 1

  func validate() throws {
    guard machines >= 10, tested >= 1, rounds >= 1 else {
      throw ValidationError("--machines is 10 or more, --tested and --rounds are above 0.")
    }
  }

  func run() async throws {
    try await reporting {
      try BoostedTrees.requireLibrary()
      let bar = ProgressBar("presses", total: machines + tested)
      let lives = (0..<machines + tested).map { index in
        defer { bar.update(to: index + 1) }
        return RunToFailure(seed: seed &+ UInt64(index))
      }
      bar.finish()
      var training = RemainingLifeTraining(limit: 240, unit: "half-hour")
      training.settings.rounds = rounds
      let result = try training.train(
        LifeRows.rows(Array(lives[..<machines])),
        reference: ModelReference(name: "remaining_life", version: 1, trainedAt: .epoch))
      print(report(LifeJudgement(result.model, Array(lives[machines...])), result))
    }
  }

  private func report(_ judged: LifeJudgement, _ result: RemainingLifeTraining.Result) -> String {
    var table = Table(
      ["life used", "moments", "inside 90 % interval", "mean width, h", "RMSE, h"],
      rightAligned: [1, 2, 3, 4])
    for part in judged.parts {
      table.rows.append([
        part.name, "\(part.count)", Number.text(part.coverage, decimals: 3),
        Number.text(part.width / 2, decimals: 1), Number.text(part.rmse / 2, decimals: 1),
      ])
    }
    return "\(machines) presses to train on, \(tested) to judge by; "
      + "inside in cross-validation \(Number.text(result.validationCoverage, decimals: 3))\n"
      + table.text
  }
}

/// The rows that a life gives.
enum LifeRows {
  static let sensors = [
    Feature("vibration", unit: "mm/s"), Feature("temperature", unit: "°C"),
    Feature("power", unit: "kW"),
  ]

  static func features(of life: RunToFailure, _ take: (Int, [Double]) -> Void) {
    var features = LifeFeatures(sensorCount: sensors.count)
    for (index, cycle) in life.cycles.enumerated() {
      features.observe([cycle.vibration, cycle.temperature, cycle.power])
      take(index, features.values)
    }
  }

  static func rows(_ lives: [RunToFailure]) -> RemainingLifeTraining.Rows {
    let names = LifeFeatures.features(of: sensors, cycleUnit: "half-hour")
    var values = Matrix(columnCount: names.count)
    var (remaining, machines): ([Double], [Int]) = ([], [])
    for (machine, life) in lives.enumerated() {
      features(of: life) { index, row in
        values.append(row)
        remaining.append(Double(life.cycles.count - 1 - index))
        machines.append(machine)
      }
    }
    return RemainingLifeTraining.Rows(
      features: names, values: values, remaining: remaining, machines: machines)
  }
}

/// How often the truth lay in the interval, by how much of the life was used up.
struct LifeJudgement {
  struct Part {
    var name: String
    var count = 0
    var coverage = 0.0
    /// In half-hours, as `rmse`.
    var width = 0.0
    var rmse = 0.0
  }

  private(set) var parts: [Part] = []

  init(_ model: ScoringModel, _ lives: [RunToFailure]) {
    var shares: [Double] = []
    var truths: [Double] = []
    var values: [Double] = []
    var intervals: [ClosedRange<Double>] = []
    for life in lives {
      LifeRows.features(of: life) { index, row in
        let score = model.score(entity: "press", row: row, at: .epoch)
        shares.append(Double(index + 1) / Double(life.cycles.count))
        truths.append(Double(life.cycles.count - 1 - index))
        values.append(score.value ?? 0)
        intervals.append(score.interval ?? 0...0)
      }
    }
    for (name, range) in [
      ("before half", 0.0..<0.5), ("half on", 0.5..<2), ("three quarters on", 0.75..<2),
      ("nine tenths on", 0.9..<2),
    ] {
      let chosen = shares.indices.filter { range.contains(shares[$0]) }
      let known = chosen.map { truths[$0] }
      let ranges = chosen.map { intervals[$0] }
      parts.append(
        Part(
          name: name, count: chosen.count,
          coverage: RegressionMetrics.coverage(intervals: ranges, truths: known),
          width: RegressionMetrics.meanWidth(ranges),
          rmse: RegressionMetrics.rmse(predictions: chosen.map { values[$0] }, truths: known)))
    }
  }
}
