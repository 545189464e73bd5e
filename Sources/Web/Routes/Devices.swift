import Gateway
import Storage
import Telemetry

extension RouteTable {
  var deviceRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/devices", scope: .read,
        parameters: ["match", "profile", "asset"] + Paging.parameters, handler: listDevices),
      Route(.get, "/api/v1/devices/{id}", scope: .read, handler: readDevice),
    ]
  }

  @Sendable private func listDevices(_ call: Call) async throws -> Reply {
    let limit = try Paging.limit(call.query)
    let catalog = await gateway.queries.fetchCatalog()
    let pattern = call.query["match"].map { Glob($0) }
    let after = call.query["cursor"] ?? ""
    let matching = catalog.devices.filter { device in
      device.id > after && pattern?.matches(device.id) ?? true
        && call.query["profile"].map { $0 == device.profile } ?? true
        && call.query["asset"].map { device.asset == $0 || device.asset.hasPrefix($0 + "/") }
          ?? true
    }.sorted { $0.id < $1.id }
    var counts: [UInt32: Int] = [:]
    for series in catalog.series { counts[series.device, default: 0] += 1 }
    let page = matching.prefix(limit)
    return Paging.list(
      page.map { .object(Self.members($0) + [("series", .integer(counts[$0.index] ?? 0))]) },
      next: matching.count > limit ? page.last?.id : nil)
  }

  @Sendable private func readDevice(_ call: Call) async throws -> Reply {
    let catalog = await gateway.queries.fetchCatalog()
    let id = call.part("id")
    guard let device = catalog.devices.first(where: { $0.id == id }) else {
      let near = nearestName(to: id, among: catalog.devices.map(\.id))
      throw Problem.notFound(
        "there is no device `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }
    let series = catalog.series.filter { $0.device == device.index }.sorted {
      $0.metric < $1.metric
    }
    let latest = try await latest(of: series)
    let items = zip(series, latest).map { definition, sample in
      SeriesForm.json(definition, device: device.id, latest: sample, catalog: catalog)
    }
    return Reply(json: .object(Self.members(device) + [("series", .array(items))]))
  }

  /// The newest sample of each, in the same order.
  func latest(of series: [SeriesDefinition]) async throws -> [StoredSample?] {
    await gateway.queries.fetchLatest(series.map(\.index))
  }

  private static func members(_ device: DeviceDefinition) -> [(String, JSONValue)] {
    [
      ("device_id", .string(device.id)), ("profile", .optional(device.profile.nonEmpty)),
      ("asset", .optional(device.asset.nonEmpty)), ("adopted", .bool(device.isAdopted)),
    ]
  }
}

extension String {
  var nonEmpty: String? { isEmpty ? nil : self }
}
