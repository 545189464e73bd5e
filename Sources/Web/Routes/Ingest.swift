import Gateway
import HTTPTypes
import Payloads
import Telemetry

extension RouteTable {
  var ingestRoutes: [Route] {
    [
      Route(
        .post, "/api/v1/industry40/iot/ingest", scope: .ingest, body: .json, isRepeatable: true,
        handler: ingestDevices),
      Route(
        .post, "/api/v2/write", scope: .ingest,
        parameters: ["precision", "org", "bucket", "orgID", "db", "rp", "consistency"], body: .raw,
        handler: writeLines),
    ]
  }

  @Sendable private func ingestDevices(_ call: Call) async throws -> Reply {
    try gate.checkItems(of: call.caller)
    let result = try await gateway.submit(
      Submission(.payload(.init(bytes: call.body, format: .device)), key: call.key))
    gate.charge(BatchAnswer.itemCount(result), to: call.caller)
    return try BatchAnswer.reply(result, wholeErrors: true)
  }

  /// As InfluxDB 2 does it: 204 when every line was taken; 400 names the lines that were not, the others
  /// are stored.
  @Sendable private func writeLines(_ call: Call) async throws -> Reply {
    var precision = TimePrecision.nanoseconds
    if let name = call.query["precision"] {
      guard let known = TimePrecision(name: name) else {
        throw QueryParameters.noChoice("precision", name, ["ns", "us", "ms", "s"])
      }
      precision = known
    }
    try gate.checkItems(of: call.caller)
    let result = try await gateway.submit(
      Submission(.payload(.init(bytes: call.body, format: .line, linePrecision: precision))))
    gate.charge(BatchAnswer.itemCount(result), to: call.caller)
    guard let first = result.rejected.first else { return Reply(status: .noContent) }
    throw Problem(
      status: .badRequest, slug: "partial-write", title: "Not every line was taken",
      detail: "\(result.accepted + result.duplicates) points were stored; "
        + (first.place.isEmpty ? "" : "\(first.place): ") + first.detail,
      errors: result.rejected.prefix(SubmissionResult.rejectionsMax).map {
        .init(pointer: $0.place, code: $0.code, detail: $0.detail)
      },
      members: [
        ("code", .string("invalid")), ("message", .string(first.detail)),
        ("accepted", .integer(result.accepted)), ("duplicates", .integer(result.duplicates)),
      ])
  }
}

/// How a batch is answered, item by item.
enum BatchAnswer {
  static func itemCount(_ result: SubmissionResult) -> Int {
    max(1, result.accepted + result.duplicates + result.rejected.count)
  }

  static func members(_ result: SubmissionResult) -> [(String, JSONValue)] {
    [
      ("accepted", .integer(result.accepted)), ("duplicates", .integer(result.duplicates)),
      ("rejected", .array(result.rejected.prefix(SubmissionResult.rejectionsMax).map(rejection))),
    ]
  }

  static func reply(_ result: SubmissionResult, wholeErrors: Bool = false) throws(Problem) -> Reply
  {
    let members = members(result)
    if result.accepted + result.duplicates > 0 {
      return Reply(json: .object(members)).marked(result)
    }
    if wholeErrors, let first = result.rejected.first,
      ["not_json", "empty", "trailing_bytes"].contains(first.code)
    {
      throw .notJSON(first.detail)
    }
    throw Problem(
      status: .unprocessableContent, slug: "nothing-accepted", title: "No item was accepted",
      detail: result.rejected.first?.detail ?? "the batch holds no items", members: members)
  }

  private static func rejection(_ rejection: Rejection) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("index", .integer(rejection.index)), ("code", .string(rejection.code)),
      ("detail", .string(rejection.detail)),
    ]
    if !rejection.place.isEmpty { members.append(("pointer", .string(rejection.place))) }
    return .object(members)
  }
}
