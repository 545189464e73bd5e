import Gateway
import Operations
import Telemetry

extension RouteTable {
  /// A projection under other set-points; see docs/twins.md.
  var whatIfRoutes: [Route] {
    [
      Route(
        .post, "/api/v1/industry40/twin/{device_id}/simulate", scope: .read, body: .json,
        handler: simulate)
    ]
  }

  private static let pointsMax = 1_000.0

  /// `{signal, set_points: {metric: value, …}, model?, history?, horizon?, every?}`.
  @Sendable private func simulate(_ call: Call) async throws -> Reply {
    await gateway.flush()
    let catalog = await gateway.queries.fetchCatalog()
    let device = try DeviceForm.device(call.part("device_id"), in: catalog)
    let body = try call.json()
    let series = catalog.series(ofDevice: device.index).map { catalog.series[Int($0)] }
    guard let name = body["signal"]?.text else {
      throw Problem.invalid("/signal", "missing", "say which metric is asked for")
    }
    let signal = try Self.metric(name, of: series, at: "/signal")
    guard let points = body["set_points"]?.members, !points.isEmpty else {
      throw Problem.invalid(
        "/set_points", "missing", "say what would be set, such as {\"power\": 50}")
    }
    var drivers: [SeriesDefinition] = []
    var values: [Double] = []
    for (name, value) in points {
      let driver = try Self.metric(name, of: series, at: "/set_points/\(name)")
      guard case .number(let digits) = value, let number = Double(digits), number.isFinite else {
        throw Problem.invalid("/set_points/\(name)", "bad_value", "it must be a number")
      }
      guard driver.index != signal.index else {
        throw Problem.invalid(
          "/set_points/\(name)", "same_signal", "a signal cannot drive itself")
      }
      drivers.append(driver)
      values.append(number)
    }
    let history = try Self.span("history", body, standard: 86_400)
    let horizon = try Self.span("horizon", body, standard: 4 * 3_600)
    let every = try Self.span("every", body, standard: max(1, horizon / 48))
    guard horizon / every <= Self.pointsMax else {
      throw Problem.invalid("/every", "too_many_points", "at most 1,000 points can be projected")
    }
    let model = try Self.model(body)
    let question = WhatIfQuestion(
      signal: signal, drivers: drivers, values: values, model: model,
      history: now.advanced(byMicroseconds: -Int64(history * 1e6))..<now, horizonSeconds: horizon,
      everySeconds: every)
    if question.model != .energy, drivers.count > 1 {
      throw Problem.invalid(
        "/set_points", "one_driver", "the model `\(question.model.rawValue)` has one driver")
    }
    do {
      let answer = try await gateway.queries.fetchAnswer(to: question, now: now)
      return Reply(json: Self.json(answer, question, device: device.id))
    } catch let refusal as FitRefusal {
      throw Problem.invalid("", refusal.code, refusal.description)
    }
  }

  private static func metric(
    _ name: String, of series: [SeriesDefinition], at pointer: String
  ) throws(Problem) -> SeriesDefinition {
    let numbers = series.filter { $0.type == .number }
    if let found = numbers.first(where: { $0.metric == name }) { return found }
    let near = nearestName(to: name, among: numbers.map(\.metric))
    throw .invalid(
      pointer, "unknown_metric",
      "the device has no numeric metric `\(name)`" + (near.map { ", did you mean `\($0)`?" } ?? ""))
  }

  private static func model(_ body: JSONValue) throws(Problem) -> WhatIfQuestion.Model? {
    guard let name = body["model"]?.text else { return nil }
    if let model = WhatIfQuestion.Model(rawValue: name) { return model }
    let names = WhatIfQuestion.Model.allCases.map(\.rawValue).joined(separator: ", ")
    throw .invalid("/model", "unknown_model", "it is one of \(names)")
  }

  /// Seconds, as a number or as text such as `4h`.
  private static func span(
    _ name: String, _ body: JSONValue, standard: Double
  ) throws(Problem) -> Double {
    switch body[name] {
    case nil, .null?: return standard
    case .number(let digits)?:
      if let seconds = Double(digits), seconds > 0, seconds <= 92 * 86_400 { return seconds }
    case .string(let text)?:
      let compact = text.filter { $0 != " " }.replacing("min", with: "m")
      if let span = TimeArgument.spanMicroseconds(compact[...]), span > 0,
        span <= 92 * 86_400_000_000
      {
        return Double(span) / 1e6
      }
    default: break
    }
    throw .invalid(
      "/" + name, "bad_duration",
      "it is a time of at most 92 days, such as \"24h\" or 86400 (seconds)")
  }

  private static func json(
    _ answer: WhatIfQuestion.Answer, _ question: WhatIfQuestion, device: String
  ) -> JSONValue {
    let fit = answer.projection.fit
    // Models of one driver call it by what it is to them.
    let extrapolated =
      question.model == .energy
      ? answer.projection.extrapolated
      : answer.projection.extrapolated.map { _ in question.drivers[0].metric }
    let unit =
      question.model == .energy ? "\(question.signal.unit).h" : question.signal.unit
    return .object([
      ("device_id", .string(device)), ("label", .string(Projection.label)),
      ("signal", .string(question.signal.metric)), ("model", .string(question.model.rawValue)),
      (
        "set_points",
        .object(
          zip(question.drivers, question.values).map {
            (
              $0.metric,
              JSONValue.object([("value", .double($1)), ("unit", .string($0.unit))])
            )
          })
      ),
      ("start", .double(answer.start)), ("unit", .string(unit)),
      (
        "parameters",
        .object(
          answer.parameters.map {
            ($0.name, JSONValue.object([("value", .double($0.value)), ("unit", .string($0.unit))]))
          })
      ),
      (
        "fit",
        .object([
          ("rmse", .double(fit.rmse)), ("unit", .string(question.signal.unit)),
          ("r_squared", .double(fit.r2)), ("rows", .integer(fit.count)),
          ("span_seconds", .double(fit.spanSeconds)),
          ("from", .string(question.history.lowerBound.rfc3339)),
          ("to", .string(question.history.upperBound.rfc3339)),
        ])
      ),
      ("extrapolated", .array(extrapolated.map(JSONValue.string))),
      (
        "points",
        .array(
          answer.projection.points.map {
            .object([
              ("seconds", .double($0.seconds)), ("value", .double($0.value)),
              ("low", .double($0.low)), ("high", .double($0.high)),
            ])
          })
      ),
    ])
  }
}
