import ArgumentParser
import Foundation
import Telemetry
import Training

/// Remaining useful life on NASA's turbofan data.
struct CMAPSSScore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cmapss",
    abstract: "Remaining useful life on NASA's C-MAPSS turbofan engines.",
    discussion: """
      Trains on train_SET.txt, predicts each engine of test_SET.txt after its last cycle, and compares
      with RUL_SET.txt. Remaining life is capped at 125 cycles in training; RMSE and PHM08 are printed
      against the true and against the capped life. The 90 % intervals are made of errors on engines
      that a fold's model had not seen; their coverage is printed for cross-validation over all cut
      points and for the test engines. Trees are grown with fixed settings that were chosen by
      engine-grouped cross-validation on the training file of FD001. Needs libxgboost0.
      """)

  @Argument(help: "The folder with train_SET.txt, test_SET.txt and RUL_SET.txt.")
  var directory: String

  @Option(help: "FD001, FD002, FD003 or FD004.")
  var set = "FD001"

  @Flag(help: "Leave out the second row, which does without the cycle count.")
  var withAgeOnly = false

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    try await reporting {
      try BoostedTrees.requireLibrary()
      let train = try rows("train_\(set).txt")
      let test = try rows("test_\(set).txt")
      let lives = "\(directory)/RUL_\(set).txt"
      let truths = try CMAPSSRows.remainingLives(text: try DataFile.text(lives), file: lives)
      var runs: [(Bool, CMAPSSBenchmark.Outcome, Double)] = []
      for usesAge in withAgeOnly ? [true] : [true, false] {
        let began = ContinuousClock.now
        let bar = ProgressBar(usesAge ? "with age" : "without age", total: 6, unit: "trainings")
        let outcome = try CMAPSSBenchmark(usesAge: usesAge).run(
          train: train, test: test, truths: truths, progress: { done, _ in bar.update(to: done) })
        bar.finish()
        runs.append((usesAge, outcome, (ContinuousClock.now - began) / .seconds(1)))
      }
      json ? printJSON(runs) : printTable(runs)
    }
  }

  private func rows(_ name: String) throws -> CMAPSSRows {
    let path = "\(directory)/\(name)"
    return try CMAPSSRows(text: try DataFile.text(path), file: path)
  }

  private func printTable(_ runs: [(Bool, CMAPSSBenchmark.Outcome, Double)]) {
    print("C-MAPSS \(set): \(runs[0].1.scores.count) test engines, cycles")
    var errors = Table(
      ["", "RMSE", "capped", "PHM08", "capped", "CV RMSE", "features", "trees", "seconds"],
      rightAligned: Set(1...8))
    var intervals = Table(
      ["90 % intervals", "CV inside", "CV width", "test inside", "beyond cap out", "test width"],
      rightAligned: Set(1...5))
    for (usesAge, outcome, seconds) in runs {
      let name = usesAge ? "with age" : "without age"
      errors.rows.append([
        name, Number.text(outcome.rmse, decimals: 2), Number.text(outcome.rmseCapped, decimals: 2),
        Number.text(outcome.phm08, decimals: 0), Number.text(outcome.phm08Capped, decimals: 0),
        Number.text(outcome.validationRMSE, decimals: 2), "\(outcome.features)",
        "\(outcome.trees)", Number.text(seconds, decimals: 1),
      ])
      intervals.rows.append([
        name, Number.text(outcome.validationCoverage, decimals: 3),
        Number.text(outcome.validationWidth, decimals: 1),
        Number.text(outcome.coverage, decimals: 3),
        Number.text(outcome.coverageUncapped, decimals: 3),
        Number.text(outcome.width, decimals: 1),
      ])
    }
    print(errors.text)
    print("")
    print(intervals.text)
    print("")
    print(
      """
      capped: against min(true life, 125). CV: 5 folds of whole engines of the training file, all cut
      points. Settings: 8 boosters of 400 trees with 8 leaves, learning rate 0.05, averaged; chosen by
      CV on train_FD001 among 4–24 leaves and 200–400 rounds: the fewest leaves within 2 % of the
      lowest RMSE. Operating points found: \
      \(runs[0].1.conditions).
      """)
  }

  private func printJSON(_ runs: [(Bool, CMAPSSBenchmark.Outcome, Double)]) {
    let rows = runs.map { usesAge, outcome, seconds in
      JSONValue.object([
        ("uses_age", .bool(usesAge)), ("rmse", .double(outcome.rmse)),
        ("rmse_capped", .double(outcome.rmseCapped)), ("phm08", .double(outcome.phm08)),
        ("phm08_capped", .double(outcome.phm08Capped)),
        ("interval_level", .double(0.9)), ("test_coverage", .double(outcome.coverage)),
        ("test_coverage_uncapped", .double(outcome.coverageUncapped)),
        ("test_width", .double(outcome.width)), ("cv_rmse", .double(outcome.validationRMSE)),
        ("cv_coverage", .double(outcome.validationCoverage)),
        ("cv_width", .double(outcome.validationWidth)),
        ("operating_points", .integer(outcome.conditions)), ("trees", .integer(outcome.trees)),
        ("seconds", .double(seconds)),
      ])
    }
    print(
      JSONValue.object([
        ("benchmark", .string("cmapss")), ("set", .string(set)), ("unit", .string("cycle")),
        ("engines", .integer(runs[0].1.scores.count)), ("runs", .array(rows)),
      ]).encoded)
  }
}

/// Reads a data file whole.
enum DataFile {
  /// - Throws: `Failure` with the path when it cannot be read or is no UTF-8.
  static func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure("\(path) cannot be read; is it there?")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw Failure("\(path) is no text in UTF-8")
    }
    return text
  }
}
