import Gateway
import HTTPTypes
import Storage
import Telemetry

extension RouteTable {
  static let eventsMax = 10_000

  var eventRoutes: [Route] {
    [
      Route(
        .post, "/api/v1/events", scope: .ingest, body: .json, isRepeatable: true,
        handler: takeEvent),
      Route(
        .post, "/api/v1/events/batch", scope: .ingest, body: .json, isRepeatable: true,
        handler: takeEvents),
    ]
  }

  /// The Content-Type says which form it is; CloudEvents come to either path.
  @Sendable private func takeEvent(_ call: Call) async throws -> Reply {
    let type = call.headers[.contentType].map(MediaType.init)
    if type == .cloudEvents { return try await takeCloudEvents(call) }
    if type == .cloudEvent { return try await takeCloudEvent(try call.json(), call) }
    if CloudEventReader.isBinary(call.headers) {
      let value = try CloudEventReader.structured(call.headers, body: call.body)
      return try await takeCloudEvent(value, call)
    }
    let body = try call.json()
    guard let value = body["event"] else {
      throw Problem.invalid("/event", "missing", "send `{\"event\": {…}}`")
    }
    let event: Event
    do throws(EventRefusal) {
      event = try EventReader(now: now, key: call.key).read(value)
    } catch {
      throw Problem.invalid("/event" + error.pointer, error.code, error.detail)
    }
    try gate.checkItems(of: call.caller)
    let result = try await gateway.submit(Submission(.events([event]), key: call.key))
    gate.charge(1, to: call.caller)
    let status = result.accepted > 0 ? "accepted" : "duplicate"
    return Reply(json: .object([("event_id", .string(event.id)), ("status", .string(status))]))
      .marked(result)
  }

  @Sendable private func takeEvents(_ call: Call) async throws -> Reply {
    let type = call.headers[.contentType].map(MediaType.init)
    if type == .cloudEvents { return try await takeCloudEvents(call) }
    if type == .cloudEvent { return try await takeCloudEvent(try call.json(), call) }
    try gate.checkItems(of: call.caller)
    let reader = EventReader(now: now)
    // Reading megabytes of JSON is long enough to be kept off the threads that serve everybody.
    let reading = try await gateway.queries.fetch { _ in
      try EventBatch(body: call.body, reader: reader)
    }
    var result = SubmissionResult()
    if !reading.events.isEmpty {
      result = try await gateway.submit(Submission(.events(reading.events), key: call.key))
    }
    result.rejected = reading.rejected
    gate.charge(BatchAnswer.itemCount(result), to: call.caller)
    return try BatchAnswer.reply(result)
  }
}

/// The events of a batch that can be taken, and why the others cannot.
struct EventBatch: Sendable {
  var events: [Event] = []
  var rejected: [Rejection] = []

  init(body: [UInt8], reader: EventReader) throws {
    guard let list = try JSONValue.body(body)["events"]?.elements else {
      throw Problem.invalid("/events", "missing", "send `{\"events\": [ … ]}`")
    }
    guard list.count <= RouteTable.eventsMax else {
      throw Problem.tooLarge(
        "a batch holds at most \(RouteTable.eventsMax) events, not \(list.count); split it")
    }
    for (index, value) in list.enumerated() {
      // In a batch an element may also be wrapped as a single event is.
      do throws(EventRefusal) {
        events.append(try reader.read(value["event"] ?? value))
      } catch {
        rejected.append(
          .init(
            index: index, code: error.code, detail: error.detail,
            place: "/events/\(index)" + error.pointer))
      }
    }
  }
}
