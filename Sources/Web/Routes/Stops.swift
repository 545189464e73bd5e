import Gateway
import Operations
import Telemetry

extension RouteTable {
  /// Stops of machines with what operators say of them, reports of closed shifts, and settings that went best.
  var stopRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/production/stops", scope: .read, parameters: ["machine", "from", "to"],
        handler: listStops),
      Route(
        .post, "/api/v1/production/stops/relabel", scope: .write, body: .json, isRepeatable: true,
        handler: { try await editStop($0, verb: "relabel") }),
      Route(
        .post, "/api/v1/production/stops/split", scope: .write, body: .json, isRepeatable: true,
        handler: { try await editStop($0, verb: "split") }),
      Route(
        .get, "/api/v1/production/reports", scope: .read,
        parameters: ["machine", "line", "from", "to", "versions"], handler: listReports),
      Route(
        .get, "/api/v1/production/settings", scope: .read,
        parameters: ["machine", "setting", "step", "from", "to"], handler: readSettings),
    ]
  }

  /// Stops of a machine as they count, and the trail of edits.
  @Sendable private func listStops(_ call: Call) async throws -> Reply {
    guard let id = call.query["machine"] else {
      throw Problem.badParameter("machine", "say which machine")
    }
    let machine = try machine(id)
    let span = try span(call.query, standard: machine).span
    await gateway.flush()
    let ledger = try await gateway.production.fetchLedger(of: machine, over: span, now: now)
    return Reply(json: Self.stops(of: ledger, over: span))
  }

  private static func stops(of ledger: MachineLedger, over span: Span) -> JSONValue {
    .object([
      ("machine", .string(ledger.machine.id)), ("from", .string(span.from.rfc3339)),
      ("to", .string(span.to.rfc3339)),
      (
        "items",
        .array(
          ledger.stops.filter { $0.span.intersection(span) != nil }.map { stop in
            .object([
              ("from", .string(stop.span.from.rfc3339)), ("to", .string(stop.span.to.rfc3339)),
              ("planned_seconds", .double(Double(stop.plannedMicroseconds) / 1e6)),
              ("state", .string(stop.state.name)), ("reason", .optional(stop.reason)),
              ("small_stop", .bool(stop.isSmall)),
            ])
          })
      ),
      (
        "edits",
        .array(ledger.audits.filter { $0.named.intersection(span) != nil }.map(\.json))
      ),
    ])
  }

  /// `{machine, from, to, reason, remark?}` or `{machine, from, to, at, remark?}`: refused with a sentence when it
  /// does not fit the stop as the data has it now.
  @Sendable private func editStop(_ call: Call, verb: String) async throws -> Reply {
    let body = try call.json()
    guard let id = body["machine"]?.text else {
      throw Problem.invalid("/machine", "missing", "say which machine")
    }
    let machine = try machine(id)
    let from = try requiredMoment("from", body)
    let to = try requiredMoment("to", body)
    guard from < to else { throw Problem.invalid("/to", "bad_span", "it must be after `from`") }
    var further: [(String, JSONValue)] = [
      ("from", .string(from.rfc3339)), ("to", .string(to.rfc3339)),
    ]
    let action: StopEdit.Action
    if verb == "split" {
      let at = try requiredMoment("at", body)
      further.append(("at", .string(at.rfc3339)))
      action = .split(at: at)
    } else {
      guard let reason = body["reason"]?.text else {
        throw Problem.invalid("/reason", "missing", "say which reason code")
      }
      further.append(("reason", .string(reason)))
      action = .relabel(reason: reason)
    }
    let span = try bounded(Span(from..<to))
    let remark = body["remark"]?.text ?? ""
    let edit = StopEdit(
      id: "wanted", machine: machine.id, stop: span, action: action, author: call.caller.name,
      time: now, remark: remark)
    await gateway.flush()
    let preview = try await gateway.production.fetchLedger(
      of: machine, over: span, now: now, adding: edit)
    if let refusal = preview.audits.first(where: { $0.edit.id == edit.id && $0.refusal != nil }) {
      throw Problem.invalid("", "edit_refused", refusal.refusal ?? "")
    }
    try await carryOut(
      OperatorCommand(
        name: "stop.\(verb)", target: machine.id, principal: call.caller.name, remark: remark,
        body: JSONValue.object(further).encoded), key: call.key)
    await gateway.flush()
    let ledger = try await gateway.production.fetchLedger(of: machine, over: span, now: now)
    return Reply(json: Self.stops(of: ledger, over: span))
  }

  private func requiredMoment(_ name: String, _ body: JSONValue) throws(Problem) -> Timestamp {
    guard let moment = body[name].flatMap(moment) else {
      throw .invalid(
        "/" + name, "bad_moment", "it is a moment such as \"2026-11-21T08:00:00Z\" or epoch seconds"
      )
    }
    return moment
  }

  /// Which values of a metric went best, per product, with the evidence. Without a span: the last seven days.
  @Sendable private func readSettings(_ call: Call) async throws -> Reply {
    guard let id = call.query["machine"], let metric = call.query["setting"] else {
      throw Problem.badParameter("setting", "say which `machine` and which metric of it is set")
    }
    let machine = try machine(id)
    await gateway.flush()
    let catalog = await gateway.queries.fetchCatalog()
    let device = try DeviceForm.device(machine.device, in: catalog)
    let profile = gateway.profile(device.profile)
    let desired = profile?.desired.first { $0.metric == metric || $0.name == metric }
    guard let range = desired?.range ?? profile?.metric(metric)?.range else {
      throw Problem.badParameter(
        "setting",
        "`\(metric)` has no declared range in the profile `\(device.profile)`: nothing could be suggested"
      )
    }
    let step = call.query["step"].flatMap(Double.init) ?? (range.upperBound - range.lowerBound) / 20
    guard step > 0, step.isFinite else {
      throw Problem.badParameter("step", "values nearer than this count as one; it is above 0")
    }
    let to = try TimeArgument.moment("to", of: call.query, now: now, default: now)
    let from = try TimeArgument.moment(
      "from", of: call.query, now: now, default: to.advanced(byMicroseconds: -7 * 86_400_000_000))
    guard from < to else { throw Problem.badParameter("from", "it must be before `to`") }
    let observations = try await gateway.production.fetchObservations(
      of: machine, setting: metric, over: try bounded(Span(from..<to)), now: now)
    let definition = SettingDefinition(
      name: metric, range: range, step: step, current: observations.last?.value)
    var products: [String] = []
    for observation in observations where !products.contains(observation.product) {
      products.append(observation.product)
    }
    return Reply(
      json: .object([
        ("machine", .string(machine.id)), ("from", .string(from.rfc3339)),
        ("to", .string(to.rfc3339)), ("outcome", .string("good parts per planned hour")),
        ("hours", .integer(observations.count)),
        (
          "items",
          .array(
            products.sorted().map {
              ObservedSettings(observations, product: $0, of: definition).json
            })
        ),
      ]))
  }

  /// Without a span: the last seven days. `versions=all` shows also what was superseded.
  @Sendable private func listReports(_ call: Call) async throws -> Reply {
    var kind: String?
    var subject: String?
    if let id = call.query["machine"] { (kind, subject) = ("machine", try machine(id).id) }
    if let id = call.query["line"] { (kind, subject) = ("line", id) }
    let to = try TimeArgument.moment("to", of: call.query, now: now, default: now)
    let from = try TimeArgument.moment(
      "from", of: call.query, now: now, default: to.advanced(byMicroseconds: -7 * 86_400_000_000))
    guard from < to else { throw Problem.badParameter("from", "it must be before `to`") }
    guard [nil, "all", "newest"].contains(call.query["versions"]) else {
      throw Problem.badParameter("versions", "it is `newest` or `all`")
    }
    await gateway.flush()
    let reports = try await gateway.production.fetchReports(
      kind: kind, subject: subject, over: Span(from..<to.advanced(byMicroseconds: 1)),
      allVersions: call.query["versions"] == "all")
    return Paging.list(reports.map(\.json), next: nil)
  }
}
