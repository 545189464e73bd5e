import Payloads
import Telemetry

/// The state of reading devices/*.yaml: what was read, where ids were first seen, what is still to check.
///
/// ```yaml
/// settings:                        # once over all files; every key may be left out
///   unknown_devices: adopt         # adopt | quarantine
///   far_future: 1 h                # source times further ahead are replaced by the receive time
///   far_past: 3650 d               # and those further behind
///   quarantine_payload_max: 64 KiB # bytes kept of a payload that was set aside
///   devices_max: 100000
///   series_max: 1000000
///   words_max: 200000              # different texts
///   sparkplug:
///     enabled: true                # read topics below spBv1.0/ as Sparkplug B
///     reorder_timeout: 5 s         # how long a message that is ahead waits for the missing one
///     rebirth: on_need             # on_need | never: ask a node for its birth when something was missed
///     rebirth_interval: 30 s       # least time between two requests to one node
///   announcements:                 # families whose devices say themselves what their metrics are
///     zigbee2mqtt: true
///     tasmota: true
///     home_assistant: true         # its MQTT discovery
/// profiles:
///   - id: press                    # required
///     description: Hydraulic press
///     retention: 400 d
///     labels: {class: forming}
///     metrics: {temperature: …}    # see MetricProfile(name:reading:)
///     desired: {speed: …}          # what a person may set; see DesiredProperty(name:reading:metrics:)
/// devices:
///   - id: press1                   # required; no slash, at most 128 bytes
///     was: [press-old]             # former ids: that device becomes this one and keeps its history
///     profile: press
///     description: At the head of line 1
///     asset: acme/linz/hall1/line1/press1
///     topic: plant/line1/press1/#  # its own topics; a route to this device alone
///     users: [anna]
///     labels: {maker: Müller}
/// routes: […]                      # see Route(reading:)
/// ```
struct ConfigurationReading {
  var configuration = DeviceConfiguration()
  /// Keys at the root that belong to others: see `ProductionConfiguration`, `QualityConfiguration`,
  /// `EnergyConfiguration`, `MaintenanceConfiguration`.
  private static let foreignKeys = [
    "calendars", "products", "reasons", "machines", "lines", "quality", "energy",
    "maintenance",
  ]
  let log: DiagnosticLog
  /// `device press1` → where it was first declared.
  private var places: [String: String] = [:]
  /// Profile ids that devices and routes name, checked when all files are read.
  private var profileReferences: [YAMLValue] = []
  /// Ids under `was`, which no device may have now.
  private var formerIDs: [YAMLValue] = []

  init(log: DiagnosticLog) { self.log = log }

  mutating func read(_ file: ConfigurationFile) {
    guard let root = YAMLReader(log: log).map(in: file) else { return }
    if let settings = root.optional("settings", .map) { readSettings(settings) }
    for map in root.optional("profiles", .list(of: .map)) ?? [] { readProfile(map) }
    for map in root.optional("devices", .list(of: .map)) ?? [] { readDevice(map) }
    for map in root.optional("routes", .list(of: .map)) ?? [] { readRoute(map) }
    // What these hold is read by others, out of the same files.
    for key in Self.foreignKeys { _ = root.value(key) }
    root.refuseUnknownKeys()
  }

  /// Devices and routes may name profiles of any file.
  func checkReferences() {
    let ids = configuration.profiles.map(\.id)
    let known = Set(ids)
    for reference in profileReferences {
      guard let id = reference.scalarText, !known.contains(id) else { continue }
      let suggestion = nearestName(to: id, among: ids).map { ", did you mean `\($0)`?" } ?? ""
      reference.report("unknown profile `\(id)`\(suggestion)")
    }
    for former in formerIDs {
      guard let id = former.scalarText, configuration.device(id) != nil else { continue }
      former.report("`\(id)` is declared as a device: a former id must not be in use")
    }
  }

  private mutating func readSettings(_ map: YAMLMap) {
    claim("settings", map.position, in: map) { "`settings` appears twice, first at \($0)" }
    var settings = DeviceSettings()
    settings.unknownDevices = map.optional("unknown_devices", .choice) ?? settings.unknownDevices
    settings.farFuture = map.optional("far_future", .duration) ?? settings.farFuture
    settings.farPast = map.optional("far_past", .duration) ?? settings.farPast
    settings.quarantinePayloadBytesMax =
      map.optional("quarantine_payload_max", .byteSize) ?? settings.quarantinePayloadBytesMax
    settings.devicesMax =
      map.optional("devices_max", .int(in: 1...10_000_000)) ?? settings.devicesMax
    settings.seriesMax =
      map.optional("series_max", .int(in: 1...100_000_000)) ?? settings.seriesMax
    settings.wordsMax = map.optional("words_max", .int(in: 1...10_000_000)) ?? settings.wordsMax
    if let sparkplug = map.optional("sparkplug", .map) {
      settings.sparkplug = SparkplugSettings(reading: sparkplug)
    }
    if let announcements = map.optional("announcements", .map) {
      settings.announcements = AnnouncementSettings(reading: announcements)
    }
    map.refuseUnknownKeys()
    configuration.settings = settings
  }

  private mutating func readProfile(_ map: YAMLMap) {
    let id = map.required("id", .name())
    var profile = Profile(id: id ?? "")
    claimID("profile", of: map)
    profile.description = map.optional("description", .string) ?? ""
    profile.retention = map.optional("retention", .duration)
    profile.labels = map.optional("labels", .labels) ?? []
    for entry in map.optional("metrics", .map)?.entries ?? [] {
      guard entry.name.read(.name(bytesMax: 256)) != nil else { continue }
      if entry.value.isNull {
        profile.metrics.append(MetricProfile(name: entry.key))
      } else if let metric = entry.value.read(.map) {
        profile.metrics.append(MetricProfile(name: entry.key, reading: metric))
      }
    }
    readDesired(map, of: &profile)
    map.refuseUnknownKeys()
    if id != nil { configuration.profiles.append(profile) }
  }

  private func readDesired(_ map: YAMLMap, of profile: inout Profile) {
    for entry in map.optional("desired", .map)?.entries ?? [] {
      guard entry.name.read(.name(bytesMax: 256)) != nil, let reading = entry.value.read(.map),
        let property = DesiredProperty(name: entry.key, reading: reading, metrics: profile.metrics)
      else { continue }
      profile.desired.append(property)
    }
  }

  private mutating func readDevice(_ map: YAMLMap) {
    let id = map.required("id", .deviceID)
    var device = DeclaredDevice(id: id ?? "")
    claimID("device", of: map)
    device.was = readFormerIDs(of: map)
    device.description = map.optional("description", .string) ?? ""
    device.profile = profileReference(in: map)
    device.asset = map.optional("asset", .asset) ?? ""
    device.topic = map.optional("topic", .topicPattern)
    device.users = map.optional("users", .list(of: .name())) ?? []
    device.labels = map.optional("labels", .labels) ?? []
    map.refuseUnknownKeys()
    if let topic = device.topic { claimTopic(topic, of: map) }
    if id != nil { configuration.devices.append(device) }
  }

  private mutating func readRoute(_ map: YAMLMap) {
    let profile = profileReference(in: map)
    guard var route = Route(reading: map) else { return }
    route.profile = profile
    if let namespace = route.namespace {
      claimNamespace(namespace, of: map)
    } else {
      claimTopic(route.topic, of: map)
    }
    configuration.routes.append(route)
  }

  private mutating func profileReference(in map: YAMLMap) -> String {
    guard let value = map.value("profile"), let id = map.optional("profile", .string) else {
      return ""
    }
    profileReferences.append(value)
    return id
  }

  private mutating func readFormerIDs(of map: YAMLMap) -> [String] {
    guard let list = map.value("was"), case .sequence(let nodes) = list.node else {
      return map.optional("was", .list(of: .deviceID)) ?? []
    }
    for (index, node) in nodes.enumerated() {
      let value = list.child(node, "[\(index)]")
      guard let id = value.scalarText else { continue }
      formerIDs.append(value)
      claim("former \(id)", value.position, in: map) {
        "the former id `\(id)` appears twice, first at \($0)"
      }
    }
    return map.optional("was", .list(of: .deviceID)) ?? []
  }

  private mutating func claimID(_ noun: String, of map: YAMLMap) {
    guard let value = map.value("id"), let id = value.scalarText else { return }
    claim("\(noun) \(id)", value.position, in: map) {
      "duplicate \(noun) id `\(id)`, first at \($0)"
    }
  }

  /// Two patterns for the same topics are legal, but the second is never used.
  private mutating func claimTopic(_ topic: TopicPattern, of map: YAMLMap) {
    guard let position = map.value("topic")?.position else { return }
    let shape = topic.levels.map { level in
      switch level {
      case .literal(let text): text
      case .any: "+"
      case .rest(let name): name == nil ? "#" : "+#"
      }
    }.joined(separator: "/")
    claim("topic \(shape)", position, in: map, severity: .warning) {
      "`\(topic)` matches the same topics as the pattern at \($0) and is never used"
    }
  }

  /// A namespace does not take every topic that its pattern matches: only another one hides it.
  private mutating func claimNamespace(_ namespace: UnifiedNamespace, of map: YAMLMap) {
    guard let position = map.value("uns")?.position else { return }
    let key = "uns \(namespace.root) \(namespace.levels.count)"
    claim(key, position, in: map, severity: .warning) {
      "this namespace has the topics of the one at \($0) and is never used"
    }
  }

  private mutating func claim(
    _ key: String, _ position: YAMLPosition, in map: YAMLMap,
    severity: Diagnostic.Severity = .error, message: (String) -> String
  ) {
    if let first = places[key] {
      log.report(
        Diagnostic(
          file: map.file, line: position.line, column: position.column, severity: severity,
          message: message(first)))
    } else {
      places[key] = "\(map.file):\(position.line):\(position.column)"
    }
  }
}
