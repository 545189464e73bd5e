import ArgumentParser

/// `millwright score`: how good detectors and models are, on public data.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Judge detectors and models on public benchmark data.",
    discussion: """
      Each verb runs, or trains and judges, as docs/models.md says.

      EXAMPLES
        millwright score nab NAB/data --out results
        millwright score cmapss data/cmapss --set FD001
        millwright score ai4i data/ai4i2020.csv --json
        millwright score energy data/Steel_industry_data.csv
      """,
    subcommands: [NABScore.self, CMAPSSScore.self, AI4IScore.self, EnergyScore.self])
}
