import Gateway
import Telemetry

extension RouteTable {
  /// The event log as a list, and what detectors noticed.
  var eventLogRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/events", scope: .read,
        parameters: ["name", "device", "from", "to"] + Paging.parameters
      ) { call in
        try await eventList(
          call, names: call.query["name"].map { [$0] } ?? [],
          // What people did is personal data.
          isDerivedOnly: !call.caller.scopes.contains(.people))
      },
      Route(
        .get, "/api/v1/anomalies", scope: .read, parameters: ["device"], handler: listAnomalies),
      Route(
        .get, "/api/v1/anomalies/journal", scope: .read,
        parameters: ["device", "from", "to"] + Paging.parameters
      ) { call in
        try await eventList(call, names: ["AnomalyStarted", "AnomalyEnded"], isDerivedOnly: true)
      },
    ]
  }

  /// Newest first; own writes included.
  /// - Parameter show: one event, where it is not shown as the log has it.
  func eventList(
    _ call: Call, names: [String], isDerivedOnly: Bool,
    show: (LoggedEvent) -> JSONValue = RouteTable.json
  ) async throws -> Reply {
    var filter = EventFilter()
    filter.names = names
    filter.device = call.query["device"]
    filter.from = try TimeArgument.moment("from", of: call.query, now: now, default: .distantPast)
    filter.to = try TimeArgument.moment("to", of: call.query, now: now, default: .distantFuture)
    filter.isDerivedOnly = isDerivedOnly
    filter.before = try Paging.rowCursor(call.query)
    let limit = try Paging.limit(call.query)
    filter.limit = limit + 1
    await gateway.flush()
    let rows = try await gateway.queries.fetchEvents(filter)
    let page = rows.prefix(limit)
    return Paging.list(
      page.map(show), next: rows.count > limit ? page.last.map { String($0.id) } : nil)
  }

  static func json(_ row: LoggedEvent) -> JSONValue {
    // Checked when they came in, or written by the stages.
    let properties = (try? JSONReader.read(Array(row.event.publicProperties.utf8))) ?? .object([])
    var members: [(String, JSONValue)] = [
      ("event_id", .string(row.event.id)), ("name", .string(row.event.name)),
      ("time", .string(row.event.time.rfc3339)), ("sequence", .integer(row.sequence)),
      ("derived", .bool(row.isDerived)),
    ]
    if let device = row.event.device { members.append(("device_id", .string(device))) }
    if let user = row.event.user { members.append(("user_id", .string(user))) }
    members.append(("properties", properties))
    return .object(members)
  }

  /// What is unusual now, with the unit as people write it.
  @Sendable private func listAnomalies(_ call: Call) async throws -> Reply {
    await gateway.flush()
    let items = try await gateway.queries.fetchStandings(kind: "anomaly").compactMap {
      try? JSONReader.read(Array($0.body.utf8))  // Written by the stages: always JSON.
    }.filter { anomaly in
      call.query["device"].map { anomaly["device"]?.text == $0 } ?? true
    }.map { anomaly in
      let symbol = anomaly["unit"]?.text.flatMap { Unit($0)?.symbol }
      return JSONValue.object((anomaly.members ?? []) + [("symbol", .optional(symbol))])
    }
    return Paging.list(items, next: nil)
  }
}
