import Gateway
import Operations
import Statistics
import Telemetry

extension RouteTable {
  /// Energy by meter: use, demand, cost, parts, and savings against a baseline.
  var energyRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/energy", scope: .read, parameters: ["meter", "from", "to"],
        handler: readEnergy),
      Route(
        .get, "/api/v1/energy/savings", scope: .read,
        parameters: [
          "meter", "baseline_from", "baseline_to", "from", "to", "temperature",
        ], handler: readSavings),
    ]
  }

  /// Without a meter: all of them. Without a span: the last 24 hours.
  @Sendable private func readEnergy(_ call: Call) async throws -> Reply {
    let meters =
      if let id = call.query["meter"] { [try meter(id)] } else {
        gateway.energy.configuration.meters
      }
    let span = try span(call.query, "from", "to", days: 1)
    await gateway.flush()
    var items: [JSONValue] = []
    for meter in meters {
      items.append(try await gateway.energy.fetchReport(of: meter, over: span, now: now).json)
    }
    return Paging.list(items, next: nil)
  }

  @Sendable private func readSavings(_ call: Call) async throws -> Reply {
    guard let id = call.query["meter"] else {
      throw Problem.badParameter("meter", "say which meter")
    }
    let meter = try meter(id)
    guard call.query["baseline_from"] != nil, call.query["baseline_to"] != nil else {
      throw Problem.badParameter(
        "baseline_from", "`baseline_from` and `baseline_to` say which time is the reference")
    }
    let reference = try span(call.query, "baseline_from", "baseline_to", days: 28)
    let span = try span(call.query, "from", "to", days: 28)
    var temperature: SeriesKey?
    if let text = call.query["temperature"] {
      guard let slash = text.lastIndex(of: "/") else {
        throw Problem.badParameter(
          "temperature", "it is a series such as `room-office/temperature`")
      }
      temperature = SeriesKey(
        device: String(text[..<slash]), metric: String(text[text.index(after: slash)...]))
    }
    await gateway.flush()
    let drivers: [String]
    let days: [EnergyObservation]
    do {
      (drivers, days) = try await gateway.energy.fetchDays(
        of: meter, over: reference, temperature: temperature, now: now)
    } catch let error as EnergyFloor.NoTemperature {
      throw Problem.badParameter("temperature", "`\(error.key)` is no series of a temperature")
    }
    let baseline: EnergyBaseline
    do throws(LeastSquares.Refusal) {
      baseline = try EnergyBaseline(drivers: drivers, reference: days)
    } catch {
      throw Problem.badParameter(
        "baseline_from", "no baseline from \(days.count) whole days of it: \(error)")
    }
    let (_, observed) = try await gateway.energy.fetchDays(
      of: meter, over: span, temperature: temperature, now: now)
    return Reply(
      json: .object([
        ("meter", .string(meter.id)), ("baseline", baseline.json),
        ("savings", EnergySavings(observed, baseline: baseline).json),
      ]))
  }

  private func meter(_ id: String) throws(Problem) -> EnergyMeter {
    let meters = gateway.energy.configuration.meters
    if let meter = meters.first(where: { $0.id == id }) { return meter }
    let near = nearestName(to: id, among: meters.map(\.id))
    throw .notFound(
      "there is no meter `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? "")
        + (meters.isEmpty ? "; declare `energy:` in devices/*.yaml, see docs/energy.md" : ""))
  }

  private func span(
    _ query: QueryParameters, _ first: String, _ second: String, days: Int64
  ) throws(Problem) -> Span {
    let to = try TimeArgument.moment(second, of: query, now: now, default: now)
    let from = try TimeArgument.moment(
      first, of: query, now: now, default: to.advanced(byMicroseconds: -days * 86_400_000_000))
    guard from < to else { throw .badParameter(first, "it must be before `\(second)`") }
    guard to.microseconds(since: from) <= Int64(EnergyFloor.daysMax) * 86_400_000_000 else {
      throw .badParameter(first, "at most \(EnergyFloor.daysMax) days can be asked for at once")
    }
    return Span(from..<to)
  }
}
