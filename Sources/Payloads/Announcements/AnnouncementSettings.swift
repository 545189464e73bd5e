/// Families of devices that say beforehand what their metrics are.
public enum AnnouncementFamily: String, Sendable, Hashable, CaseIterable {
  case zigbee2MQTT = "zigbee2mqtt"
  case tasmota
  case homeAssistant = "home_assistant"

  /// It speaks for its own devices; Home Assistant's discovery speaks for those of others, too.
  var isNative: Bool { self != .homeAssistant }
}

/// Which families are understood; `announcements:` of the settings in devices/*.yaml.
public struct AnnouncementSettings: Hashable, Sendable {
  public var families = Set(AnnouncementFamily.allCases)

  public init() {}

  public func isOn(_ family: AnnouncementFamily) -> Bool { families.contains(family) }
}
