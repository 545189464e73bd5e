import Configuration
import Devices
import Foundation
import MQTT
import Operations
import Payloads
import Rules
import Scoring
import Telemetry

/// Reads millwright.yaml, devices/*.yaml and rules/*.yaml from disk and checks them together.
///
/// Layers: environment over file over defaults. It only reads: `millwright check` is this and a print-out.
public struct ConfigurationLoader: Sendable {
  /// Path of millwright.yaml; `nil`: defaults, with devices/ and rules/ beside the working directory.
  public var file: String?
  public var environment: [String: String]
  /// Where data goes when neither file nor environment says.
  public var defaultDataDirectory: String

  public init(
    file: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
    defaultDataDirectory: String = "data"
  ) {
    self.file = file
    self.environment = environment
    self.defaultDataDirectory = defaultDataDirectory
  }

  /// - Returns: every problem found, and the configuration unless one of them is an error.
  public func load() -> (configuration: LoadedConfiguration?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog()
    var files: [ConfigurationFile] = []
    let base = file.map { ($0 as NSString).deletingLastPathComponent } ?? ""
    let credentials = Credentials(environment: environment, base: base)
    func resolve(_ path: String) -> String {
      if let credential = credentials.path(for: path) { return credential }
      return path.hasPrefix("/") || base.isEmpty ? path : base + "/" + path
    }
    var gateway = GatewayConfiguration(
      gatewayID: defaultGatewayID, dataDirectory: defaultDataDirectory,
      devicesDirectory: resolve("devices"), rulesDirectory: resolve("rules"))
    gateway.credentials = credentials
    if let file {
      if let text = read(file) {
        let content = ConfigurationFile(name: file, content: text)
        files.append(content)
        if let map = YAMLReader(log: log).map(in: content) {
          GatewayConfigurationReading(
            log: log, readSecret: { read($0).map(trimmed) }, resolvePath: resolve
          ).read(map, into: &gateway)
        }
      } else {
        log.report(problem(file, "cannot read this file"))
      }
    }
    applyEnvironment(to: &gateway, credentials: credentials, log: log)
    let deviceFiles = yamlFiles(in: gateway.devicesDirectory, log: log)
    files += deviceFiles
    let (devices, diagnostics) = DeviceConfiguration.load(files: deviceFiles)
    for diagnostic in diagnostics { log.report(diagnostic) }
    let (production, productionDiagnostics) = ProductionConfiguration.load(
      files: deviceFiles, devices: devices,
      isKnownTimeZone: { TimeZone(identifier: $0) != nil })
    for diagnostic in productionDiagnostics { log.report(diagnostic) }
    let (quality, qualityDiagnostics) = QualityConfiguration.load(
      files: deviceFiles, devices: devices)
    for diagnostic in qualityDiagnostics { log.report(diagnostic) }
    let (energy, energyDiagnostics) = EnergyConfiguration.load(
      files: deviceFiles, devices: devices,
      isKnownTimeZone: { TimeZone(identifier: $0) != nil })
    for diagnostic in energyDiagnostics { log.report(diagnostic) }
    let (_, maintenanceDiagnostics) = MaintenanceConfiguration.load(
      files: deviceFiles, devices: devices)
    for diagnostic in maintenanceDiagnostics { log.report(diagnostic) }
    let ruleFiles = yamlFiles(in: gateway.rulesDirectory, log: log)
    files += ruleFiles
    // Without the devices every metric would be unknown: their mistakes come first.
    let (rules, ruleDiagnostics) =
      devices.map { RuleSet.read(ruleFiles, configuration: $0) } ?? (nil, [])
    for diagnostic in ruleDiagnostics { log.report(diagnostic) }
    guard !log.hasErrors, let rules, let production, let quality, let energy, var devices else {
      return (nil, log.sorted)
    }
    // Two gateways on one broker must not ask a node for its birth at the same moment.
    devices.settings.sparkplug.seed = Hash64.hash(gateway.gatewayID)
    let loaded = LoadedConfiguration(
      gateway: gateway, devices: devices, production: production, quality: quality, energy: energy,
      rules: rules, files: files, warnings: log.sorted)
    return (loaded, log.sorted)
  }

  private var defaultGatewayID: String {
    let host = ProcessInfo.processInfo.hostName.split(separator: ".").first.map(String.init) ?? ""
    let allowed = host.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    return allowed.isEmpty ? "gateway" : allowed
  }

  private func read(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return String(data: data, encoding: .utf8)
  }

  private func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func problem(_ file: String, _ message: String) -> Diagnostic {
    Diagnostic(file: file, line: 1, column: 1, severity: .error, message: message)
  }

  private func yamlFiles(in directory: String, log: DiagnosticLog) -> [ConfigurationFile] {
    guard FileManager.default.fileExists(atPath: directory) else { return [] }
    // Why it cannot be listed, the user's permissions, is for the user to see; which one is said here.
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
      log.report(problem(directory, "cannot list this directory"))
      return []
    }
    return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().compactMap {
      name in
      let path = directory + "/" + name
      guard let text = read(path) else {
        log.report(problem(path, "cannot read this file as UTF-8 text"))
        return nil
      }
      return ConfigurationFile(name: path, content: text)
    }
  }

  // MARK: - Environment

  /// `MILLWRIGHT_…` of our own, and the few names that the API contract promises.
  private func applyEnvironment(
    to gateway: inout GatewayConfiguration, credentials: Credentials, log: DiagnosticLog
  ) {
    let reader = ConfigReader(
      provider: EnvironmentVariablesProvider(environmentVariables: environment))
    let own = reader.scoped(to: "millwright")
    if let id = own.string(forKey: "gateway") {
      gateway.gatewayID = id
      gateway.root = "millwright/\(id)/"
    }
    if let path = own.string(forKey: "data") { gateway.store.directory = path }
    if let path = own.string(forKey: "devices") { gateway.devicesDirectory = path }
    if let path = own.string(forKey: "rules") { gateway.rulesDirectory = path }
    if let host = own.string(forKey: "mqtt.host") {
      if gateway.mqtt == nil {
        gateway.mqtt = MQTTSettings()
        gateway.mqtt?.clientID = "millwright-\(gateway.gatewayID)"
      }
      gateway.mqtt?.host = host
    }
    if let port = own.int(forKey: "mqtt.port") { gateway.mqtt?.port = Int32(clamping: port) }
    if let name = own.string(forKey: "mqtt.username") { gateway.mqtt?.username = name }
    if let path = own.string(forKey: "mqtt.password.file") {
      gateway.mqtt?.password = read(credentials.path(for: path) ?? path).map(trimmed)
    }
    if let id = own.string(forKey: "sparkplug.host") {
      if id.isEmpty || SparkplugHostPresence.isValid(id: id) {
        gateway.sparkplugHost = id.isEmpty ? nil : id
      } else {
        log.report(problem("MILLWRIGHT_SPARKPLUG_HOST", "a host id has no `+`, `/` or `#`"))
      }
    }
    if let delay = own.int(forKey: "commit.delay.ms") {
      gateway.batch.commitDelayMilliseconds = max(0, delay)
    }
    if let host = reader.string(forKey: "host") { gateway.http.host = host }
    if let port = reader.int(forKey: "port") { gateway.http.port = port }
    if let rate = reader.int(forKey: "rate.limit.per.minute"), rate > 0 {
      gateway.http.rateLimitPerMinute = rate
    }
    if let allowed = reader.bool(forKey: "enable.cors") {
      gateway.http.allowsCORS = allowed
      if allowed, gateway.http.corsOrigins.isEmpty { gateway.http.corsOrigins = ["*"] }
    }
    let keys = reader.string(forKey: "api.keys", isSecret: true) ?? ""
    for (index, text) in keys.split(separator: ",").map({ trimmed(String($0)) }).enumerated()
    where !text.isEmpty {
      gateway.http.keys.append(
        APIKey(name: "API_KEYS[\(index)]", secret: text, scopes: Set(Scope.allCases)))
    }
  }
}
