import ArgumentParser
import Foundation
import Gateway
import Storage
import Telemetry

/// `millwright query`: samples and aggregates, from the running gateway or from its files.
struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Ask for samples, aggregates, newest values, or anything SQL can say.",
    discussion: """
      Asks the gateway that runs on the data directory; when none runs, reads the
      files and changes nothing. A series is written device/metric; * and ? stand
      for other characters, a device alone for all it tells. Times are shown where
      you are; --utc shows UTC. Programs get UTC always.

      EXAMPLES
        millwright query press1 --latest
        millwright query press1/temperature --from -15m
        millwright query 'press*/power' --from -8h --step 15m --agg mean,max
        millwright query press1/energy --from 2026-11-20 --step 1h --agg increase
        millwright query '*/temperature' --from -1d --step 1h --json
        millwright query --sql "SELECT * FROM samples WHERE metric = 'power' LIMIT 9"
      """)

  @OptionGroup var place: ConfigurationOptions

  @Argument(help: ArgumentHelp("Series or patterns.", valueName: "series"))
  var patterns: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "First moment: RFC 3339, a date, epoch seconds, or back from now as -1h.", valueName: "time"))
  var from = "-1h"

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The moment it ends before.", valueName: "time"))
  var to = "now"

  @Option(
    help: ArgumentHelp("Cut into steps of 10s, 5m, 1h, 1d and aggregate them.", valueName: "span"))
  var step: String?

  @Option(
    help: ArgumentHelp(
      "mean, twa (weighted by time), min, max, sum, count, first, last, increase; several with commas.",
      valueName: "names"))
  var agg: String?

  @Flag(help: "Only the newest value of each series.")
  var latest = false

  @Option(
    help: ArgumentHelp(
      "A SELECT over samples, series, device, event and so on.", valueName: "statement"))
  var sql: String?

  @Flag(help: "JSON instead of tables.")
  var json = false

  @Flag(help: "CSV instead of tables.")
  var csv = false

  @Flag(help: "Times in UTC instead of local time.")
  var utc = false

  func validate() throws {
    if sql == nil, patterns.isEmpty {
      throw ValidationError("Say which series, for example 'press1/*', or give --sql.")
    }
    if sql != nil, !patterns.isEmpty { throw ValidationError("Either series or --sql, not both.") }
    if json, csv { throw ValidationError("Either --json or --csv, not both.") }
    for text in [from, to] where Moment.time(text, now: .epoch) == nil {
      throw ValidationError(Moment.help(text))
    }
    if let step, Span.microseconds(step) == nil {
      throw ValidationError("'\(step)' is no span of time; write 10s, 5m, 1h or 1d.")
    }
    if agg != nil, step == nil { throw ValidationError("--agg needs a --step, such as 1h.") }
    _ = try aggregates()
  }

  private func aggregates() throws -> [Aggregate] {
    try (agg ?? "").split(separator: ",").map { name in
      let name = name.trimmingCharacters(in: .whitespaces)
      guard let aggregate = Aggregate(rawValue: name) else {
        let names = Aggregate.allCases.map(\.rawValue)
        let hint = nearestName(to: name, among: names).map { " Did you mean \($0)?" } ?? ""
        throw ValidationError("There is no aggregate '\(name)'.\(hint)")
      }
      return aggregate
    }
  }

  func run() async throws {
    try await reporting {
      try await DataAccess.with(place) { access in
        let output = AnswerOutput(form: json ? .json : csv ? .csv : .table, isUTC: utc)
        if let sql { return output.write(try await run(sql, access)) }
        let series = try await access.series(matching: patterns)
        let question = try question()
        output.write(try await answers(question, for: series, access), isLatest: latest)
      }
    }
  }

  private func question() throws -> Question {
    let now = Timestamp(microseconds: ClockSource.system().read().wallMicroseconds)
    guard let from = Moment.time(from, now: now), let to = Moment.time(to, now: now) else {
      preconditionFailure("checked by validate()")
    }
    guard from < to else {
      throw Failure("--from is not before --to: there is nothing between them")
    }
    return Question(
      from: from, to: to, stepMicroseconds: step.flatMap(Span.microseconds),
      aggregates: try aggregates(), now: now)
  }

  private func answers(
    _ question: Question, for series: [SeriesInfo], _ access: DataAccess
  ) async throws -> [Answer] {
    switch access {
    case .store(let store):
      if latest { return try store.latest(of: series) }
      return try series.map { try store.answer(question, for: $0) }
    case .gateway(let client):
      if latest { return try await client.latest(of: series) }
      var answers: [Answer] = []
      for series in series { answers.append(try await client.answer(question, for: series)) }
      return answers
    }
  }

  private func run(_ sql: String, _ access: DataAccess) async throws -> SQLResult {
    switch access {
    case .gateway(let client): return try await client.run(sql)
    case .store(let store):
      let limits = HTTPSettings()
      do {
        return try SQLConsole(secondsMax: limits.sqlSecondsMax * 6, rowsMax: limits.sqlRowsMax)
          .run(sql, reader: store.reader)
      } catch let problem as SQLProblem {
        throw Failure("\(problem)")
      }
    }
  }
}
