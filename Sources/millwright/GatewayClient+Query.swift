import Foundation
import Storage
import Telemetry

extension GatewayClient {
  /// The answer for one series from `GET /api/v1/query`.
  func answer(_ question: Question, for series: SeriesInfo) async throws -> Answer {
    let aggregates: [Aggregate]
    if question.stepMicroseconds == nil {
      aggregates = []
    } else {
      aggregates = question.aggregates.isEmpty ? Aggregate.usual(for: series) : question.aggregates
    }
    let columns = aggregates.isEmpty ? ["value", "quality"] : aggregates.map(\.rawValue)
    var query = [
      ("series", series.key.description), ("from", question.from.rfc3339),
      ("to", question.to.rfc3339),
    ]
    if let step = question.stepMicroseconds {
      query += [("step", "\(step)us"), ("agg", columns.joined(separator: ","))]
    }
    var answer = Answer(series: series, columns: columns)
    try await pages(query) { part in
      let cells = columns.map { part[$0].elements }
      for (place, time) in part["time"].elements.enumerated() {
        guard let time = time.text.flatMap({ Timestamp(rfc3339: $0) }) else { continue }
        answer.rows.append((time, cells.map { place < $0.count ? $0[place].value : nil }))
      }
    }
    return answer
  }

  /// Reads the samples of one series in `from ..< to`, oldest first, never more than a page at once.
  func samples(
    of series: SeriesInfo, from: Timestamp, to: Timestamp,
    _ body: (Timestamp, Value?, String) -> Void
  ) async throws {
    let query = [
      ("series", series.key.description),
      ("from", from == .distantPast ? "0001-01-01T00:00:00Z" : from.rfc3339),
      ("to", to == .distantFuture ? "9999-12-31T00:00:00Z" : to.rfc3339), ("limit", "50000"),
    ]
    try await pages(query) { part in
      let (values, qualities) = (part["value"].elements, part["quality"].elements)
      for (place, time) in part["time"].elements.enumerated() {
        guard let time = time.text.flatMap({ Timestamp(rfc3339: $0) }) else { continue }
        body(time, values[place].value, qualities[place].text ?? "")
      }
    }
  }

  /// Calls `body` with the columns of each part, until the gateway says there is no more.
  private func pages(_ query: [(String, String)], _ body: (JSONNode) -> Void) async throws {
    var cursor: String?
    repeat {
      let node = try await get("/api/v1/query", query + (cursor.map { [("cursor", $0)] } ?? []))
      for part in node["series"].elements { body(part["columns"]) }
      cursor = node["next_cursor"].text
    } while cursor != nil
  }
}
