import Foundation
import Storage
import Telemetry

/// Writes answers as tables for people, or as JSON or CSV for programs.
struct AnswerOutput {
  enum Form {
    case table, json, csv
  }

  var form: Form
  var isUTC: Bool

  /// One table a series; with `isLatest` one for all.
  func write(_ answers: [Answer], isLatest: Bool) {
    switch form {
    case .json: print(json(answers))
    case .csv: writeCSV(answers)
    case .table: isLatest ? writeLatest(answers) : answers.forEach(writeTable)
    }
  }

  private func writeTable(_ answer: Answer) {
    var format = MomentFormat(isUTC: isUTC)
    for row in answer.rows { format.cover(row.time) }
    let unit = answer.series.symbol.isEmpty ? "" : " [\(answer.series.symbol)]"
    print("\(answer.series.key)\(unit), \(answer.rows.count) rows")
    let isText = answer.series.type == .text
    let right = isText ? [] : Set(1...answer.columns.count).subtracting(qualityColumn(answer))
    var table = Table([format.title] + answer.columns, rightAligned: right)
    table.rows = answer.rows.map { row in [format.text(row.time)] + row.cells.map(text) }
    print(table.text + "\n")
  }

  private func qualityColumn(_ answer: Answer) -> Set<Int> {
    Set(answer.columns.firstIndex(of: "quality").map { [$0 + 1] } ?? [])
  }

  private func writeLatest(_ answers: [Answer]) {
    var format = MomentFormat(isUTC: isUTC)
    for answer in answers { answer.rows.first.map { format.cover($0.time) } }
    var table = Table(["series", "value", "unit", format.title, "quality"], rightAligned: [1])
    for answer in answers {
      guard let row = answer.rows.first else { continue }
      table.rows.append([
        answer.series.key.description, text(row.cells[0]), answer.series.symbol,
        format.text(row.time), text(row.cells.count > 1 ? row.cells[1] : nil),
      ])
    }
    print(table.text)
  }

  private func text(_ value: Value?) -> String {
    switch value {
    case .number(let number): Number.short(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .text(let word): word
    case nil: "–"
    }
  }

  /// Columns rather than rows: shorter, and what programs plot.
  private func json(_ answers: [Answer]) -> String {
    let items = answers.map { answer in
      var members = [
        ("device", JSONText.quoted(answer.series.key.device)),
        ("metric", JSONText.quoted(answer.series.key.metric)),
        ("unit", JSONText.quoted(answer.series.unit)),
        ("time", array(answer.rows.map { JSONText.quoted($0.time.rfc3339) })),
      ]
      for (place, name) in answer.columns.enumerated() {
        members.append((name, array(answer.rows.map { JSONText.value($0.cells[place]) })))
      }
      return JSONText.object(members)
    }
    return "{\"series\": [" + items.joined(separator: ",\n") + "]}"
  }

  private func array(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }

  private func writeCSV(_ answers: [Answer]) {
    var output = BufferedOutput(.standardOutput)
    var titles: [String]?
    for answer in answers {
      if titles != answer.columns {
        titles = answer.columns
        output.write(CSV.line(["device", "metric", "unit", "time"] + answer.columns))
      }
      let key = answer.series.key
      for row in answer.rows {
        output.write(
          CSV.line(
            [key.device, key.metric, answer.series.unit, row.time.rfc3339] + row.cells.map(plain)))
      }
    }
    output.flush()
  }

  private func plain(_ value: Value?) -> String {
    switch value {
    case .number(let number): number.isNaN ? "NaN" : JSONText.number(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .text(let word): word
    case nil: ""
    }
  }

  // MARK: - SQL

  func write(_ result: SQLResult) {
    switch form {
    case .json:
      let rows = result.rows.map { array($0.map(JSONText.cell)) }.joined(separator: ",\n")
      print(
        "{\"columns\": \(array(result.columns.map(JSONText.quoted))), \"rows\": [\(rows)], "
          + "\"truncated\": \(result.isTruncated)}")
    case .csv:
      var output = BufferedOutput(.standardOutput)
      output.write(CSV.line(result.columns))
      for row in result.rows { output.write(CSV.line(row.map(plain))) }
      output.flush()
    case .table:
      var right = Set(result.columns.indices)
      for row in result.rows {
        for (column, cell) in row.enumerated() {
          if case .text = cell { right.remove(column) }
        }
      }
      var table = Table(result.columns, rightAligned: right)
      table.rows = result.rows.map { $0.map { $0 == .null ? "–" : plain($0) } }
      print(table.text)
    }
    if result.isTruncated {
      StandardError.write("more rows were there than the limit allows; narrow the statement")
    }
  }

  private func plain(_ cell: SQLResult.Cell) -> String {
    switch cell {
    case .null: ""
    case .integer(let number): String(number)
    case .real(let number): JSONText.number(number)
    case .text(let text): text
    case .blob(let bytes): "x'" + bytes.map { String(format: "%02x", $0) }.joined() + "'"
    }
  }
}
