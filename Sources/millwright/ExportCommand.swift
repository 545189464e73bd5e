import ArgumentParser
import Foundation
import Gateway
import NIOCore
import Storage
import Telemetry

/// `millwright export`: samples as a file, of any length, in constant memory.
struct ExportCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case csv, jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write samples as CSV or JSON lines.",
    discussion: """
      One row a sample, series after series, each in order of time: device, metric,
      time (UTC), value, unit, quality. Memory stays the same however much there is.

      EXAMPLES
        millwright export --output all.csv
        millwright export --series 'press1/**' --from 2026-11-01 --output press1.csv
        millwright export --series '*/power' --from -7d --format jsonl | gzip > p.gz
      """)

  @OptionGroup var place: ConfigurationOptions

  @Option(
    help: ArgumentHelp(
      "A series or pattern; may be given several times. Default all.", valueName: "pattern"))
  var series: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("First moment; default the beginning.", valueName: "time"))
  var from: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The moment it ends before; default now.", valueName: "time"))
  var to: String?

  @Option(help: "csv or jsonl.")
  var format: Format = .csv

  @Option(help: ArgumentHelp("Where to write; default standard output.", valueName: "file"))
  var output: String?

  func validate() throws {
    for text in [from, to].compactMap({ $0 }) where Moment.time(text, now: .epoch) == nil {
      throw ValidationError(Moment.help(text))
    }
  }

  func run() async throws {
    try await reporting {
      try await DataAccess.with(place) { access in
        let list = try await access.series(matching: series.isEmpty ? ["**"] : series)
        let now = Timestamp(microseconds: ClockSource.system().read().wallMicroseconds)
        let begin = from.flatMap { Moment.time($0, now: now) } ?? .distantPast
        let end = to.flatMap { Moment.time($0, now: now) } ?? .distantFuture
        var rows = ExportRows(format: format, file: try file())
        switch access {
        case .store(let store): try write(list, of: store, begin, end, &rows)
        case .gateway(let client): try await write(list, of: client, begin, end, &rows)
        }
      }
    }
  }

  private func file() throws -> FileHandle {
    guard let output else { return .standardOutput }
    guard FileManager.default.createFile(atPath: output, contents: nil),
      let file = FileHandle(forWritingAtPath: output)
    else { throw Failure("cannot write \(output): \(String(cString: strerror(errno)))") }
    return file
  }

  private func write(
    _ list: [SeriesInfo], of store: OfflineStore, _ begin: Timestamp, _ end: Timestamp,
    _ rows: inout ExportRows
  ) throws {
    let catalog = try store.reader.catalog()
    let progress = ProgressBar("export", total: nil, unit: "samples")
    let last = end.advanced(byMicroseconds: end == .distantFuture ? 0 : -1)
    for info in list {
      guard let definition = info.definition else { continue }
      var next: Timestamp? = begin
      while let from = next, from <= last {
        let page = try store.reader.page(
          of: definition.index, from: from, through: last, count: 8_192)
        for place in 0..<page.columns.count {
          rows.write(
            info, time: Timestamp(microseconds: page.columns.times[place]),
            value: catalog.value(page.columns.bits[place], type: definition.type),
            quality: Quality(rawValue: page.columns.qualities[place]).text)
        }
        progress.update(to: rows.count)
        next = page.next
      }
    }
    progress.finish()
    rows.finish()
  }

  /// Through the gateway page by page in time, so that neither side holds more than a page.
  private func write(
    _ list: [SeriesInfo], of client: GatewayClient, _ begin: Timestamp, _ end: Timestamp,
    _ rows: inout ExportRows
  ) async throws {
    let progress = ProgressBar("export", total: nil, unit: "samples")
    for info in list {
      try await client.samples(of: info, from: begin, to: end) { time, value, quality in
        rows.write(info, time: time, value: value, quality: quality)
        progress.update(to: rows.count)
      }
    }
    progress.finish()
    rows.finish()
  }
}

/// Writes one row a sample.
struct ExportRows {
  private let format: ExportCommand.Format
  private var output: BufferedOutput
  private(set) var count = 0

  init(format: ExportCommand.Format, file: FileHandle) {
    self.format = format
    output = BufferedOutput(file)
    if format == .csv {
      output.write(CSV.line(["device", "metric", "time", "value", "unit", "quality"]))
    }
  }

  mutating func write(_ series: SeriesInfo, time: Timestamp, value: Value?, quality: String) {
    count += 1
    let key = series.key
    switch format {
    case .csv:
      output.write(
        CSV.line([key.device, key.metric, time.rfc3339, plain(value), series.unit, quality]))
    case .jsonl:
      output.write(
        JSONText.object([
          ("device", JSONText.quoted(key.device)), ("metric", JSONText.quoted(key.metric)),
          ("time", JSONText.quoted(time.rfc3339)), ("value", JSONText.value(value)),
          ("unit", JSONText.quoted(series.unit)), ("quality", JSONText.quoted(quality)),
        ]) + "\n")
    }
  }

  private func plain(_ value: Value?) -> String {
    switch value {
    case .number(let number): number.isFinite ? JSONText.number(number) : "\(number)"
    case .boolean(let flag): flag ? "true" : "false"
    case .text(let word): word
    case nil: ""
    }
  }

  mutating func finish() {
    output.flush()
    StandardError.write("\(count) samples, \(Number.bytes(output.byteCount))")
  }
}
