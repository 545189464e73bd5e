import Payloads

extension SparkplugSettings {
  /// The keys stand at `ConfigurationReading`.
  init(reading map: YAMLMap) {
    self.init()
    isOn = map.optional("enabled", .bool) ?? isOn
    reorderTimeout = map.optional("reorder_timeout", .duration) ?? reorderTimeout
    rebirthInterval = map.optional("rebirth_interval", .duration) ?? rebirthInterval
    asksForRebirth =
      map.optional("rebirth", .choice(of: ["on_need", "never"]) { $0 == "on_need" })
      ?? asksForRebirth
    map.refuseUnknownKeys()
  }
}
