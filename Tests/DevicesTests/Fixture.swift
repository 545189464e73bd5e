import Devices
import Payloads
import Telemetry
import Testing

/// A resolver with its last batch, fed with text.
struct Fixture {
  var resolver: Resolver
  var batch = Batch()
  static let now = Timestamp(microseconds: 1_795_248_000_000_000)

  init(_ yaml: String = "", registry: Registry = Registry()) throws {
    resolver = Resolver(configuration: try Fixture.configuration(yaml), registry: registry)
  }

  static func configuration(_ yaml: String) throws -> DeviceConfiguration {
    let (configuration, diagnostics) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "test.yaml", content: yaml)
    ])
    #expect(diagnostics.isEmpty)
    return try #require(configuration)
  }

  /// Resolves one message into a fresh batch.
  @discardableResult
  mutating func send(
    _ topic: String, _ payload: String, type: String = "", retained: Bool = false,
    format: PayloadFormat? = nil, points: Bool = false, unknown: UnknownDevicePolicy? = nil
  ) -> Outcome {
    batch.removeAll()
    let (topic, payload, type) = (Array(topic.utf8), Array(payload.utf8), Array(type.utf8))
    return topic.withUnsafeBytes { topic in
      type.withUnsafeBytes { type in
        payload.withUnsafeBytes { payload in
          resolver.resolve(
            IncomingMessage(
              topic: topic, contentType: type, payload: payload, received: Fixture.now,
              isRetained: retained, forcedFormat: format, collectsPoints: points,
              unknownDevices: unknown),
            into: &batch)
        }
      }
    }
  }

  /// The samples of the last batch as `device/metric=value`.
  var values: [String] {
    batch.samples.map { sample in
      let value =
        switch resolver.registry.value(of: sample) {
        case .number(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .text(let text): text
        }
      return "\(resolver.registry.key(of: sample.series))=\(value)"
    }
  }

  var quarantined: [Quarantined] {
    batch.items.compactMap { if case .quarantined(let row) = $0 { row } else { nil } }
  }

  func series(_ key: String) throws -> SeriesDefinition {
    let index = try #require(SeriesKey(key).flatMap { resolver.registry.seriesIndex($0) })
    return resolver.registry.series[Int(index)]
  }
}
