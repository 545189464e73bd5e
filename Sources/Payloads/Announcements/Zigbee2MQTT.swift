import Telemetry

/// Reads what Zigbee2MQTT says of its devices on `<base>/bridge/devices`.
///
/// ```
/// [{"friendly_name": "hall/lamp", "type": "Router", "definition": {
///     "model": "LED1545G12", "vendor": "IKEA", "description": "…",
///     "exposes": [{"type": "light", "features": [
///       {"type": "binary", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"},
///       {"type": "numeric", "property": "brightness", "access": 7, "value_min": 0, "value_max": 254}]}]}}]
/// ```
/// A property is a member of the JSON on `<base>/<friendly_name>`. Switch, light, climate, lock, cover and
/// fan group features that stand beside each other in it; a composite with a property of its own holds its
/// features one level deeper. Bit 1 of `access` says that the property is published; without it there is
/// nothing to store. Lists are not described: their elements are stored as they come.
enum Zigbee2MQTT {
  static let defaultBase = "zigbee2mqtt"
  static let devicesSuffix = "/bridge/devices"
  static let availability = AnnouncedAvailability(path: "state")
  /// Later ones are left out.
  private static let refusalsMax = 1_000

  /// How values are read, also of devices that were not announced.
  ///
  /// `update` and `update_available` tell of firmware on offer and `device` repeats the announcement: none of
  /// them is measured. `last_seen`, where it is configured, is the time of the message.
  static let mapping: JSONMapping = {
    var mapping = JSONMapping()
    mapping.timePaths = ["last_seen"]
    mapping.ignore = ["update", "update_available", "device", "last_seen_epoch"]
    mapping.passesOverBadTimes = true
    return mapping
  }()

  /// Whether a payload has the shape of `bridge/devices`, whatever its base is called.
  static func isDeviceList(_ tree: JSONTree) -> Bool {
    guard case .list(let devices) = tree else { return false }
    return devices.contains {
      $0["friendly_name"]?.string != nil && $0["ieee_address"]?.string != nil
    }
  }

  /// The devices of a list; what cannot be read of one is refused, the others go on.
  ///
  /// - Parameter base: of the topics, without a slash at its end.
  static func devices(_ tree: JSONTree, base: String) -> (
    devices: [AnnouncedDevice], refusals: [Refusal]
  ) {
    var devices: [AnnouncedDevice] = [bridge(base)]
    var refusals: [Refusal] = []
    for (index, entry) in tree.values.enumerated() where entry["type"]?.string != "Coordinator" {
      guard let name = entry["friendly_name"]?.string, !name.isEmpty else {
        guard refusals.count < refusalsMax else { continue }
        refusals.append(
          Refusal(
            place: "/\(index)/friendly_name", code: "no_device",
            detail: "A device needs a `friendly_name`; it is left out."))
        continue
      }
      var reading = ExposesReading()
      for (place, expose) in (entry["definition"]?["exposes"]?.values ?? []).enumerated() {
        reading.read(expose, prefix: "", place: "/\(index)/definition/exposes/\(place)", depth: 0)
      }
      refusals += reading.refusals
      let definition = entry["definition"]
      let words = [definition?["vendor"]?.string, definition?["description"]?.string]
      devices.append(
        AnnouncedDevice(
          id: name.asDeviceID, description: words.compactMap { $0 }.joined(separator: " "),
          type: definition?["model"]?.string ?? entry["model_id"]?.string ?? "",
          topics: [
            AnnouncedTopic("\(base)/\(name)", .values(mapping)),
            AnnouncedTopic("\(base)/\(name)/availability", .availability(availability)),
          ], metrics: reading.metrics))
    }
    return (devices, Array(refusals.prefix(refusalsMax)))
  }

  private static func bridge(_ base: String) -> AnnouncedDevice {
    AnnouncedDevice(
      id: base.asDeviceID, description: "Zigbee2MQTT bridge",
      topics: [AnnouncedTopic("\(base)/bridge/state", .availability(availability))])
  }
}

/// Walks the `exposes` of one device.
private struct ExposesReading {
  var metrics: [AnnouncedMetric] = []
  var refusals: [Refusal] = []
  private var names: Set<String> = []
  private static let depthMax = 8

  mutating func read(_ expose: JSONTree, prefix: String, place: String, depth: Int) {
    let property = expose["property"]?.string
    if case .list(let features)? = expose["features"], depth < Self.depthMax {
      let isNested = expose["type"]?.string == "composite"
      let deeper = isNested ? property.map { prefix + $0 + "." } : nil
      for (index, feature) in features.enumerated() {
        read(
          feature, prefix: deeper ?? prefix, place: "\(place)/features/\(index)", depth: depth + 1)
      }
      return
    }
    guard let type = expose["type"]?.string else {
      refusals.append(
        Refusal(
          place: "\(place)/type", code: "bad_announcement", detail: "An expose needs a `type`."))
      return
    }
    // A property that is only set never appears in a message.
    let isPublished = Int(exactly: expose["access"]?.number ?? 1).map { $0 & 1 == 1 } ?? true
    guard let property, isPublished, let metric = metric(expose, type, prefix + property) else {
      return
    }
    if names.insert(metric.name).inserted { metrics.append(metric) }
  }

  private func metric(_ expose: JSONTree, _ type: String, _ name: String) -> AnnouncedMetric? {
    switch type {
    case "numeric": return numeric(expose, name)
    case "binary":
      guard let on = expose["value_on"]?.word, let off = expose["value_off"]?.word else {
        return AnnouncedMetric(name: name, kind: .state)
      }
      return .state(name, on: on, off: off)
    case "enum":
      // A button pressed twice is two actions, though the word is the same.
      if name == "action" { return AnnouncedMetric(name: name, type: .text, kind: .event) }
      let words = expose["values"]?.values.compactMap(\.word) ?? []
      return AnnouncedMetric(
        name: name, type: .text, kind: .state, words: words.map { .init(raw: $0, word: $0) })
    case "text": return AnnouncedMetric(name: name, type: .text, kind: .state)
    default: return nil
    }
  }

  private func numeric(_ expose: JSONTree, _ name: String) -> AnnouncedMetric {
    let unit = expose["unit"]?.string ?? ""
    // Zigbee meters sum up what flowed since they were made.
    let isTotal = Unit(unit).map { $0.dimension == .energy } ?? false
    let low = expose["value_min"]?.number ?? -.infinity
    let high = expose["value_max"]?.number ?? .infinity
    var range = low < high && (low.isFinite || high.isFinite) ? low...high : nil
    // A preset may be a value outside of the range that means something else, such as 65535 `previous`.
    let presets = expose["presets"]?.values.compactMap { $0["value"]?.number } ?? []
    if let known = range, !presets.allSatisfy(known.contains) { range = nil }
    return AnnouncedMetric(
      name: name, type: .number, kind: isTotal ? .counter : .gauge, unit: unit, range: range)
  }
}
