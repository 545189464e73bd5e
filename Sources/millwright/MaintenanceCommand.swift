import ArgumentParser
import Foundation
import Scoring
import Telemetry

/// `millwright maintenance`: what is to be done, and what was done.
struct MaintenanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maintenance",
    abstract: "The maintenance plan, and the import of what was done to machines.",
    discussion: """
      EXAMPLES
        millwright maintenance plan
        millwright maintenance import work-orders.csv
        millwright maintenance import events.json --dry-run

      A CSV has a header with these names, in any order; a cell that is empty is left out:
        event_id,device_id,asset,component,kind,start,end,cause,cost,resets_life
      A JSON file holds an array of such objects, or one object a line. See docs/maintenance.md.
      """,
    subcommands: [Plan.self, Import.self], defaultSubcommand: Plan.self)

  struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What to do to which machine, the most urgent first.")

    @OptionGroup var place: ConfigurationOptions

    func run() async throws {
      try await reporting {
        let items = try await DataAccess.with(place) { access in
          try await access.runningGateway().get("/api/v1/maintenance/plan")["items"].elements
        }
        if items.isEmpty {
          return print("no machine has an entry under `maintenance:`; see docs/maintenance.md")
        }
        var table = Table(["device", "zone", "health", "before", "what to do"], rightAligned: [2])
        table.rows = items.map { item in
          let health: String =
            if case .number(let number)? = item["health"].value {
              String(Int((number * 100).rounded())) + " %"
            } else { "–" }
          return [
            item["device_id"].text ?? "", item["zone"].text ?? "–", health,
            item["due_before"].text.map { String($0.prefix(10)) } ?? "–",
            item["recommended_action"]["text"].text ?? "",
          ]
        }
        print(table.text)
      }
    }
  }

  struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell the running gateway what was done, from a CSV or JSON file.",
      discussion: """
        What is wrong is told line by line, the rest is taken. The same event_id again changes
        nothing, so an import may be repeated. Ends with 1 when a line was refused.
        """)

    @OptionGroup var place: ConfigurationOptions

    @Flag(help: "Read and check the file; tell the gateway nothing.")
    var dryRun = false

    @Argument(help: "The file: .csv or .json.")
    var file: String

    func run() async throws {
      try await reporting {
        guard let content = FileManager.default.contents(atPath: file) else {
          throw Failure("\(file) cannot be read")
        }
        let text = String(decoding: content, as: UTF8.self)
        var reading = MaintenanceFile(text, isCSV: file.lowercased().hasSuffix(".csv"))
        var accepted = 0
        var duplicates = 0
        if !dryRun, !reading.events.isEmpty {
          try await DataAccess.with(place) { access in
            let client = try access.runningGateway()
            for start in stride(from: 0, to: reading.events.count, by: 1_000) {
              let part = reading.events[start..<min(start + 1_000, reading.events.count)]
              let body = "[" + part.map(\.json.encoded).joined(separator: ",") + "]"
              let answer = try await client.postBatch("/api/v1/maintenance/events", body: body)
              if case .integer(let count) = answer["accepted"] { accepted += Int(count) }
              if case .integer(let count) = answer["duplicates"] { duplicates += Int(count) }
              for refused in answer["rejected"].elements {
                guard case .integer(let index) = refused["index"], Int(index) < part.count else {
                  continue
                }
                let line = part[part.startIndex + Int(index)].line
                reading.problems.append((line, refused["detail"].text ?? "refused"))
              }
            }
          }
        }
        for problem in reading.problems.sorted(by: { $0.line < $1.line }) {
          StandardError.write("\(file):\(problem.line): \(problem.text)")
        }
        print(
          dryRun
            ? "\(reading.events.count) can be read, \(reading.problems.count) refused"
            : "\(accepted) taken, \(duplicates) known already, \(reading.problems.count) refused")
        if !reading.problems.isEmpty { throw ExitCode(Failure.Status.failed.rawValue) }
      }
    }
  }
}

/// Maintenance events of a file, each with its line.
struct MaintenanceFile {
  var events: [(line: Int, json: JSONValue)] = []
  var problems: [(line: Int, text: String)] = []

  init(_ text: String, isCSV: Bool) {
    if isCSV { readCSV(text) } else { readJSON(text) }
  }

  /// An array, or one object a line.
  private mutating func readJSON(_ text: String) {
    if let whole = try? JSONReader.read(Array(text.utf8)) {  // Else it may be lines.
      let list = whole.elements ?? [whole]
      // Where an element begins is not known: its number serves.
      for (index, value) in list.enumerated() { take(value, line: index + 1) }
      return
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      do {
        take(try JSONReader.read(Array(line.utf8)), line: index + 1)
      } catch {
        problems.append((index + 1, "not JSON: \(error.detail) at byte \(error.offset)"))
      }
    }
  }

  private mutating func take(_ value: JSONValue, line: Int) {
    do {
      _ = try MaintenanceReport(reading: value)
      events.append((line, value))
    } catch {
      problems.append((line, (error.field.isEmpty ? "" : "\(error.field): ") + error.detail))
    }
  }

  private mutating func readCSV(_ text: String) {
    var rows = CSVRows(text)
    guard let header = rows.next() else {
      problems.append((1, "the file is empty; its first line names the columns"))
      return
    }
    let names = header.cells.map { $0.trimmingCharacters(in: .whitespaces) }
    while let row = rows.next() {
      if row.cells.allSatisfy(\.isEmpty) { continue }
      guard row.cells.count == names.count else {
        problems.append((row.line, "\(row.cells.count) cells, but \(names.count) columns"))
        continue
      }
      var members: [(String, JSONValue)] = []
      for (name, cell) in zip(names, row.cells) where !cell.isEmpty {
        members.append((name, Self.value(cell, of: name)))
      }
      take(.object(members), line: row.line)
    }
  }

  private static func value(_ cell: String, of name: String) -> JSONValue {
    switch name {
    case "cost", "start", "end": Double(cell) == nil ? .string(cell) : .number(cell)
    case "resets_life":
      ["true": JSONValue.bool(true), "false": .bool(false)][cell.lowercased()] ?? .string(cell)
    default: .string(cell)
    }
  }
}

/// Rows of a CSV as RFC 4180 has it, commas or semicolons, with the line each begins on.
struct CSVRows {
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private let separator: UInt8

  init(_ text: String) {
    bytes = Array(
      text.utf8.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.utf8.dropFirst(3)) : Array(text.utf8))
    let first = bytes.prefix { $0 != 0x0A }
    separator =
      first.contains(UInt8(ascii: ";")) && !first.contains(UInt8(ascii: ",")) ? 0x3B : 0x2C
  }

  mutating func next() -> (line: Int, cells: [String])? {
    guard position < bytes.count else { return nil }
    let start = line
    var cells: [String] = []
    var cell: [UInt8] = []
    var isQuoted = false
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == 0x0A { line += 1 }
      if isQuoted {
        if byte != 0x22 {
          cell.append(byte)
        } else if position < bytes.count, bytes[position] == 0x22 {
          cell.append(0x22)
          position += 1
        } else {
          isQuoted = false
        }
      } else if byte == 0x22, cell.isEmpty {
        isQuoted = true
      } else if byte == separator {
        cells.append(String(decoding: cell, as: UTF8.self))
        cell = []
      } else if byte == 0x0A {
        break
      } else if byte != 0x0D {
        cell.append(byte)
      }
    }
    cells.append(String(decoding: cell, as: UTF8.self))
    return (start, cells)
  }
}
