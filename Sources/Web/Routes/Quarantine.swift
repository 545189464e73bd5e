import Foundation
import Gateway
import HTTPTypes
import Storage
import Telemetry

extension RouteTable {
  var quarantineRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/quarantine", scope: .read,
        parameters: ["cause", "device"] + Paging.parameters, handler: listQuarantine),
      Route(.get, "/api/v1/quarantine/{id}", scope: .read) { call in
        Reply(json: QuarantineForm.json(try await heldPayload(call), isWhole: true))
      },
      Route(
        .post, "/api/v1/quarantine/{id}/adopt", scope: .write, body: .json, isRepeatable: true,
        handler: adopt),
      Route(.delete, "/api/v1/quarantine/{id}", scope: .write) { call in
        let row = try await heldPayload(call)
        _ = try await gateway.submit(Submission(.command(.discard(rows: [row.id]))))
        await gateway.flush()
        return Reply(status: .noContent)
      },
    ]
  }

  @Sendable private func listQuarantine(_ call: Call) async throws -> Reply {
    let cause = try QuarantineForm.cause(call.query)
    let limit = try Paging.limit(call.query)
    await gateway.flush()
    let rows = try await gateway.queries.fetchQuarantine(
      QuarantineFilter(
        cause: cause, device: call.query["device"], before: try Paging.rowCursor(call.query),
        limit: limit + 1))
    let page = rows.prefix(limit)
    return Paging.list(
      page.map { QuarantineForm.json($0, isWhole: false) },
      next: rows.count > limit ? page.last.map { String($0.id) } : nil)
  }

  private func heldPayload(_ call: Call) async throws -> HeldPayload {
    await gateway.flush()
    guard let id = Int64(call.part("id")),
      let row = try await gateway.queries.fetchQuarantine(id: id)
    else { throw Problem.notFound("the quarantine holds no `\(call.part("id"))`") }
    return row
  }

  @Sendable private func adopt(_ call: Call) async throws -> Reply {
    let profile = try QuarantineForm.profile(call)
    let row = try await heldPayload(call)
    guard row.payload.cause == .unknownDevice else {
      throw Problem.conflict(
        "only payloads of unknown devices can be adopted; this one is held as "
          + "`\(row.payload.cause.name)`: \(row.payload.reason)")
    }
    let result = try await gateway.submit(
      Submission(.command(.adopt(device: row.payload.device, profile: profile))))
    return Reply(
      json: .object([
        ("device_id", .string(row.payload.device)), ("profile", .optional(profile.nonEmpty)),
        ("ingested", .integer(result.accepted)),
        ("refused", QuarantineForm.refused(result.rejected)),
      ]))
  }
}

enum QuarantineForm {
  static let previewBytes = 256
  static let reasonsMax = 100

  /// A row; the payload as text when it is UTF-8, else as base64; whole or its beginning.
  static func json(_ row: HeldPayload, isWhole: Bool) -> JSONValue {
    let held = row.payload
    let shown = isWhole ? held.payload : Array(held.payload.prefix(previewBytes))
    let text = String(validating: shown, as: UTF8.self)
    return .object([
      ("id", .string(String(row.id))), ("cause", .string(held.cause.name)),
      ("device", .optional(held.device.nonEmpty)), ("reason", .string(held.reason)),
      ("topic", .optional(held.topic.nonEmpty)),
      ("content_type", .optional(held.contentType.nonEmpty)),
      ("received", .string(held.received.rfc3339)),
      ("payload", .string(text ?? Data(shown).base64EncodedString())),
      ("payload_encoding", .string(text == nil ? "base64" : "text")),
      ("payload_size", .integer(held.payloadSize)),
      ("payload_truncated", .bool(shown.count < held.payloadSize)),
    ])
  }

  /// The parameter `cause`.
  static func cause(_ query: QueryParameters) throws(Problem) -> Quarantined.Cause? {
    let names = Quarantined.Cause.allCases.map(\.name)
    return try query.choice("cause", of: names).flatMap { name in
      Quarantined.Cause.allCases.first { $0.name == name }
    }
  }

  /// The profile in the body of an adoption; empty when none is given.
  static func profile(_ call: Call) throws(Problem) -> String {
    let body = call.body.isEmpty ? JSONValue.object([]) : try call.json()
    var profile = ""
    for (name, value) in body.members ?? [("", .null)] {
      guard name == "profile", let text = value.text else {
        throw Problem.invalid(
          "/" + name, "unknown_member", "send `{}` or `{\"profile\": \"press\"}`")
      }
      profile = text
    }
    return profile
  }

  /// What is still refused, by code and reason, the most frequent first. Reasons that differ in names and
  /// numbers are told by the first of them.
  static func refused(_ rejected: [Rejection]) -> JSONValue {
    let reasons = Dictionary(grouping: rejected) {
      [$0.code, HeldGroup.pattern(ofReason: $0.detail)]
    }
    let sorted = reasons.values.sorted { ($1.count, $0[0].index) < ($0.count, $1[0].index) }
    return .array(
      sorted.prefix(reasonsMax).map { alike in
        .object([
          ("code", .string(alike[0].code)), ("reason", .string(alike[0].detail)),
          ("count", .integer(alike.count)),
        ])
      })
  }
}
