import Gateway
import Operations
import Telemetry

extension RouteTable {
  /// Control charts, capability and yield.
  var qualityRoutes: [Route] {
    [
      Route(.get, "/api/v1/quality/characteristics", scope: .read, handler: listCharacteristics),
      Route(
        .get, "/api/v1/quality/spc", scope: .read,
        parameters: ["characteristic", "device", "from", "to", "limits"], handler: readChart),
      Route(
        .post, "/api/v1/quality/resume", scope: .write, body: .json, isRepeatable: true,
        handler: resumeAcceptance),
    ]
  }

  /// Each characteristic with the charts there are and whether one is out of control.
  @Sendable private func listCharacteristics(_ call: Call) async throws -> Reply {
    let charts = await gateway.fetchCharts()
    let items = gateway.quality.configuration.characteristics.map { characteristic in
      let own = charts.filter { $0.characteristic == characteristic.id }
      return JSONValue.object([
        ("characteristic", .string(characteristic.id)),
        ("description", .optional(characteristic.description.nonEmpty)),
        ("chart", .string(characteristic.chart.type.rawValue)),
        ("unit", .optional(characteristic.unit?.code)),
        ("lower_limit", characteristic.limits.lower.map(JSONValue.double) ?? .null),
        ("upper_limit", characteristic.limits.upper.map(JSONValue.double) ?? .null),
        ("target", characteristic.limits.target.map(JSONValue.double) ?? .null),
        (
          "charts",
          .array(
            own.map {
              .object([
                ("device", .optional($0.device.nonEmpty)), ("points", .integer($0.points)),
                ("out_of_control", .bool($0.isOutOfControl)),
                ("center", $0.limits.map { .double($0.center) } ?? .null),
                ("sigma_within", $0.limits.map { .double($0.sigma) } ?? .null),
                ("inspection", .optional($0.severity?.name)),
                ("discontinued", .bool($0.isDiscontinued)),
              ])
            })
        ),
      ])
    }
    return Paging.list(items, next: nil)
  }

  /// `{characteristic, device?, remark?}`: lots are inspected again, tightened, after the process was mended.
  @Sendable private func resumeAcceptance(_ call: Call) async throws -> Reply {
    let body = try call.json()
    guard let id = body["characteristic"]?.text else {
      throw Problem.invalid("/characteristic", "missing", "say which characteristic")
    }
    let device = body["device"].flatMap { $0.isNull ? nil : $0 }
    guard device == nil || device?.text != nil else {
      throw Problem.invalid("/device", "bad_type", "it is the id of a device")
    }
    try await carryOut(
      OperatorCommand(
        name: "quality.resume", target: id, principal: call.caller.name,
        remark: body["remark"]?.text ?? "",
        body: device.map { JSONValue.object([("device", $0)]).encoded } ?? ""), key: call.key)
    return try await listCharacteristics(call)
  }

  /// Without a span: the last 24 hours. `limits=span` estimates the limits anew from the span.
  @Sendable private func readChart(_ call: Call) async throws -> Reply {
    let characteristic = try characteristic(call.query)
    let device = try device(of: characteristic, call.query)
    let to = try TimeArgument.moment("to", of: call.query, now: now, default: now)
    let from = try TimeArgument.moment(
      "from", of: call.query, now: now, default: to.advanced(byMicroseconds: -86_400_000_000))
    guard from < to else { throw Problem.badParameter("from", "it must be before `to`") }
    let span = Span(from..<to)
    guard span.microseconds <= Int64(QualityFloor.daysMax) * 86_400_000_000 else {
      throw Problem.badParameter(
        "from", "at most \(QualityFloor.daysMax) days can be asked for at once")
    }
    var limits: ChartParameters?
    switch call.query["limits"] {
    case nil, "learned":
      limits = await gateway.fetchCharts().first {
        $0.characteristic == characteristic.id && $0.device == device
      }?.limits
    case "span": break
    default: throw Problem.badParameter("limits", "it is `learned` or `span`")
    }
    await gateway.flush()
    let report = try await gateway.quality.fetchReport(
      of: characteristic, device: device, over: span, limits: limits)
    return Reply(json: answer(report, device: device, span))
  }

  private func answer(_ report: CharacteristicReport, device: String, _ span: Span) -> JSONValue {
    let characteristic = report.characteristic
    let unit = characteristic.unit?.code
    let chart = report.chart
    var members: [(String, JSONValue)] = [
      ("characteristic", .string(characteristic.id)),
      ("description", .optional(characteristic.description.nonEmpty)),
      ("device", .optional(device.nonEmpty)), ("from", .string(span.from.rfc3339)),
      ("to", .string(span.to.rfc3339)), ("partial", .bool(report.isPartial)),
      ("limits_learned", .bool(report.hasLearnedLimits)), ("chart", chart.json(unit: unit)),
    ]
    do throws(CapabilityStudy.Refusal) {
      let study = try report.capability(of: chart)
      members.append(
        ("capability", study?.json(characteristic: characteristic.id, unit: unit) ?? .null))
    } catch {
      members.append(("capability", .null))
      members.append(("capability_refusal", .string(error.description)))
    }
    members += [
      ("inspected", .integer(report.inspected)), ("defective", .integer(report.defective)),
      ("first_pass_yield", report.firstPassYield.map(JSONValue.double) ?? .null),
      (
        "defects_per_million_opportunities",
        report.defectsPerMillionOpportunities.map(JSONValue.double) ?? .null
      ),
      ("defect_pareto", report.defectPareto.json),
    ]
    return .object(members)
  }

  private func characteristic(_ query: QueryParameters) throws(Problem) -> Characteristic {
    let known = gateway.quality.configuration.characteristics
    guard let id = query["characteristic"] else {
      throw .badParameter(
        "characteristic",
        "say which: "
          + (known.isEmpty ? "none is declared" : known.map(\.id).joined(separator: ", ")))
    }
    if let found = known.first(where: { $0.id == id }) { return found }
    let near = nearestName(to: id, among: known.map(\.id))
    throw .notFound(
      "there is no characteristic `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? "")
        + (known.isEmpty ? "; declare `quality:` in devices/*.yaml, see docs/quality.md" : ""))
  }

  /// The one the characteristic names; of a profile it must be said which.
  private func device(
    of characteristic: Characteristic, _ query: QueryParameters
  ) throws(Problem) -> String {
    if let asked = query["device"] { return asked }
    if let declared = characteristic.device { return declared }
    guard characteristic.profile == nil else {
      throw .badParameter(
        "device", "`\(characteristic.id)` has a chart for each device of a profile: say which")
    }
    return ""
  }
}
