import Foundation
import Gateway
import Scoring
import Telemetry

extension RouteTable {
  /// What was done to machines, how long they will last, and what to do next.
  var maintenanceRoutes: [Route] {
    [
      Route(
        .post, "/api/v1/maintenance/events", scope: .write, body: .json, isRepeatable: true,
        handler: takeMaintenanceEvents),
      Route(
        .get, "/api/v1/maintenance/events", scope: .read,
        parameters: ["device", "from", "to"] + Paging.parameters, handler: listMaintenanceEvents),
      Route(
        .post, "/api/v1/industry40/maintenance/predict", scope: .read, body: .json,
        handler: predictMaintenance),
      Route(
        .get, "/api/v1/maintenance/plan", scope: .read, parameters: ["device", "asset"],
        handler: readMaintenancePlan),
      Route(
        .get, "/api/v1/maintenance/recommendations", scope: .read,
        parameters: ["device", "from", "to"] + Paging.parameters
      ) { call in
        try await eventList(call, names: ["MaintenanceRecommended"], isDerivedOnly: true)
      },
      Route(
        .post, "/api/v1/maintenance/models", scope: .admin, body: .json,
        handler: takeMaintenanceModels),
      Route(
        .get, "/api/v1/maintenance/models", scope: .read, handler: listMaintenanceModels),
    ]
  }

  // MARK: - Events

  /// One object, an array of them, or `{"events": [ … ]}`; what is wrong is named, the rest goes on.
  @Sendable private func takeMaintenanceEvents(_ call: Call) async throws -> Reply {
    let body = try call.json()
    let list = body.elements ?? body["events"]?.elements ?? [body]
    guard list.count <= RouteTable.eventsMax else {
      throw Problem.tooLarge(
        "a batch holds at most \(RouteTable.eventsMax) events, not \(list.count); split it")
    }
    try gate.checkItems(of: call.caller)
    let isSingle = body.elements == nil && body["events"] == nil
    let place = body.elements == nil ? "/events" : ""
    let reports = MaintenanceReports(catalog: await catalogWithDevices())
    var events: [Event] = []
    var rejected: [Rejection] = []
    for (index, value) in list.enumerated() {
      do throws(EventRefusal) {
        events.append(try reports.read(value))
      } catch {
        if isSingle { throw Problem.invalid(error.pointer, error.code, error.detail) }
        rejected.append(
          .init(
            index: index, code: error.code, detail: error.detail,
            place: "\(place)/\(index)" + error.pointer))
      }
    }
    var result = SubmissionResult()
    if !events.isEmpty {
      result = try await gateway.submit(Submission(.events(events), key: call.key))
    }
    result.rejected += rejected
    gate.charge(BatchAnswer.itemCount(result), to: call.caller)
    return try BatchAnswer.reply(result)
  }

  /// Right after a first start the declared devices are still on their way to the journal.
  func catalogWithDevices() async -> Catalog {
    let catalog = await gateway.queries.fetchCatalog()
    guard catalog.devices.isEmpty else { return catalog }
    await gateway.flush()
    return await gateway.queries.fetchCatalog()
  }

  @Sendable private func listMaintenanceEvents(_ call: Call) async throws -> Reply {
    try await eventList(call, names: [MaintenanceReport.eventName], isDerivedOnly: false) { row in
      // One that cannot be read any more is shown as it came.
      guard var report = try? MaintenanceReport(row.event) else {
        return .object([("event_id", .string(row.event.id)), ("readable", .bool(false))])
      }
      report.device = row.event.device ?? report.device
      return report.json
    }
  }

  // MARK: - Models

  /// A set that `millwright train` made; in force when this is answered.
  @Sendable private func takeMaintenanceModels(_ call: Call) async throws -> Reply {
    let body = try call.json()
    guard let text = body["model"]?.text, let data = Data(base64Encoded: text),
      let set = try? MaintenanceModelSet(encoded: [UInt8](data))  // Refused with the same sentence.
    else {
      throw Problem.invalid(
        "/model", "bad_model",
        "`model` is a set of models in base64 of this version, as `millwright train` makes")
    }
    do throws(SubmissionError) {
      _ = try await gateway.submit(
        Submission(
          .command(.stage(set.command(principal: call.caller.name)))))
    } catch {
      guard case .refused(let code, let detail) = error else { throw Problem.from(error) }
      switch code {
      case "unknown_scope": throw Problem.notFound(detail)
      case "version_exists": throw Problem.conflict(detail)
      default: throw Problem.invalid("/model", code, detail)
      }
    }
    return Reply(json: set.json)
  }

  @Sendable private func listMaintenanceModels(_ call: Call) async throws -> Reply {
    Paging.list(await gateway.fetchMaintenanceModels().map(\.json), next: nil)
  }
}

extension MaintenanceModelSet {
  /// As lists show it.
  var json: JSONValue {
    .object([
      ("scope", .string(scope)), ("version", .integer(version)),
      ("trained_at", .string(trainedAt.rfc3339)),
      ("labelled_failures", .integer(labelledFailures)),
      ("signals", .array(features.map { .string($0.name) })),
      ("usage_unit", .string(usageUnit)),
      ("period_seconds", .double(Double(periodMicroseconds) / 1e6)),
      ("models", .array(models.map { .string($0.reference.name) })),
      // Written by the training; a text that is no JSON is shown as one.
      ("report", (try? JSONReader.read(Array(report.utf8))) ?? .string(report)),
    ])
  }
}
