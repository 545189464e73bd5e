/// What the book tells of a topic, a metric or a device.
extension AnnouncementBook {
  /// What a message on a topic is to one device.
  public struct Meaning: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
      /// JSON by a mapping, or one bare value where the payload is no JSON.
      case values(JSONMapping)
      case scalar(metric: String)
      case ignored
    }

    public var family: AnnouncementFamily
    public var device: String
    /// The model; empty: not known.
    public var type: String
    /// `nil`: the topic carries no values of the device.
    public var content: Content?
    public var availability: AnnouncedAvailability?
    /// Devices that are gone with this one.
    public var behind: [String] = []
  }

  /// Whether messages of this topic go to `receive`.
  public func announces(_ topic: String) -> Bool {
    AnnouncementBook.family(announcing: topic).map(settings.isOn) ?? false
  }

  /// What was announced for a topic, one meaning for each device in the order of ids; empty: nothing.
  ///
  /// Where a device speaks for itself, what Home Assistant's discovery says of the topic is passed over:
  /// it is the same values once more, under other names.
  public func announced(_ topic: String) -> [Meaning] {
    var claims = (index.topics[topic] ?? []).filter { settings.isOn($0.family) }
    if claims.contains(where: \.family.isNative) { claims.removeAll { !$0.family.isNative } }
    var meanings: [String: Meaning] = [:]
    var paths: [String: Set<String>] = [:]
    for claim in claims {
      meanings[
        claim.device,
        default: Meaning(family: claim.family, device: claim.device, type: claim.type)
      ].add(claim.content, &paths[claim.device, default: []])
    }
    return meanings.values.sorted { $0.device < $1.device }.map { meaning in
      var meaning = meaning
      if meaning.availability != nil { meaning.behind = devices(behind: topic) }
      return meaning
    }
  }

  /// What a topic means by the habits of its family, without an announcement; `nil`: nothing.
  public func habitual(_ topic: String) -> Meaning? {
    if settings.isOn(.zigbee2MQTT), let base = base(above: topic) {
      return zigbee2MQTT(topic, base)
    }
    if settings.isOn(.tasmota), let meaning = tasmota(topic) { return meaning }
    if settings.isOn(.homeAssistant), topic == HomeAssistant.root + "status" {
      return Meaning(family: .homeAssistant, device: "", type: "", content: .ignored)
    }
    return nil
  }

  /// What is known of a metric; what a device says itself comes before what others say of it.
  public func metric(_ name: String, of device: String) -> AnnouncedMetric? {
    let claims = index.metrics[AnnouncementIndex.MetricKey(device: device, metric: name)] ?? []
    return claims.filter { settings.isOn($0.family) }
      .min {
        ($0.family.isNative ? 0 : 1, $0.announcement) < (
          $1.family.isNative ? 0 : 1, $1.announcement
        )
      }?
      .metric
  }

  /// A device with all that its announcements say of it; `nil` when none names it.
  public func device(_ id: String) -> AnnouncedDevice? {
    let sources = (index.devices[id] ?? []).compactMap { announcements[$0] }
      .filter { settings.isOn($0.family) }
    let parts = sources.flatMap(\.devices).filter { $0.id == id }
    guard var device = parts.first else { return nil }
    for part in parts.dropFirst() {
      if device.description.isEmpty { device.description = part.description }
      if device.type.isEmpty { device.type = part.type }
      device.topics += part.topics.filter { !device.topics.contains($0) }
      device.metrics += part.metrics.filter { metric in
        !device.metrics.contains { $0.name == metric.name }
      }
    }
    return device
  }

  // MARK: - Habits

  private func base(above topic: String) -> String? {
    let known = bases.union([Zigbee2MQTT.defaultBase]).filter { topic.hasPrefix($0 + "/") }
    return known.max { $0.utf8.count < $1.utf8.count }
  }

  /// Devices of a bridge whose state a topic tells.
  private func devices(behind topic: String) -> [String] {
    guard topic.hasSuffix("/bridge/state") else { return [] }
    let list = topic.dropLast("state".count) + "devices"
    return announcements[String(list)]?.devices.dropFirst().map(\.id) ?? []
  }

  private func zigbee2MQTT(_ topic: String, _ base: String) -> Meaning? {
    let levels = topic.dropFirst(base.utf8.count + 1).split(
      separator: "/", omittingEmptySubsequences: false)
    var meaning = Meaning(
      family: .zigbee2MQTT, device: levels.joined(separator: "."), type: "")
    let last = levels.last ?? ""
    if levels.first == "bridge", levels.count > 1 {
      guard levels.dropFirst().elementsEqual(["state"]) else {
        meaning.content = .ignored
        return meaning
      }
      meaning.device = base.asDeviceID
      meaning.availability = Zigbee2MQTT.availability
      meaning.behind = devices(behind: topic)
    } else if levels.count > 1, last == "availability" {
      meaning.device = levels.dropLast().joined(separator: ".")
      meaning.availability = Zigbee2MQTT.availability
    } else if levels.count > 1, ["set", "get"].contains(last) || levels.dropLast().last == "set" {
      meaning.content = .ignored
    } else {
      meaning.content = .values(Zigbee2MQTT.mapping)
    }
    return meaning
  }

  private func tasmota(_ topic: String) -> Meaning? {
    let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
    guard levels.count >= 3, let last = levels.last else { return nil }
    var meaning = Meaning(
      family: .tasmota, device: levels.dropFirst().dropLast().joined(separator: "."), type: "")
    let stem =
      last.drop(while: { !$0.isNumber }).allSatisfy(\.isNumber)
      ? String(last.prefix { !$0.isNumber }) : String(last)
    switch (levels[0], stem) {
    case ("tele", "SENSOR"), ("tele", "STATE"): meaning.content = .values(TasmotaMembers.mapping)
    case ("tele", "LWT"):
      meaning.availability = AnnouncedAvailability(online: "Online", offline: "Offline")
    case ("stat", "POWER"): meaning.content = .scalar(metric: String(last))
    case ("tele", "INFO"), ("tele", "RESULT"), ("tele", "UPTIME"), ("tele", "HASS_STATE"),
      ("tele", "LOGGING"), ("stat", "RESULT"), ("stat", "STATUS"), ("stat", "LOGGING"), ("cmnd", _):
      meaning.content = .ignored
    default: return nil
    }
    return meaning
  }
}

extension AnnouncementBook.Meaning {
  /// Joins what another announcement says of the same topic and device.
  ///
  /// - Parameter paths: of the metrics joined so far; the first that claims one gives it its name.
  fileprivate mutating func add(_ claimed: AnnouncedTopic.Content, _ paths: inout Set<String>) {
    switch (claimed, content) {
    case (.availability(let said), _): availability = availability ?? said
    case (.values(let mapping), .values(var joined)):
      // Emptied so that the array in it is not copied for each announcement.
      content = nil
      for metric in mapping.metrics where paths.insert(metric.path).inserted {
        joined.metrics.append(metric)
      }
      joined.ignore += mapping.ignore.filter { !joined.ignore.contains($0) }
      if mapping.rest == .take { joined.rest = .take }
      content = .values(joined)
    case (.values(let mapping), nil), (.values(let mapping), .ignored):
      paths.formUnion(mapping.metrics.map(\.path))
      content = .values(mapping)
    case (.scalar(let metric), nil), (.scalar(let metric), .ignored):
      content = .scalar(metric: metric)
    case (.ignored, nil): content = .ignored
    default: break
    }
  }
}
