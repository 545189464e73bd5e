import Gateway
import HTTPTypes
import Telemetry

extension RouteTable {
  static let segmentBytesMax = 500 << 10

  var segmentRoutes: [Route] {
    SegmentCall.allCases.map { call in
      Route(.post, "/v1/\(call.rawValue)", scope: .ingest, body: .json, isRepeatable: true) {
        try await takeSegment($0) { value in [("", value, call)] }
      }
    } + [
      Route(.post, "/v1/batch", scope: .ingest, body: .json, isRepeatable: true) {
        try await takeSegment($0) { value in
          guard let list = value["batch"]?.elements else {
            throw Problem.badBody("send `{\"batch\": [ … ]}`")
          }
          return list.enumerated().map { ("/batch/\($0.offset)", $0.element, nil) }
        }
      }
    ]
  }

  /// A call with its place in the body and what the path says about it.
  typealias SegmentItem = (place: String, value: JSONValue, call: SegmentCall?)

  /// As Segment's clients expect it: 200 once the body can be read at all, also when calls are refused.
  /// Which ones and why stands in the body, how many in a header.
  private func takeSegment(
    _ call: Call, _ items: @escaping @Sendable (JSONValue) throws -> [SegmentItem]
  ) async throws -> Reply {
    guard call.body.count <= Self.segmentBytesMax else {
      throw Problem.tooLarge(
        "a request holds at most \(Self.segmentBytesMax) bytes; split the batch")
    }
    try gate.checkItems(of: call.caller)
    let reader = SegmentReader(now: now, key: call.key)
    let reading = try await gateway.queries.fetch { _ in
      try SegmentBatch(body: call.body, reader: reader, items: items)
    }
    var result = SubmissionResult()
    if !reading.events.isEmpty {
      result = try await gateway.submit(Submission(.events(reading.events), key: call.key))
    }
    result.rejected = reading.rejected
    gate.charge(BatchAnswer.itemCount(result), to: call.caller)
    var reply = Reply(
      json: .object([("success", .bool(true))] + BatchAnswer.members(result)))
    reply.headers[.rejectedCount] = String(result.rejected.count)
    return reply.marked(result)
  }
}

/// The events that the calls of a request became, and why the others cannot be taken.
struct SegmentBatch: Sendable {
  var events: [Event] = []
  var rejected: [Rejection] = []

  init(
    body: [UInt8], reader: SegmentReader, items: (JSONValue) throws -> [RouteTable.SegmentItem]
  ) throws {
    let value = try JSONValue.body(body)
    guard value.members != nil else {
      throw Problem.badBody("send a JSON object, as Segment's clients do")
    }
    var reader = reader
    reader.sentAt = value["sentAt"]
    reader.context = value["context"]
    for (index, item) in try items(value).enumerated() {
      do throws(EventRefusal) {
        events.append(try reader.read(item.value, call: item.call))
      } catch {
        rejected.append(
          .init(
            index: index, code: error.code, detail: error.detail,
            place: item.place + error.pointer))
      }
    }
  }
}
