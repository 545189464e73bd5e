import ArgumentParser
import Foundation
import Gateway
import Storage
import Telemetry

/// Where a command gets its answers: from the gateway that runs, or from the files it left.
enum DataAccess {
  case gateway(GatewayClient)
  case store(OfflineStore)

  /// - Throws: `Failure` when there is neither.
  static func open(_ place: ConfigurationOptions) throws -> DataAccess {
    let directory = try place.dataDirectory()
    if DataLock.isHeld(directory) {
      guard let local = LocalGateway(directory: directory) else {
        throw Failure(
          .notReachable,
          "a gateway runs on \(directory), but \(directory)/local.json, which says how to reach it, "
            + "cannot be read; run this as the gateway's user")
      }
      return .gateway(GatewayClient(url: local.url, token: local.token))
    }
    guard FileManager.default.fileExists(atPath: directory + "/store.sqlite") else {
      throw Failure(
        .notReachable,
        "there is no data in \(directory) and no gateway runs on it; `millwright run` starts one, "
          + "--data says where data lies")
    }
    do {
      return .store(try OfflineStore(directory: directory))
    } catch {
      throw Failure("\(directory) cannot be read: \(error); `millwright doctor` says more")
    }
  }

  /// The client is closed when `body` is done.
  static func with<Result>(
    _ place: ConfigurationOptions, _ body: (DataAccess) async throws -> Result
  ) async throws -> Result {
    let access = try open(place)
    do {
      let result = try await body(access)
      try await access.close()
      return result
    } catch {
      try? await access.close()  // The first error is the one to tell.
      throw error
    }
  }

  private func close() async throws {
    if case .gateway(let client) = self { try await client.close() }
  }

  /// All series, in order of their keys.
  func series() async throws -> [SeriesInfo] {
    switch self {
    case .gateway(let client): return try await client.series()
    case .store(let store):
      let catalog = try store.reader.catalog()
      return catalog.series.map { SeriesInfo($0, key: catalog.key(of: $0.index)) }
        .sorted { $0.key < $1.key }
    }
  }

  /// The series that one of the patterns names.
  func series(matching patterns: [String]) async throws -> [SeriesInfo] {
    let all = try await series()
    let globs = patterns.map { Glob(series: $0) }
    let found = all.filter { info in globs.contains { $0.matches(info.key.description) } }
    if found.isEmpty {
      try await refuseFormerID(in: patterns)
      let names = all.map(\.key.description)
      let near = patterns.compactMap { nearestName(to: $0, among: names) }.first
      let hint =
        near.map { "; did you mean \($0)?" } ?? "; `millwright devices` lists what there is"
      throw Failure("no series matches \(patterns.joined(separator: ", "))" + hint)
    }
    return found
  }

  /// - Throws: `Failure` with the present id when a pattern names a device by one that it had before.
  private func refuseFormerID(in patterns: [String]) async throws {
    let present = try await presentIDs()
    for pattern in patterns {
      let id = SeriesKey(pattern)?.device ?? pattern
      guard let name = present[id] else { continue }
      throw Failure("no series matches \(pattern): device \(id) is called \(name) now")
    }
  }

  /// By former id.
  private func presentIDs() async throws -> [String: String] {
    var present: [String: String] = [:]
    switch self {
    case .gateway(let client):
      for device in try await client.items("/api/v1/devices") {
        for id in device["was"].elements.compactMap(\.text) {
          present[id] = device["device_id"].text
        }
      }
    case .store(let store):
      for device in try store.reader.catalog().devices {
        for id in device.was { present[id] = device.id }
      }
    }
    return present
  }
}

/// What a command knows of a series.
struct SeriesInfo {
  var key: SeriesKey
  var type: ValueType
  var kind: MetricKind
  /// UCUM code, or empty.
  var unit: String
  /// Its place in the store's catalog; `nil` when it was told by a gateway.
  var definition: SeriesDefinition?

  init(_ definition: SeriesDefinition, key: SeriesKey) {
    self.key = key
    type = definition.type
    kind = definition.kind
    unit = definition.unit
    self.definition = definition
  }

  init(key: SeriesKey, type: ValueType, kind: MetricKind, unit: String) {
    self.key = key
    self.type = type
    self.kind = kind
    self.unit = unit
  }

  /// `°C` rather than `Cel`.
  var symbol: String { Telemetry.Unit(unit)?.symbol ?? unit }
}
