import Devices
import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Operations
import Rules
import Synchronization
import Telemetry
import Testing

@testable import Web

/// A gateway in a directory of its own, its web server, and a client that talks to the router.
struct Bench: Sendable {
  let gateway: Gateway
  let server: WebServer
  let client: any TestClientProtocol
  let directory: String

  static let devices = """
    settings: {unknown_devices: quarantine}
    profiles:
      - id: press
        metrics:
          temperature: {unit: °C}
          pressure: {unit: bar}
          state: {values: [running, idle, fault]}
          cycles: {kind: counter}
          good: {kind: counter}
        desired:
          pressure: {range: [0, 10], permitted_when: always, rate_limit: 0 s}
    devices:
      - {id: press1, profile: press, asset: acme/linz/hall1/line1/press1}
    machines:
      - device: press1
        states: {running: running, idle: idle, fault: unplanned_stop}
        counters: {total: cycles, good: good}
        ideal_cycle: 1 s
        telemetry_timeout: 10 min
    lines:
      - {id: line1, machines: [press1]}
    """

  static let resources = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Web/Resources").standardizedFileURL.path

  static func makeGateway(
    _ directory: String, yaml: String = devices, rules: String = ""
  ) throws -> Gateway {
    let file = ConfigurationFile(name: "devices/test.yaml", content: yaml)
    let (devices, diagnostics) = DeviceConfiguration.load(files: [file])
    try #require(diagnostics.isEmpty)
    let configuration = GatewayConfiguration(
      gatewayID: "test", dataDirectory: directory, devicesDirectory: "devices",
      rulesDirectory: "rules")
    let (production, faults) = ProductionConfiguration.load(files: [file], devices: devices)
    try #require(faults.isEmpty, "\(faults)")
    let (quality, qualityFaults) = QualityConfiguration.load(files: [file], devices: devices)
    try #require(qualityFaults.isEmpty, "\(qualityFaults)")
    let (energy, energyFaults) = EnergyConfiguration.load(files: [file], devices: devices)
    try #require(energyFaults.isEmpty, "\(energyFaults)")
    let ruleFiles =
      rules.isEmpty ? [] : [ConfigurationFile(name: "rules/test.yaml", content: rules)]
    let (set, mistakes) = RuleSet.read(ruleFiles, configuration: try #require(devices))
    try #require(mistakes.isEmpty, "\(mistakes)")
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try Gateway(
      configuration: LoadedConfiguration(
        gateway: configuration, devices: try #require(devices),
        production: try #require(production), quality: try #require(quality),
        energy: try #require(energy), rules: try #require(set),
        files: [file] + ruleFiles, warnings: []),
      logger: logger)
  }

  static func temporaryDirectory() -> String {
    FileManager.default.temporaryDirectory.path + "/web-" + UUID().uuidString
  }

  /// Runs `body` against a fresh gateway.
  static func run(
    yaml: String = devices, rules: String = "", clock: ClockSource = .system(),
    settings change: (inout HTTPSettings) -> Void = { $0.rateLimitPerMinute = 1_000_000 },
    _ body: @Sendable (Bench) async throws -> Void
  ) async throws {
    let directory = temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let gateway = try makeGateway(directory, yaml: yaml, rules: rules)
    var settings = HTTPSettings()
    settings.port = 0
    change(&settings)
    let server = try WebServer(
      gateway: gateway, settings: settings, logger: quietLogger, resources: resources, clock: clock)
    do {
      try await server.makeApplication().test(.router) { client in
        try await body(
          Bench(gateway: gateway, server: server, client: client, directory: directory))
      }
    } catch {
      await gateway.stop()
      throw error
    }
    await gateway.stop()
  }

  static var quietLogger: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  // MARK: - Asking

  func ask(
    _ method: HTTPRequest.Method, _ uri: String, headers: HTTPFields = [:], bytes: [UInt8]? = nil
  ) async throws -> Answer {
    try await client.execute(
      uri: uri, method: method, headers: headers, body: bytes.map { ByteBuffer(bytes: $0) }
    ) { Answer($0) }
  }

  func get(_ uri: String, headers: HTTPFields = [:]) async throws -> Answer {
    try await ask(.get, uri, headers: headers)
  }

  func post(_ uri: String, _ json: String, headers: HTTPFields = [:]) async throws -> Answer {
    var headers = headers
    if headers[.contentType] == nil { headers[.contentType] = "application/json" }
    return try await ask(.post, uri, headers: headers, bytes: Array(json.utf8))
  }

  /// Sends `count` temperatures of press1, a second apart from 2026-11-21T08:00:00Z: 20, 20.5, 21 …
  func sendTemperatures(_ count: Int) async throws {
    let readings = (0..<count).map { index in
      """
      {"device_id": "press1", "timestamp": \(1_795_248_000 + index),
       "metrics": {"temperature": \(20 + Double(index) / 2)}}
      """
    }
    let answer = try await post(IngestTests.path, "[\(readings.joined(separator: ","))]")
    #expect(answer.status == 200, "\(answer.text)")
  }
}

/// An answer with its body at hand.
struct Answer: Sendable {
  var status: Int
  var headers: HTTPFields
  var body: [UInt8]

  init(_ response: TestResponse) {
    status = response.status.code
    headers = response.headers
    body = Array(response.body.readableBytesView)
  }

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue { (try? JSONValue.body(body)) ?? .null }
  /// The slug of a problem; empty for anything else.
  var problem: String {
    guard headers[.contentType] == "application/problem+json" else { return "" }
    return json["type"]?.text.map { String($0.dropFirst(Problem.typePrefix.count)) } ?? ""
  }
}

extension JSONValue {
  var integer: Int? { if case .number(let digits) = self { Int(digits) } else { nil } }
}

/// A clock that stands until a test moves it.
final class HandClock: Sendable {
  private let monotonic = Mutex<Int64>(1_000_000_000)

  func advance(seconds: Double) { monotonic.withLock { $0 += Int64(seconds * 1e6) } }

  var source: ClockSource {
    ClockSource(bootID: 1) { [self] in
      let now = monotonic.withLock { $0 }
      return ClockReading(
        wallMicroseconds: 1_795_250_000_000_000 + now, monotonicMicroseconds: now,
        isSynchronized: true)
    }
  }
}
