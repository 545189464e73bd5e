import Gateway
import Payloads
import Telemetry

extension RouteTable {
  /// Answers one CloudEvent as one event of our own form.
  func takeCloudEvent(_ value: JSONValue, _ call: Call) async throws -> Reply {
    let event: CloudEvent
    do throws(EventRefusal) {
      event = try CloudEventReader(now: now).read(value)
    } catch {
      throw Problem.invalid(error.pointer, error.code, error.detail)
    }
    try gate.checkItems(of: call.caller)
    let result = try await submit(CloudEventBatch(event), call)
    gate.charge(1, to: call.caller)
    guard result.accepted + result.duplicates > 0 else {
      throw Problem.invalid(
        result.rejected.map { .init(pointer: $0.place, code: $0.code, detail: $0.detail) })
    }
    let status = result.accepted > 0 ? "accepted" : "duplicate"
    return Reply(json: .object([("event_id", .string(event.id)), ("status", .string(status))]))
      .marked(result)
  }

  /// Answers the batched form item by item.
  func takeCloudEvents(_ call: Call) async throws -> Reply {
    try gate.checkItems(of: call.caller)
    let reader = CloudEventReader(now: now)
    let batch = try await gateway.queries.fetch { _ in
      try CloudEventBatch(body: call.body, reader: reader)
    }
    let result = try await submit(batch, call)
    gate.charge(BatchAnswer.itemCount(result), to: call.caller)
    return try BatchAnswer.reply(result)
  }

  /// Events and readings are two submissions; a repeat of both is a duplicate of both.
  private func submit(_ batch: CloudEventBatch, _ call: Call) async throws -> SubmissionResult {
    var result = SubmissionResult()
    if !batch.events.isEmpty {
      result = try await gateway.submit(Submission(.events(batch.events), key: call.key))
    }
    if !batch.readings.isEmpty {
      var key = call.key
      key?.name += "\nreadings"
      let payload = Submission.PayloadSubmission(
        bytes: Array(JSONValue.array(batch.readings).encoded.utf8), format: .device)
      let taken = try await gateway.submit(Submission(.payload(payload), key: key))
      result.accepted += taken.accepted
      result.duplicates += taken.duplicates
      result.isRepeated = taken.isRepeated
      result.rejected += taken.rejected.map(batch.placed)
    }
    result.rejected = (result.rejected + batch.rejected).sorted { $0.index < $1.index }
    return result
  }
}

/// The CloudEvents of a request, sorted by where they go, and why the others cannot be taken.
struct CloudEventBatch: Sendable {
  var events: [Event] = []
  var readings: [JSONValue] = []
  /// Positions of `readings` in the request.
  private var readingIndexes: [Int] = []
  var rejected: [Rejection] = []
  private let isSingle: Bool

  init(_ event: CloudEvent) {
    isSingle = true
    take(event, at: 0)
  }

  init(body: [UInt8], reader: CloudEventReader) throws {
    isSingle = false
    guard let list = try JSONValue.body(body).elements else {
      throw Problem.invalid("", "not_an_array", "a batch of CloudEvents is a JSON array of them")
    }
    guard list.count <= RouteTable.eventsMax else {
      throw Problem.tooLarge(
        "a batch holds at most \(RouteTable.eventsMax) events, not \(list.count); split it")
    }
    for (index, value) in list.enumerated() {
      do throws(EventRefusal) {
        take(try reader.read(value), at: index)
      } catch {
        rejected.append(
          .init(
            index: index, code: error.code, detail: error.detail,
            place: "/\(index)" + error.pointer))
      }
    }
  }

  private mutating func take(_ event: CloudEvent, at index: Int) {
    switch event.content {
    case .event(let event): events.append(event)
    case .reading(let reading):
      readings.append(reading)
      readingIndexes.append(index)
    }
  }

  /// A rejection of a reading with its place in the request: `/2/metrics/a` and the metric `a` alike.
  func placed(_ rejection: Rejection) -> Rejection {
    var placed = rejection
    placed.index =
      readingIndexes.indices.contains(rejection.index) ? readingIndexes[rejection.index] : 0
    var place = ""
    if rejection.place.hasPrefix("/") {
      place = rejection.place.dropFirst().drop { $0 != "/" }.description
    } else if !rejection.place.isEmpty {
      place = "/metrics/" + EventFields.escaped(rejection.place)
    }
    placed.place = (isSingle ? "" : "/\(placed.index)") + "/data" + place
    return placed
  }
}
