import ArgumentParser
import Foundation
import Operations
import Telemetry

/// Novelty scores for the Numenta Anomaly Benchmark, laid out as its `results` folder.
struct NABScore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nab",
    abstract: "Score the files of the Numenta Anomaly Benchmark, strictly causally.",
    discussion: """
      Reads <group>/<name>.csv (timestamp,value) below the folder and writes
      <out>/millwright/<group>/millwright_<name>.csv (timestamp,value,anomaly_score).

      Every file meets the same detector with the same settings, those of the gateway.
      It gets one row after the other: never the length, the range or a later row.
      There is one alarm threshold for all.
      """)

  @Argument(help: "A folder laid out as NAB's data folder.")
  var data: String

  @Option(help: "Where the results are written; made if it is not there.")
  var out: String

  @Option(help: "How long a peak hides lesser ones: minutes.")
  var debounceMinutes = Int(NoveltyDetector.debounceMicroseconds / 60_000_000)

  func validate() throws {
    guard debounceMinutes >= 0 else { throw ValidationError("--debounce-minutes is 0 or more.") }
  }

  func run() async throws {
    try await reporting {
      let files = try Self.files(in: data)
      var (rows, alarms) = (0, 0)
      for (group, name) in files {
        let lines = try NABFile(path: "\(data)/\(group)/\(name)").lines
        let (text, count) = scored(lines)
        try write(text, group: group, name: name)
        rows += lines.count
        alarms += count
      }
      print(
        "\(files.count) files, \(rows) rows, strictly causal; results in \(out)/millwright\n"
          + "alarm threshold \(NoveltyDetector.alarmThreshold): \(alarms) rows at or above it")
    }
  }

  /// Folders and files in the order of their names.
  private static func files(in folder: String) throws -> [(group: String, name: String)] {
    let manager = FileManager.default
    // Why it cannot be read does not change what to do about it.
    guard let groups = try? manager.contentsOfDirectory(atPath: folder) else {
      throw Failure("\(folder): there is no such folder, or it cannot be read")
    }
    var files: [(String, String)] = []
    for group in groups.sorted() {
      // A file beside the groups has no content of this kind: it is passed over.
      let names = (try? manager.contentsOfDirectory(atPath: "\(folder)/\(group)")) ?? []
      files += names.sorted().filter { $0.hasSuffix(".csv") }.map { (group, $0) }
    }
    guard !files.isEmpty else {
      throw Failure("\(folder): no <group>/<name>.csv in it; give NAB's data folder")
    }
    return files
  }

  private func scored(_ lines: [NABFile.Line]) -> (text: String, alarms: Int) {
    var detector = NoveltyDetector()
    var text = "timestamp,value,anomaly_score\n"
    var alarms = 0
    for line in lines {
      let score = detector.observe(
        line.value, at: line.time, debounce: Int64(debounceMinutes) * 60_000_000)
      if score.value >= NoveltyDetector.alarmThreshold { alarms += 1 }
      text += "\(line.timeText),\(line.valueText),\(score.value)\n"
    }
    return (text, alarms)
  }

  private func write(_ text: String, group: String, name: String) throws {
    let folder = "\(out)/millwright/\(group)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try text.write(toFile: "\(folder)/millwright_\(name)", atomically: false, encoding: .utf8)
  }
}

/// A data file of NAB: `timestamp,value` with times like `2014-04-01 00:05:00`, without a zone.
struct NABFile {
  struct Line {
    var time: Timestamp
    var value: Double
    var timeText: Substring
    var valueText: Substring
  }

  private(set) var lines: [Line] = []

  init(path: String) throws {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw Failure("\(path): the file cannot be read")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let rows = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, row) in rows.enumerated() where !row.isEmpty {
      guard index > 0 else {
        try Self.checkHeader(row, path)
        continue
      }
      lines.append(try Self.line(row, place: "\(path):\(index + 1)"))
    }
  }

  private static func checkHeader(_ row: Substring, _ path: String) throws {
    guard row.hasPrefix("timestamp,value") else {
      throw Failure("\(path):1: the first line is timestamp,value, not '\(row.prefix(60))'")
    }
  }

  private static func line(_ row: Substring, place: String) throws -> Line {
    let cells = row.split(separator: ",", omittingEmptySubsequences: false)
    guard cells.count >= 2 else {
      throw Failure("\(place): a time and a value are needed, not '\(row.prefix(60))'")
    }
    let zoned = cells[0].prefix(19).replacing(" ", with: "T") + "Z"
    guard cells[0].utf8.count >= 19, let time = Timestamp(rfc3339: String(zoned)) else {
      throw Failure("\(place): a time looks like 2014-04-01 00:05:00, not '\(cells[0].prefix(40))'")
    }
    guard let value = Double(cells[1]) else {
      throw Failure("\(place): the value '\(cells[1].prefix(40))' is not a number")
    }
    return Line(time: time, value: value, timeText: cells[0], valueText: cells[1])
  }
}
