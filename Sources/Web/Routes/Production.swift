import Gateway
import Operations
import Telemetry

extension RouteTable {
  /// OEE of machines and lines, from the store or from numbers given.
  var productionRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/industry40/oee", scope: .read,
        parameters: ["machine", "line", "from", "to", "by"], handler: readOEE),
      Route(
        .post, "/api/v1/industry40/oee/calculate", scope: .read, body: .json,
        handler: calculateOEE),
      Route(
        .get, "/api/v1/production/machines", scope: .read, handler: listMachines),
      Route(
        .get, "/api/v1/production/timeline", scope: .read, parameters: ["machine", "from", "to"],
        handler: readTimeline),
    ] + stopRoutes
  }

  /// Without a span: the current shift to date ("OEE now"); of a machine without shifts, the last eight hours.
  @Sendable private func readOEE(_ call: Call) async throws -> Reply {
    let floor = gateway.production
    if let id = call.query["machine"] {
      let machine = try machine(id)
      let span = try span(call.query, standard: machine)
      return Reply(
        json: try await answer(machine, over: span.span, shift: span.shift, call.query["by"]))
    }
    let lines =
      if let id = call.query["line"] { [try line(id)] } else { floor.configuration.lines }
    var items: [JSONValue] = []
    for line in lines {
      let constraint = line.constraint ?? line.machines.last ?? ""
      guard let standard = floor.configuration.machine(constraint) else { continue }
      let span = try span(call.query, standard: standard)
      let (result, bottleneck, ledgers) = try await floor.fetchLine(line, over: span.span, now: now)
      var members: [(String, JSONValue)] = [("line", .string(line.id))]
      members += frame(span.span, span.shift)
      members.append(("result", result.json(floor.configuration.reasons)))
      members.append(("bottleneck", bottleneck.json))
      members.append(
        (
          "timelines",
          .array(ledgers.map { Self.timeline($0, over: span.span) })
        ))
      items.append(.object(members))
    }
    return Paging.list(items, next: nil)
  }

  private func answer(
    _ machine: MachineDefinition, over span: Span, shift: Shift?, _ by: String?
  ) async throws -> JSONValue {
    let ledger = try await gateway.production.fetchLedger(of: machine, over: span, now: now)
    let reasons = gateway.production.configuration.reasons
    var members: [(String, JSONValue)] = [("machine", .string(machine.id))]
    members += frame(span, shift)
    members.append(("result", ledger.result(over: span).json(reasons)))
    members.append(("intervals", ledger.intervals(over: SpanSet(span))))
    if let by {
      let parts: [MachineLedger.Part]
      switch by {
      case "shift": parts = ledger.shifts(in: span)
      case "hour": parts = ledger.hours(in: span, zone: gateway.production.zone(of: machine))
      case "order": parts = ledger.orders(in: span)
      case "product": parts = ledger.products(in: span)
      default: throw Problem.badParameter("by", "it is shift, hour, order or product")
      }
      members.append(
        (
          "parts",
          .array(
            parts.map { part in
              .object([
                (by, .string(part.name)), ("result", ledger.result(over: part.set).json(reasons)),
              ])
            })
        ))
    }
    return .object(members)
  }

  private func frame(_ span: Span, _ shift: Shift?) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [
      ("from", .string(span.from.rfc3339)), ("to", .string(span.to.rfc3339)),
      ("as_of", .string(now.rfc3339)),
    ]
    if let shift { members.append(("shift", shift.json)) }
    return members
  }

  private static func timeline(_ ledger: MachineLedger, over span: Span) -> JSONValue {
    .object([
      ("machine", .string(ledger.machine.id)),
      ("intervals", ledger.intervals(over: SpanSet(span))["states"] ?? .array([])),
    ])
  }

  @Sendable private func readTimeline(_ call: Call) async throws -> Reply {
    guard let id = call.query["machine"] else {
      throw Problem.badParameter("machine", "say which machine")
    }
    let machine = try machine(id)
    let span = try span(call.query, standard: machine).span
    let ledger = try await gateway.production.fetchLedger(of: machine, over: span, now: now)
    return Reply(
      json: .object([
        ("machine", .string(id)), ("from", .string(span.from.rfc3339)),
        ("to", .string(span.to.rfc3339)), ("intervals", ledger.intervals(over: SpanSet(span))),
      ]))
  }

  /// Machines with their state of the moment.
  @Sendable private func listMachines(_ call: Call) async throws -> Reply {
    await gateway.flush()
    var states: [String: JSONValue] = [:]
    for standing in try await gateway.queries.fetchStandings(kind: "machine") {
      states[standing.key] = try? JSONReader.read(Array(standing.body.utf8))  // Written by the stages.
    }
    let items = gateway.production.configuration.machines.map { machine in
      var members: [(String, JSONValue)] = [
        ("machine", .string(machine.id)), ("device", .string(machine.device)),
        ("asset", .optional(machine.asset.nonEmpty)),
        ("calendar", .optional(machine.calendar.nonEmpty)),
        ("state", states[machine.id]?["state"] ?? .string("unknown")),
        ("since", states[machine.id]?["since"] ?? .null),
      ]
      if let shift = gateway.production.shift(of: machine, at: now) {
        members.append(("shift", shift.json))
      }
      return JSONValue.object(members)
    }
    return Paging.list(items, next: nil)
  }

  /// From numbers, or with `asset`, `machine` or `device_id` and a span from the store.
  @Sendable private func calculateOEE(_ call: Call) async throws -> Reply {
    let body = try call.json()
    if let id = body["machine"]?.text ?? body["device_id"]?.text ?? body["asset"]?.text {
      let machine = try machine(id)
      guard let from = body["from"].flatMap(moment), let to = body["to"].flatMap(moment), from < to
      else {
        throw Problem.invalid(
          "/from", "bad_span", "`from` and `to` are moments, the first before the second")
      }
      let span = try bounded(Span(from..<to))
      return Reply(json: try await answer(machine, over: span, shift: nil, body["by"]?.text))
    }
    switch GivenNumbers.result(of: body) {
    case .success(let result):
      return Reply(json: result.json())
    case .failure(let refusals):
      throw Problem.invalid(
        refusals.list.map {
          Problem.Fault(
            pointer: "/" + ($0.fields.first ?? ""), code: "inconsistent_numbers", detail: $0.message
          )
        })
    }
  }

  func moment(_ value: JSONValue) -> Timestamp? {
    switch value {
    case .string(let text): TimeArgument.moment(text, now: now)
    case .number(let digits): Double(digits).flatMap { Timestamp(epoch: $0) }
    default: nil
    }
  }

  // MARK: - What is asked for

  func machine(_ id: String) throws(Problem) -> MachineDefinition {
    let machines = gateway.production.configuration.machines
    if let machine = machines.first(where: { $0.id == id || $0.device == id || $0.asset == id }) {
      return machine
    }
    let near = nearestName(to: id, among: machines.map(\.id))
    throw .notFound(
      "there is no machine `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? "")
        + (machines.isEmpty ? "; declare `machines:` in devices/*.yaml, see docs/oee.md" : ""))
  }

  private func line(_ id: String) throws(Problem) -> LineDefinition {
    let lines = gateway.production.configuration.lines
    if let line = lines.first(where: { $0.id == id }) { return line }
    let near = nearestName(to: id, among: lines.map(\.id))
    throw .notFound(
      "there is no line `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
  }

  func span(
    _ query: QueryParameters, standard machine: MachineDefinition
  ) throws(Problem) -> (span: Span, shift: Shift?) {
    if query["from"] == nil, query["to"] == nil {
      if let shift = gateway.production.shift(of: machine, at: now) {
        return (Span(shift.span.from..<max(now, shift.span.from)), shift)
      }
      return (Span(now.advanced(byMicroseconds: -8 * 3_600_000_000)..<now), nil)
    }
    let to = try TimeArgument.moment("to", of: query, now: now, default: now)
    let from = try TimeArgument.moment(
      "from", of: query, now: now, default: to.advanced(byMicroseconds: -8 * 3_600_000_000))
    guard from < to else { throw .badParameter("from", "it must be before `to`") }
    return (try bounded(Span(from..<to)), nil)
  }

  func bounded(_ span: Span) throws(Problem) -> Span {
    guard span.microseconds <= Int64(ProductionFloor.daysMax) * 86_400_000_000 else {
      throw .badParameter(
        "from", "at most \(ProductionFloor.daysMax) days can be asked for at once")
    }
    return span
  }
}
