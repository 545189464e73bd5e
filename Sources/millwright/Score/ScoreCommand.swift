import ArgumentParser

/// `millwright score`: how good the models are, on public data.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Judge the models on public benchmark data.",
    discussion: """
      Each verb trains and judges as docs/models.md says, and prints our figures.

      EXAMPLES
        millwright score cmapss data/cmapss --set FD001
        millwright score ai4i data/ai4i2020.csv --json
      """,
    subcommands: [CMAPSSCommand.self, AI4ICommand.self])
}
