import Devices
import Foundation
import Logging
import MQTT
import Rules
import Storage
import Telemetry
import TestSupport

@testable import Gateway

/// A gateway in this process, with a broker when asked for one.
final class GatewayRig: @unchecked Sendable {  // One test drives it.
  let scratch: Scratch
  let broker: TestBroker?
  private(set) var gateway: Gateway!
  private var configuration: LoadedConfiguration
  private let clock: ClockSource

  init(
    withBroker: Bool = true, yaml: String = "", rules: String = "", clock: ClockSource = .system(),
    change: (inout GatewayConfiguration) -> Void = { _ in }
  ) throws {
    scratch = try Scratch()
    self.clock = clock
    broker = withBroker ? try TestBroker(directory: scratch.path) : nil
    var gateway = GatewayConfiguration(
      gatewayID: "test", dataDirectory: scratch.path + "/data", devicesDirectory: "devices",
      rulesDirectory: "rules")
    gateway.store.ballastBytes = 0
    if let broker {
      var mqtt = MQTTSettings()
      mqtt.port = Int32(broker.port)
      mqtt.clientID = "millwright-test"
      gateway.mqtt = mqtt
    }
    change(&gateway)
    configuration = try Self.load(gateway, yaml: yaml, rules: rules)
  }

  private static func load(
    _ gateway: GatewayConfiguration, yaml: String, rules: String = ""
  ) throws -> LoadedConfiguration {
    var files = yaml.isEmpty ? [] : [ConfigurationFile(name: "devices/test.yaml", content: yaml)]
    let (devices, diagnostics) = DeviceConfiguration.load(files: files)
    guard let devices else { throw MQTTError("\(diagnostics)") }
    let ruleFiles =
      rules.isEmpty ? [] : [ConfigurationFile(name: "rules/test.yaml", content: rules)]
    let (set, mistakes) = RuleSet.read(ruleFiles, configuration: devices)
    guard let set else { throw MQTTError("\(mistakes)") }
    files += ruleFiles
    return LoadedConfiguration(
      gateway: gateway, devices: devices, rules: set, files: files, warnings: [])
  }

  /// With other files than before.
  func start(yaml: String, rules: String = "") throws {
    configuration = try Self.load(configuration.gateway, yaml: yaml, rules: rules)
    try start()
  }

  func start() throws {
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    gateway = try Gateway(configuration: configuration, clock: clock, logger: logger)
  }

  /// Changes what the next `start` runs with.
  func reconfigure(_ change: (inout GatewayConfiguration) -> Void) {
    change(&configuration.gateway)
  }

  func stop() async { await gateway.stop() }

  func restart() async throws {
    await stop()
    try start()
  }

  /// Starts again with other devices and routes.
  func restart(yaml: String) async throws {
    await stop()
    try start(yaml: yaml)
  }

  /// Hands in messages as if they had come by MQTT, each in a batch of its own.
  func submit(_ messages: [(topic: String, payload: String)]) async throws {
    for message in messages {
      _ = try await gateway.submit(
        Submission(.payload(.init(bytes: Array(message.payload.utf8), topic: message.topic))))
    }
  }

  func groups() async throws -> [HeldGroup] { HeldGroup.groups(of: try await held()) }

  func retry(_ rows: [Int64], adopting profile: String? = nil) async throws -> SubmissionResult {
    try await gateway.submit(Submission(.command(.retry(rows: rows, adopting: profile))))
  }

  func waitUntilConnected() async -> Bool {
    await eventually { self.gateway.figures.broker == .connected }
  }

  /// Publishes one after the other at QoS 1 with mosquitto_pub's own connection.
  func publish(
    _ messages: [(topic: String, payload: String)], qos: Int = 1, retained: Bool = false,
    more: [String] = []
  ) throws {
    for message in messages {
      let arguments =
        ["-p", "\(broker!.port)", "-t", message.topic, "-q", "\(qos)", "-s"]
        + (retained ? ["-r"] : []) + more
      try ChildProcess(
        try TestBroker.find("mosquitto_pub"), arguments, input: message.payload
      ).wait()
    }
  }

  /// All samples of `device/metric`, oldest first.
  func samples(_ key: String) async throws -> [StoredSample] {
    let catalog = await gateway.queries.fetchCatalog()
    guard let wanted = SeriesKey(key),
      let series = catalog.series.first(where: { catalog.key(of: $0.index) == wanted })
    else { return [] }
    return try await gateway.queries.fetch { reader in
      var found: [StoredSample] = []
      var from: Timestamp? = .distantPast
      while let start = from {
        let page = try reader.page(
          of: series.index, from: start, through: .distantFuture, count: 10_000)
        for index in 0..<page.columns.count {
          found.append(
            StoredSample(
              time: Timestamp(microseconds: page.columns.times[index]),
              bits: page.columns.bits[index],
              quality: Quality(rawValue: page.columns.qualities[index])))
        }
        from = page.next
      }
      return found
    }
  }

  func numbers(_ key: String) async throws -> [Double] {
    try await samples(key).map { Double(bitPattern: $0.bits) }
  }

  func held() async throws -> [HeldPayload] {
    await gateway.flush()
    return try await gateway.queries.fetch { try $0.heldPayloads() }
  }
}
