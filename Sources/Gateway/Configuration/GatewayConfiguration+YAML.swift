import Devices
import Foundation
import MQTT
import Storage
import Telemetry

/// Reads millwright.yaml; every problem goes to the log with file, line and column.
struct GatewayConfigurationReading {
  let log: DiagnosticLog
  /// Reads a secret's file; `nil` when it cannot be read.
  let readSecret: (String) -> String?
  /// Turns a path in the file into one from here.
  let resolvePath: (String) -> String

  func read(_ map: YAMLMap, into configuration: inout GatewayConfiguration) {
    if let id = map.optional("gateway", .name()) {
      configuration.gatewayID = id
      configuration.root = "millwright/\(id)/"
    }
    if let path = map.optional("data", .string) {
      configuration.store.directory = resolvePath(path)
    }
    if let path = map.optional("devices", .string) {
      configuration.devicesDirectory = resolvePath(path)
    }
    if let path = map.optional("rules", .string) {
      configuration.rulesDirectory = resolvePath(path)
    }
    if let root = map.optional("root", .string) {
      configuration.root = root.hasSuffix("/") ? root : root + "/"
    }
    if let zone = map.optional("time_zone", .timeZone) { configuration.timeZone = zone }
    if let detection = map.optional("detection", .map) {
      if let span = detection.optional("learning", .duration) { configuration.learning = span }
      detection.refuseUnknownKeys()
    }
    if let mqtt = map.optional("mqtt", .map) { readMQTT(mqtt, into: &configuration) }
    if let batch = map.optional("batch", .map) { read(batch, into: &configuration.batch) }
    if let store = map.optional("store", .map) { read(store, into: &configuration.store) }
    if let http = map.optional("http", .map) { read(http, into: &configuration.http) }
    readEffects(map, into: &configuration)
    map.refuseUnknownKeys()
  }

  // MARK: - mqtt

  private func readMQTT(_ map: YAMLMap, into configuration: inout GatewayConfiguration) {
    var mqtt = MQTTSettings()
    mqtt.clientID = "millwright-\(configuration.gatewayID)"
    if let host = map.optional("host", .string) { mqtt.host = host }
    let version = YAMLType<MQTTSettings.Version>.choice(
      of: MQTTSettings.Version.allCases.map(\.rawValue)
    ) { MQTTSettings.Version(rawValue: $0) }
    if let version = map.optional("version", version) { mqtt.version = version }
    if let id = map.optional("client_id", .string) { mqtt.clientID = id }
    if let name = map.optional("username", .string) { mqtt.username = name }
    if let file = map.value("password_file") { mqtt.password = secret(file) }
    if let tls = map.optional("tls", .map) {
      mqtt.tls = readTLS(tls)
      mqtt.port = 8883
    }
    if let port = map.optional("port", .int(in: 1...65_535)) { mqtt.port = Int32(port) }
    if let span = map.optional("keep_alive", .duration) {
      mqtt.keepAliveSeconds = Int32(clamping: max(5, span.components.seconds))
    }
    if let span = map.optional("session_expiry", .duration) {
      mqtt.sessionExpirySeconds = UInt32(clamping: span.components.seconds)
    }
    if let maximum = map.optional("receive_maximum", .int(in: 1...65_535)) {
      mqtt.receiveMaximum = UInt16(maximum)
    }
    if let list = map.optional("subscriptions", .list(of: .map)) {
      mqtt.subscriptions = list.compactMap(readSubscription)
    }
    configuration.mqtt = mqtt
    readPublishing(map, into: &configuration)
    map.refuseUnknownKeys()
  }

  private func readTLS(_ map: YAMLMap) -> MQTTSettings.TLS {
    var tls = MQTTSettings.TLS()
    if let path = map.optional("ca", .string) { tls.caFile = resolvePath(path) }
    if let path = map.optional("certificate", .string) { tls.certificateFile = resolvePath(path) }
    if let path = map.optional("key", .string) { tls.keyFile = resolvePath(path) }
    if let any = map.optional("allow_any_host_name", .bool) { tls.allowsAnyHostName = any }
    map.refuseUnknownKeys()
    return tls
  }

  private func readSubscription(_ map: YAMLMap) -> MQTTSettings.Subscription? {
    let filter = map.required("topic", .string)
    let qos = map.optional("qos", .int(in: 0...2)) ?? 1
    map.refuseUnknownKeys()
    if qos == 2 {
      map.value("qos")?.report(
        "QoS 2 is refused: its first acknowledgement leaves before the message can be stored; "
          + "use 1, the broker then delivers at least once and duplicates are recognised")
      return nil
    }
    return filter.map { MQTTSettings.Subscription(filter: $0, qos: Int32(qos)) }
  }

  func secret(_ value: YAMLValue) -> String? {
    guard let path = value.read(.string) else { return nil }
    guard let text = readSecret(resolvePath(path)) else {
      value.report("cannot read the secret in `\(resolvePath(path))`")
      return nil
    }
    return text
  }

  // MARK: - batch, store

  private func read(_ map: YAMLMap, into batch: inout BatchSettings) {
    if let delay = map.optional("commit_delay", .duration) {
      let milliseconds =
        delay.components.seconds * 1_000 + delay.components.attoseconds / 1_000_000_000_000_000
      if milliseconds > 10_000 {
        map.value("commit_delay")?.report("a commit delay above 10 s would stall every publisher")
      }
      batch.commitDelayMilliseconds = Int(milliseconds)
    }
    if let count = map.optional("messages", .int(in: 1...65_535)) { batch.messagesMax = count }
    if let bytes = map.optional("bytes", .byteSize) { batch.bytesMax = max(1_024, bytes) }
    map.refuseUnknownKeys()
  }

  private func read(_ map: YAMLMap, into store: inout StoreSettings) {
    if let sync = map.optional("sync", .bool) { store.journal.synchronizes = sync }
    if let bytes = map.optional("journal_segment", .byteSize) {
      if !(1 << 20...256 << 20).contains(bytes) {
        map.value("journal_segment")?.report("a segment is between 1 MiB and 256 MiB")
      }
      store.journal.segmentBytes = bytes
    }
    if let bytes = map.optional("journal_max", .byteSize) { store.journalBytesMax = bytes }
    if let span = map.optional("flush_every", .duration) {
      store.flushMilliseconds = Int(
        span.components.seconds * 1_000 + span.components.attoseconds / 1_000_000_000_000_000)
    }
    if let bytes = map.optional("budget", .byteSize) { store.byteBudget = bytes }
    if let bytes = map.optional("open_memory", .byteSize) { store.openBytesMax = bytes }
    if let span = map.optional("seal_after", .duration) {
      store.openSecondsMax = max(1, Int(span.components.seconds))
    }
    if let bytes = map.optional("ballast", .byteSize) { store.ballastBytes = bytes }
    if let rows = map.optional("quarantine_rows", .int(in: 0...10_000_000)) {
      store.quarantineRowsMax = rows
    }
    if let bytes = map.optional("quarantine_bytes", .byteSize) { store.quarantineBytesMax = bytes }
    map.refuseUnknownKeys()
  }

  // MARK: - http

  private func read(_ map: YAMLMap, into http: inout HTTPSettings) {
    if let host = map.optional("host", .string) { http.host = host }
    if let port = map.optional("port", .int(in: 0...65_535)) { http.port = port }
    if let list = map.optional("keys", .list(of: .map)) { http.keys = list.compactMap(readKey) }
    if let rate = map.optional("rate_limit_per_minute", .int(in: 1...10_000_000)) {
      http.rateLimitPerMinute = rate
    }
    if let rate = map.optional("items_per_minute", .int(in: 1...1_000_000_000)) {
      http.itemsPerMinute = rate
    }
    if let bytes = map.optional("body_max", .byteSize) { http.bodyBytesMax = bytes }
    if let origins = map.optional("cors_origins", .list(of: .string)) {
      http.corsOrigins = origins
      http.allowsCORS = !origins.isEmpty
    }
    if let span = map.optional("sql_time_max", .duration) {
      http.sqlSecondsMax =
        Double(span.components.seconds) + Double(span.components.attoseconds) / 1e18
    }
    if let rows = map.optional("sql_rows_max", .int(in: 1...10_000_000)) { http.sqlRowsMax = rows }
    map.refuseUnknownKeys()
  }

  private func readKey(_ map: YAMLMap) -> APIKey? {
    let name = map.required("name", .string)
    let text = map.value("file").flatMap(secret)
    if map.value("file") == nil { map.report("`file` is missing: a key is read from a file") }
    let scope = YAMLType<Scope>.choice(of: Scope.allCases.map(\.rawValue)) { Scope(rawValue: $0) }
    let scopes = map.optional("scopes", .list(of: scope)) ?? [.ingest, .read]
    map.refuseUnknownKeys()
    guard let name, let text else { return nil }
    return APIKey(name: name, secret: text, scopes: Set(scopes))
  }
}

extension YAMLType where Value == String {
  /// The IANA name of a time zone that this machine knows.
  static var timeZone: YAMLType {
    YAMLType { value in
      guard let name = value.read(.string) else { return nil }
      guard TimeZone(identifier: name) != nil else {
        value.report("`\(name)` is no time zone; write an IANA name such as Europe/Vienna")
        return nil
      }
      return name
    }
  }
}
