/// Which topics announce, and how each family is read.
extension AnnouncementBook {
  /// The family whose announcements have this form of topic.
  static func family(announcing topic: String) -> AnnouncementFamily? {
    if topic.hasPrefix(HomeAssistant.root) {
      return HomeAssistant.Place(topic) == nil ? nil : .homeAssistant
    }
    if topic.hasPrefix(Tasmota.root) {
      let levels = topic.dropFirst(Tasmota.root.count).split(
        separator: "/", omittingEmptySubsequences: false)
      let isAnnouncement = levels.count == 2 && ["config", "sensors"].contains(levels[1])
      return isAnnouncement && !levels[0].isEmpty ? .tasmota : nil
    }
    return topic.hasSuffix(Zigbee2MQTT.devicesSuffix) && !base(of: topic).isEmpty
      ? .zigbee2MQTT : nil
  }

  static func base(of topic: String) -> String {
    String(topic.dropLast(Zigbee2MQTT.devicesSuffix.count))
  }

  /// - Returns: `nil` when the payload shows that the topic announces nothing.
  mutating func read(
    _ topic: String, _ family: AnnouncementFamily, _ payload: UnsafeRawBufferPointer
  ) throws(PayloadError) -> (Announcement, [Refusal])? {
    var announcement = Announcement(family: family, fingerprint: 0, ordinal: 0)
    switch family {
    case .homeAssistant:
      guard let place = HomeAssistant.Place(topic) else { return nil }
      let (devices, refusals) = try HomeAssistant.devices(JSONTree(reading: payload), at: place)
      announcement.devices = devices
      return (announcement, refusals)
    case .tasmota:
      let tree = try JSONTree(reading: payload)
      if topic.hasSuffix("/config") {
        announcement.devices = [try Tasmota.device(config: tree)]
      } else {
        announcement.loose = try Tasmota.metrics(sensors: tree)
        announcement.devices = device(ofSensors: topic, announcement.loose)
      }
      return (announcement, [])
    case .zigbee2MQTT:
      let base = AnnouncementBook.base(of: topic)
      let isKnown = base == Zigbee2MQTT.defaultBase || bases.contains(base)
      let tree: JSONTree
      do throws(PayloadError) {
        tree = try JSONTree(reading: payload)
      } catch {
        guard isKnown else { return nil }
        throw error
      }
      guard Zigbee2MQTT.isDeviceList(tree) || isKnown else { return nil }
      guard case .list = tree else {
        throw PayloadError(
          code: "bad_announcement", detail: "Expected a JSON array of devices on `\(topic)`.")
      }
      bases.insert(base)
      let (devices, refusals) = Zigbee2MQTT.devices(tree, base: base)
      announcement.devices = devices
      return (announcement, refusals)
    }
  }

  // MARK: - Tasmota's two halves

  /// The device that `config` named, with the metrics of `sensors`; none before `config` was heard.
  private func device(ofSensors topic: String, _ metrics: [AnnouncedMetric]) -> [AnnouncedDevice] {
    let sibling = topic.dropLast("sensors".count) + "config"
    guard let device = announcements[String(sibling)]?.devices.first else { return [] }
    return [AnnouncedDevice(id: device.id, metrics: metrics)]
  }

  /// After `config` changed, gives the metrics of `sensors` to the device that it names now.
  mutating func completeSibling(of topic: String) {
    guard topic.hasPrefix(Tasmota.root), topic.hasSuffix("/config") else { return }
    let sensors = topic.dropLast("config".count) + "sensors"
    guard var sibling = announcements[String(sensors)] else { return }
    index.remove(String(sensors), sibling.devices)
    sibling.devices = device(ofSensors: String(sensors), sibling.loose)
    // What contradicts was told, or will be when `sensors` is heard again; here it is only left out.
    _ = index.removeContradictions(from: &sibling.devices, of: String(sensors))
    index.add(String(sensors), .tasmota, sibling.devices)
    announcements[String(sensors)] = sibling
  }
}
