import Gateway
import Storage
import Telemetry

extension RouteTable {
  var seriesRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/series", scope: .read,
        parameters: ["match", "device", "metric"] + Paging.parameters, handler: listSeries)
    ]
  }

  @Sendable private func listSeries(_ call: Call) async throws -> Reply {
    let limit = try Paging.limit(call.query)
    let catalog = await gateway.queries.fetchCatalog()
    let patterns = call.query.list("match").map { Glob($0) }
    let (device, metric) = (call.query["device"], call.query["metric"])
    let after = call.query["cursor"].flatMap { SeriesKey($0) }
    let matching = catalog.series.compactMap { series -> (SeriesKey, SeriesDefinition)? in
      let key = catalog.key(of: series.index)
      guard device.map({ $0 == key.device }) ?? true, metric.map({ $0 == key.metric }) ?? true,
        patterns.isEmpty || patterns.contains(where: { $0.matches(key.description) }),
        after.map({ $0 < key }) ?? true
      else { return nil }
      return (key, series)
    }.sorted { $0.0 < $1.0 }
    let page = matching.prefix(limit)
    let latest = try await latest(of: page.map(\.1))
    return Paging.list(
      zip(page, latest).map { entry, sample in
        SeriesForm.json(entry.1, device: entry.0.device, latest: sample, catalog: catalog)
      },
      next: matching.count > limit ? page.last?.0.description : nil)
  }
}

/// How a series is shown, with its newest value.
enum SeriesForm {
  static func json(
    _ series: SeriesDefinition, device: String, latest: StoredSample?, catalog: Catalog
  ) -> JSONValue {
    .object([
      ("device", .string(device)), ("metric", .string(series.metric)),
      ("unit", .optional(series.unit.nonEmpty)),
      ("symbol", .optional(Unit(series.unit)?.symbol)), ("type", .string(series.type.name)),
      ("kind", .string(series.kind.name)),
      ("description", .optional(series.description.nonEmpty)),
      ("latest", latest.map { value($0, type: series.type, catalog: catalog) } ?? .null),
    ])
  }

  static func value(_ sample: StoredSample, type: ValueType, catalog: Catalog) -> JSONValue {
    .object([
      ("time", .string(sample.time.rfc3339)),
      ("value", json(catalog.value(sample.bits, type: type))),
      ("quality", .string(sample.quality.text)),
    ])
  }

  static func json(_ value: Value) -> JSONValue {
    switch value {
    case .number(let number): .double(number)
    case .boolean(let flag): .bool(flag)
    case .text(let text): .string(text)
    }
  }
}
