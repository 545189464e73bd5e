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
    let found = all.filter { info in patterns.contains { Glob.matches(info.key.description, $0) } }
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

/// As in the API: `*` stands for any run of characters but a slash, `**` for any, `?` for one.
/// A pattern without a slash names a device with all its metrics.
enum Glob {
  static func matches(_ text: String, _ pattern: String) -> Bool {
    let whole = pattern.contains("/") || pattern.contains("**") ? pattern : pattern + "/**"
    return matches(Array(text.utf8)[...], Array(whole.utf8)[...])
  }

  private static let slash = UInt8(ascii: "/")
  private static let star = UInt8(ascii: "*")

  /// Patterns are short and typed by people: trying each length of a run is good enough.
  private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    guard let wanted = pattern.first else { return text.isEmpty }
    guard wanted == star else {
      guard let character = text.first else { return false }
      let fits = wanted == character || (wanted == UInt8(ascii: "?") && character != slash)
      return fits && matches(text.dropFirst(), pattern.dropFirst())
    }
    let rest = pattern.drop { $0 == star }
    let crossesSlashes = pattern.count - rest.count > 1
    var text = text
    while true {
      if matches(text, rest) { return true }
      guard let character = text.first, crossesSlashes || character != slash else { return false }
      text = text.dropFirst()
    }
  }
}
