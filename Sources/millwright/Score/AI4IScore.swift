import ArgumentParser
import Telemetry
import Training

/// Failure probability on the AI4I 2020 data.
struct AI4IScore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ai4i",
    abstract: "Failure probability on the AI4I 2020 predictive maintenance data.",
    discussion: """
      Inputs are the type and the five measured columns, and what follows from them: temperature
      difference, power, wear × torque. Ids and failure modes are not read. Stratified 5-fold
      cross-validation; calibration and the F1 threshold come from folds inside the training rows;
      means over folds and repeats. Logistic regression stands beside the trees. Needs libxgboost0.
      """)

  @Argument(help: "ai4i2020.csv.")
  var file: String

  @Option(help: "How often the folds are drawn anew.")
  var repeats = 5

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard repeats > 0 else { throw ValidationError("--repeats is above 0.") }
  }

  func run() async throws {
    try await reporting {
      try BoostedTrees.requireLibrary()
      let rows = try AI4IRows(text: try DataFile.text(file), file: file)
      var runs: [(String, AI4IBenchmark.Outcome, Double)] = []
      for (name, method) in [
        ("trees", FailureTraining.Method.trees(.failure)), ("logistic", .logistic(penalty: 1)),
      ] {
        let began = ContinuousClock.now
        let bar = ProgressBar(name, total: repeats * 5, unit: "folds")
        let outcome = try AI4IBenchmark(method: method, repeats: repeats).run(
          rows, progress: { done, _ in bar.update(to: done) })
        bar.finish()
        runs.append((name, outcome, (ContinuousClock.now - began) / .seconds(1)))
      }
      json ? printJSON(rows, runs) : printTable(rows, runs)
    }
  }

  private func printTable(_ rows: AI4IRows, _ runs: [(String, AI4IBenchmark.Outcome, Double)]) {
    print(
      "AI4I 2020: \(rows.labels.count) rows, \(rows.labels.count { $0 }) failures, "
        + "5 folds × \(repeats)")
    var table = Table(
      ["", "ROC-AUC", "±", "F1", "±", "log loss", "calibration error", "seconds"],
      rightAligned: Set(1...7))
    for (name, outcome, seconds) in runs {
      table.rows.append([
        name, Number.text(outcome.areaUnderROC, decimals: 4),
        Number.text(outcome.areaDeviation, decimals: 4), Number.text(outcome.f1, decimals: 4),
        Number.text(outcome.f1Deviation, decimals: 4), Number.text(outcome.logLoss, decimals: 4),
        Number.text(outcome.calibrationError, decimals: 4), Number.text(seconds, decimals: 1),
      ])
    }
    print(table.text)
    print("±: standard deviation between repeats")
  }

  private func printJSON(_ rows: AI4IRows, _ runs: [(String, AI4IBenchmark.Outcome, Double)]) {
    let results = runs.map { name, outcome, seconds in
      JSONValue.object([
        ("model", .string(name)), ("roc_auc", .double(outcome.areaUnderROC)),
        ("roc_auc_deviation", .double(outcome.areaDeviation)), ("f1", .double(outcome.f1)),
        ("f1_deviation", .double(outcome.f1Deviation)), ("log_loss", .double(outcome.logLoss)),
        ("calibration_error", .double(outcome.calibrationError)), ("seconds", .double(seconds)),
      ])
    }
    print(
      JSONValue.object([
        ("benchmark", .string("ai4i2020")), ("rows", .integer(rows.labels.count)),
        ("failures", .integer(rows.labels.count { $0 })), ("repeats", .integer(repeats)),
        ("runs", .array(results)),
      ]).encoded)
  }
}
