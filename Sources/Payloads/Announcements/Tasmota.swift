import Telemetry

/// Reads what Tasmota says of itself on `tasmota/discovery/<mac>/config` and `…/sensors`.
///
/// ```
/// config  {"dn": "Workshop plug", "fn": ["Saw", null], "hn": "saw-6780", "mac": "3C71BFF01A7C",
///          "md": "Generic", "t": "saw", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
///          "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "rl": [1, 0]}
/// sensors {"sn": {"Time": "…", "BME280": {"Temperature": 21.1}, "TempUnit": "C"}, "ver": 1}
/// ```
/// `config` tells the topics and the relays, `sensors` the metrics of the same device; they may come in any
/// order. The device is called as its topic (`t`).
enum Tasmota {
  static let root = "tasmota/discovery/"

  /// - Throws: `bad_announcement` when topic or prefixes are missing.
  static func device(config: JSONTree) throws(PayloadError) -> AnnouncedDevice {
    let prefixes = config["tp"]?.values.compactMap(\.string) ?? []
    guard let name = config["t"]?.string, !name.isEmpty else { throw missing("t", "its topic") }
    guard let pattern = config["ft"]?.string else { throw missing("ft", "the form of its topics") }
    guard prefixes.count >= 3 else {
      throw missing("tp", "the prefixes of command, state and telemetry")
    }
    func topic(_ prefix: String, _ last: String) -> String {
      let tokens = [
        ("%prefix%", prefix), ("%topic%", name), ("%hostname%", config["hn"]?.string ?? ""),
        ("%id%", config["mac"]?.string ?? ""),
      ]
      let filled = tokens.reduce(pattern) { $0.replacing($1.0, with: $1.1) }
      return filled + (filled.hasSuffix("/") ? "" : "/") + last
    }
    var device = AnnouncedDevice(
      id: name.asDeviceID, description: description(config), type: config["md"]?.string ?? "")
    let availability = AnnouncedAvailability(
      online: config["onln"]?.string ?? "Online", offline: config["ofln"]?.string ?? "Offline")
    let (state, telemetry) = (prefixes[1], prefixes[2])
    device.topics = [
      AnnouncedTopic(topic(telemetry, "SENSOR"), .values(TasmotaMembers.mapping)),
      AnnouncedTopic(topic(telemetry, "STATE"), .values(TasmotaMembers.mapping)),
      AnnouncedTopic(topic(telemetry, "LWT"), .availability(availability)),
    ]
    device.topics += ["INFO1", "INFO2", "INFO3"].map {
      AnnouncedTopic(topic(telemetry, $0), .ignored)
    }
    device.topics.append(AnnouncedTopic(topic(state, "RESULT"), .ignored))
    for metric in relays(config) {
      device.metrics.append(metric)
      device.topics.append(AnnouncedTopic(topic(state, metric.name), .scalar(metric: metric.name)))
    }
    return device
  }

  /// The metrics of a message as it is sent on `SENSOR`.
  ///
  /// - Throws: `bad_announcement` without `sn`.
  static func metrics(sensors: JSONTree) throws(PayloadError) -> [AnnouncedMetric] {
    guard let message = sensors["sn"], message.isObject else {
      throw missing("sn", "a message as it is sent on SENSOR")
    }
    var metrics: [AnnouncedMetric] = []
    collect(message, prefix: "", root: message, into: &metrics)
    return metrics
  }

  private static func missing(_ field: String, _ what: String) -> PayloadError {
    PayloadError(
      code: "bad_announcement",
      detail:
        "`\(field)` (\(what)) is missing; update Tasmota, or add a route for the topics of the "
        + "device in devices/*.yaml.")
  }

  private static func description(_ config: JSONTree) -> String {
    config["dn"]?.string ?? config["fn"]?.values.first?.string ?? ""
  }

  /// Of one relay `POWER`, of several `POWER1`, `POWER2`.
  private static func relays(_ config: JSONTree) -> [AnnouncedMetric] {
    let kinds = config["rl"]?.values.map { $0.number ?? 0 } ?? []
    let used = kinds.prefix(64).indices.filter { kinds[$0] != 0 }
    let words = config["state"]?.values.map { $0.word ?? "" } ?? []
    let (off, on) = words.count >= 2 ? (words[0], words[1]) : ("OFF", "ON")
    return used.map { index in
      .state(used.count == 1 && index == 0 ? "POWER" : "POWER\(index + 1)", on: on, off: off)
    }
  }

  private static func collect(
    _ tree: JSONTree, prefix: String, root: JSONTree, into metrics: inout [AnnouncedMetric]
  ) {
    switch tree {
    case .object(let members):
      for member in members where !isPassedOver(member.name) {
        let name = prefix.isEmpty ? member.name : "\(prefix).\(member.name)"
        collect(member.value, prefix: name, root: root, into: &metrics)
      }
    case .list(let values):
      for (index, value) in values.enumerated() {
        collect(value, prefix: "\(prefix).\(index)", root: root, into: &metrics)
      }
    case .null: break
    case .number, .boolean, .text:
      if let metric = metric(tree, prefix, root) { metrics.append(metric) }
    }
  }

  private static func isPassedOver(_ name: String) -> Bool {
    name == "Time" || TasmotaMembers.ignored.contains(name)
      || ["TempUnit", "PressureUnit", "SpeedUnit"].contains(name)
  }

  private static func metric(
    _ value: JSONTree, _ name: String, _ root: JSONTree
  ) -> AnnouncedMetric? {
    guard let member = TasmotaMembers.member(ofMetric: name) else {
      guard value.number == nil else { return AnnouncedMetric(name: name, type: .number) }
      // Sensors that have nothing yet write null or a text.
      return AnnouncedMetric(name: name)
    }
    var unit = member.unit
    if !member.unitPath.isEmpty, let said = root[member.unitPath]?.string {
      unit = member.unitPath == "TempUnit" && ["C", "F"].contains(said) ? "°\(said)" : said
    }
    return AnnouncedMetric(name: name, type: member.type, kind: member.kind, unit: unit)
  }
}
