import Devices
import Gateway
import HTTPTypes
import Storage
import Telemetry

extension RouteTable {
  /// What a device reports, what is desired of it, and the way to desire something.
  var twinRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/industry40/twin/{device_id}", scope: .read, parameters: ["at"],
        handler: readTwin),
      Route(
        .patch, "/api/v1/industry40/twin/{device_id}/desired", scope: .control, body: .json,
        handler: desire),
    ]
  }

  @Sendable private func readTwin(_ call: Call) async throws -> Reply {
    await gateway.flush()
    let catalog = await gateway.queries.fetchCatalog()
    let device = try DeviceForm.device(call.part("device_id"), in: catalog)
    let moment = try call.query["at"].map { _ in
      try TimeArgument.moment("at", of: call.query, now: now, default: now)
    }
    let series = catalog.series(ofDevice: device.index)
    let samples: [StoredSample?] =
      if let moment {
        try await gateway.queries.fetch { reader in
          try series.map { try reader.sample(of: $0, asOf: moment) }
        }
      } else {
        await gateway.queries.fetchLatest(series)
      }
    var document = TwinDocument(device: device, time: moment)
    for (index, sample) in zip(series, samples) {
      guard let sample else { continue }
      let definition = catalog.series[Int(index)]
      document.features.append(
        TwinDocument.Feature(
          name: definition.metric, value: catalog.value(sample.bits, type: definition.type),
          unit: definition.unit, quality: sample.quality, time: sample.time))
    }
    document.properties = gateway.profile(device.profile)?.desired ?? []
    document.neighbours = TwinDocument.neighbours(of: device, among: catalog.devices)
    if let moment {
      var filter = EventFilter()
      filter.device = device.id
      filter.to = moment.advanced(byMicroseconds: 1)
      filter.isDerivedOnly = true
      filter.limit = 10_000
      let events = try await gateway.queries.fetchEvents(filter).reversed().map(\.event)
      document.desired = TwinDocument.desired(from: events, at: moment)
    } else {
      document.desired = try await standings("desired").first { $0.key == device.id }?.value
      document.alarms = try await standings("alarm").map(\.value).filter {
        $0["device"]?.text == device.id
      }
      document.anomalies = try await standings("anomaly").map(\.value).filter {
        $0["device"]?.text == device.id
      }
    }
    var reply = Reply(json: document.json)
    reply.headers[.eTag] = "\"\(document.version)\""
    reply.headers[.cacheControl] = "no-store"
    return reply
  }

  private func standings(_ kind: String) async throws -> [(key: String, value: JSONValue)] {
    try await gateway.queries.fetchStandings(kind: kind).compactMap { standing in
      // Written by the stages: always JSON.
      (try? JSONReader.read(Array(standing.body.utf8))).map { (standing.key, $0) }
    }
  }

  /// A JSON Merge Patch of what is desired; carried out whole or not at all.
  @Sendable private func desire(_ call: Call) async throws -> Reply {
    let patch = try call.json()
    var members: [(String, JSONValue)] = [("patch", patch)]
    if let tag = call.headers[.ifMatch], tag != "*" {
      let digits = tag.filter { $0 != "\"" }
      guard UInt64(digits) != nil else {
        throw Problem.preconditionFailed("`If-Match` is an ETag that reading the twin gave")
      }
      members.append(("if_match", .number(digits)))
    }
    let command = OperatorCommand(
      name: TwinDesires.commandName, target: call.part("device_id"), principal: call.caller.name,
      remark: call.query["remark"] ?? "", body: JSONValue.object(members).encoded)
    do throws(SubmissionError) {
      _ = try await gateway.submit(Submission(.command(.stage(command))))
    } catch {
      throw Self.twinProblem(error)
    }
    await gateway.flush()
    let desired = try await standings("desired").first { $0.key == command.target }?.value
    var reply = Reply(json: desired ?? .object([("properties", .object([]))]))
    if case .number(let digits)? = desired?["version"] { reply.headers[.eTag] = "\"\(digits)\"" }
    return reply
  }

  private static func twinProblem(_ error: SubmissionError) -> Problem {
    guard case .refused(let code, let detail) = error else { return .from(error) }
    switch code {
    case "unknown_device": return .notFound(detail)
    case "version_conflict": return .preconditionFailed(detail)
    case "not_permitted", "stale_input", "expired": return .conflict(detail)
    case "rate_limited": return .tooMany(detail, retryAfterSeconds: 5)
    default: return .invalid("", code, detail)
    }
  }
}
