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
      Route(.patch, "/api/v1/devices/{id}", scope: .write, body: .json, handler: changeDevice),
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
      page.map { .object(DeviceForm.members($0) + [("series", .integer(counts[$0.index] ?? 0))]) },
      next: matching.count > limit ? page.last?.id : nil)
  }

  @Sendable private func readDevice(_ call: Call) async throws -> Reply {
    let catalog = await gateway.queries.fetchCatalog()
    let device = try DeviceForm.device(call.part("id"), in: catalog)
    let series = catalog.series.filter { $0.device == device.index }.sorted {
      $0.metric < $1.metric
    }
    let latest = try await latest(of: series)
    let items = zip(series, latest).map { definition, sample in
      SeriesForm.json(definition, device: device.id, latest: sample, catalog: catalog)
    }
    return DeviceForm.reply(device, further: [("series", .array(items))])
  }

  /// The newest sample of each, in the same order.
  func latest(of series: [SeriesDefinition]) async throws -> [StoredSample?] {
    await gateway.queries.fetchLatest(series.map(\.index))
  }
}

/// How a device is found and shown.
enum DeviceForm {
  static func members(_ device: DeviceDefinition) -> [(String, JSONValue)] {
    [
      ("device_id", .string(device.id)), ("profile", .optional(device.profile.nonEmpty)),
      ("asset", .optional(device.asset.nonEmpty)), ("adopted", .bool(device.isAdopted)),
      ("placed", .bool(device.isPlaced)), ("was", .array(device.was.map(JSONValue.string))),
    ]
  }

  /// One device with the tag of its definition. What else is told may change under the same tag, so no
  /// cache may keep it.
  static func reply(_ device: DeviceDefinition, further: [(String, JSONValue)] = []) -> Reply {
    var reply = Reply(json: .object(members(device) + further))
    reply.headers[.eTag] = tag(of: device)
    reply.headers[.cacheControl] = "no-store"
    return reply
  }

  static func tag(of device: DeviceDefinition) -> String {
    let text = JSONValue.object(members(device)).encoded
    return "\"" + String(Hash64.hash(Array(text.utf8)), radix: 16) + "\""
  }

  /// - Throws: 404 that names what the device is called now, or one whose name is near.
  static func device(_ id: String, in catalog: Catalog) throws(Problem) -> DeviceDefinition {
    if let device = catalog.devices.first(where: { $0.id == id }) { return device }
    if let present = catalog.presentID(ofFormer: id) {
      throw .notFound("there is no device `\(id)` any more; it is called `\(present)` now")
    }
    let near = nearestName(to: id, among: catalog.devices.map(\.id))
    throw .notFound("there is no device `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
  }
}
