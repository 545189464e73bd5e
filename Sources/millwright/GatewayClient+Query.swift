import Foundation
import Storage
import Telemetry

extension GatewayClient {
  /// The answer for one series from `GET /api/v1/query`.
  func answer(_ question: Question, for series: SeriesInfo) async throws -> Answer {
    var query = [
      ("series", series.key.description), ("from", question.from.rfc3339),
      ("to", question.to.rfc3339),
    ]
    var aggregates: [Aggregate] = []
    if let step = question.stepMicroseconds {
      aggregates = question.aggregates.isEmpty ? Aggregate.usual(for: series) : question.aggregates
      query.append(("step", "\(Double(step) / 1e6)s"))
      query.append(("agg", aggregates.map(\.rawValue).joined(separator: ",")))
    }
    let node = try await get("/api/v1/query", query)["series"].elements.first ?? .null
    let columns = aggregates.isEmpty ? ["value", "quality"] : aggregates.map(\.rawValue)
    var answer = Answer(series: series, columns: columns)
    let cells = columns.map { node[$0].elements }
    for (place, time) in node["time"].elements.enumerated() {
      guard let time = time.text.flatMap({ Timestamp(rfc3339: $0) }) else { continue }
      answer.rows.append((time, cells.map { place < $0.count ? $0[place].value : nil }))
    }
    return answer
  }
}

extension GatewayClient {
  /// Reads the samples of one series in `from ..< to`, oldest first, through SQL over `samples`.
  ///
  /// Asked for in pages by time, so that no answer grows past the gateway's row limit.
  func samples(
    of series: SeriesInfo, from: Timestamp, to: Timestamp,
    _ body: (Timestamp, Value?, String) -> Void
  ) async throws {
    func quoted(_ text: String) -> String {
      "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
    let pageCount = 20_000
    var lower = from == .distantPast ? "" : " AND time >= \(quoted(from.rfc3339))"
    let upper = to == .distantFuture ? "" : " AND time < \(quoted(to.rfc3339))"
    while true {
      let page = try await run(
        "SELECT time, value, quality FROM samples WHERE device = \(quoted(series.key.device)) "
          + "AND metric = \(quoted(series.key.metric))\(lower)\(upper) LIMIT \(pageCount)")
      var last: String?
      for row in page.rows {
        guard case .text(let text) = row[0], let time = Timestamp(rfc3339: text) else { continue }
        guard case .text(let quality) = row[2] else { continue }
        body(time, row[1].value(as: series.type), quality)
        last = text
      }
      guard page.rows.count == pageCount || page.isTruncated, let last else { return }
      lower = " AND time > \(quoted(last))"
    }
  }
}

extension SQLResult.Cell {
  /// The cell as a value of a series of this type.
  fileprivate func value(as type: ValueType) -> Value? {
    switch self {
    case .integer(let number): type == .boolean ? .boolean(number != 0) : .number(Double(number))
    case .real(let number): .number(number)
    case .text(let text): .text(text)
    case .null, .blob: nil
    }
  }
}
