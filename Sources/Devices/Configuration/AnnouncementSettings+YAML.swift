import Payloads

extension AnnouncementSettings {
  /// The keys stand at `ConfigurationReading`: one for each family, all of them on.
  init(reading map: YAMLMap) {
    self.init()
    for family in AnnouncementFamily.allCases {
      let isOn = map.optional(family.rawValue, .bool) ?? true
      if !isOn { families.remove(family) }
    }
    map.refuseUnknownKeys()
  }
}
