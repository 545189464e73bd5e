import ArgumentParser

/// `millwright score`: runs the product's models over public data sets, for figures anyone can repeat.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Run the models over public data sets and write what they say.",
    discussion: """
      EXAMPLES
        millwright score nab NAB/data --out results
      """,
    subcommands: [NABScore.self])
}
