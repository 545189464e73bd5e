import ArgumentParser
import Foundation
import Gateway
import Simulator
import Telemetry

/// Detectors and rules against faults whose truth is known.
struct FaultBenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "Which injected faults detectors and rules notice, how soon, and their false alarms.",
    discussion: """
      First a plant without faults for weeks: everything that is told then is a false alarm. Then
      each fault of the file with each severity and seed, from a moment of the last week on, through
      the stages of the gateway with devices/ and rules/ of the configuration.

      A fault counts as noticed when an anomaly or an alarm of its device begins while it acts (of
      any device for faults of the whole plant). What the same run without the fault tells as well,
      by the same detector or rule on the same signal, does not count.

      EXAMPLES
        millwright bench faults
        millwright bench faults --quick
        millwright bench faults --kind drift --kind tool_wear --seeds 5
      """)

  @Option(help: "The faults, as bench/faults.yaml.")
  var file = "bench/faults.yaml"

  @Option(help: "Injections of each kind and severity; default as the file says.")
  var seeds: Int?

  @Option(help: "Weeks without faults; default as the file says.")
  var weeks: Int?

  @Option(help: "Only this kind; several times.")
  var kind: [String] = []

  @Flag(help: "Five seeds and two weeks: a glance, no figures to quote.")
  var quick = false

  @Flag(help: "Print each false alarm.")
  var list = false

  @OptionGroup var place: ConfigurationOptions

  func validate() throws {
    if let seeds, seeds < 1 || seeds > 1_000 { throw ValidationError("--seeds is 1 to 1,000.") }
    if let weeks, weeks < 1 || weeks > 52 { throw ValidationError("--weeks is 1 to 52.") }
    for word in kind where FaultKind(rawValue: word) == nil {
      let names = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--kind '\(word)' is not one of \(names)")
    }
  }

  func run() async throws {
    try await reporting {
      var file = try FaultBenchFile(path: self.file)
      if quick { (file.seeds, file.weeks) = (5, 2) }
      file.seeds = seeds ?? file.seeds
      file.weeks = weeks ?? file.weeks
      if !kind.isEmpty { file.entries.removeAll { !kind.contains($0.kind.rawValue) } }
      var bench = FaultBench(file, configuration: try place.load())
      let began = ContinuousClock.now
      let bar = ProgressBar("plant", total: nil, unit: "days")
      bench.runWeeks { day, _ in bar.update(to: day) }
      bar.finish()
      bench.runControls()
      print(weeksText(bench, file))
      let injected = ProgressBar("faults", total: file.entries.count * 3)
      var rows: [[String]] = []
      for entry in file.entries {
        for level in FaultLevel.allCases {
          rows.append(row(entry, level, bench.inject(entry, level)))
          injected.update(to: rows.count)
        }
      }
      injected.finish()
      print(table(rows, file, (ContinuousClock.now - began) / .seconds(1)))
    }
  }

  // MARK: - Weeks without faults

  private func weeksText(_ bench: FaultBench, _ file: FaultBenchFile) -> String {
    let machines = 5  // Press, mill, conveyor, pump and meter; rooms are no machines but count here.
    let machineWeeks = Double(machines * file.weeks)
    var counts: [(label: String, count: Int)] = []
    for told in bench.falseAlarms {
      if let place = counts.firstIndex(where: { $0.label == told.label }) {
        counts[place].count += 1
      } else {
        counts.append((told.label, 1))
      }
    }
    counts.sort { ($0.count, $1.label) > ($1.count, $0.label) }
    var table = Table(["source", "false alarms", "a machine-week"], rightAligned: [1, 2])
    for (label, count) in counts + [("all", bench.falseAlarms.count)] {
      table.rows.append([
        label, "\(count)", Number.text(Double(count) / machineWeeks, decimals: 2),
      ])
    }
    var text =
      "\(file.weeks) weeks without faults after \(file.learningSeconds / 86_400) days of learning, "
      + "\(machines) machines and 2 rooms, a message each \(file.intervalSeconds) s: "
      + "\(bench.figures.messages) messages, \(bench.figures.samples) samples\n\(table.text)\n"
    if list {
      for told in bench.falseAlarms {
        text += "\(told.time.rfc3339) \(told.device) \(told.metric) \(told.label)\n"
      }
    }
    return text
  }

  // MARK: - Faults

  private func row(
    _ entry: FaultBenchFile.Entry, _ level: FaultLevel, _ outcomes: [FaultBench.Outcome]
  ) -> [String] {
    let severity = "\(Number.short(entry.severities[level] ?? 0)) \(entry.kind.severityUnit)"
    let name = entry.kind.rawValue + (entry.metric.map { " of \($0)" } ?? "")
    guard entry.kind != .doublePublishing else {
      let unchanged = outcomes.count(where: \.isUnchanged)
      return [name, level.rawValue, severity, "absorbed \(unchanged)/\(outcomes.count)", "", ""]
    }
    let delays = outcomes.compactMap(\.delaySeconds).sorted()
    var labels: [(label: String, count: Int)] = []
    for label in outcomes.compactMap(\.label) {
      if let place = labels.firstIndex(where: { $0.label == label }) {
        labels[place].count += 1
      } else {
        labels.append((label, 1))
      }
    }
    labels.sort { ($0.count, $1.label) > ($1.count, $0.label) }
    let median = delays.isEmpty ? "-" : Self.span(delays[delays.count / 2])
    return [
      name, level.rawValue, severity, "\(delays.count)/\(outcomes.count)", median,
      labels.map { "\($0.label) \($0.count)" }.joined(separator: ", "),
    ]
  }

  private func table(_ rows: [[String]], _ file: FaultBenchFile, _ seconds: Double) -> String {
    var table = Table(
      ["fault", "severity", "", "noticed", "median delay", "first by"], rightAligned: [3, 4])
    table.rows = rows
    return "\(table.text)\n\(file.seeds) seeds each, from \(self.file); "
      + "\(Number.text(seconds, decimals: 0)) s in all"
  }

  private static func span(_ seconds: Double) -> String {
    seconds < 600
      ? "\(Number.text(seconds, decimals: 0)) s" : "\(Number.text(seconds / 60, decimals: 0)) min"
  }
}
