import Devices
import Payloads

extension GatewayConfigurationReading {
  /// The keys of `mqtt` that say what we publish.
  func readPublishing(_ mqtt: YAMLMap, into configuration: inout GatewayConfiguration) {
    if let id = mqtt.optional("sparkplug_host", .sparkplugHost) { configuration.sparkplugHost = id }
    if let map = mqtt.optional("home_assistant", .map) {
      var settings = HomeAssistantSettings()
      if let prefix = map.optional("prefix", .topicPrefix) { settings.prefix = prefix }
      map.refuseUnknownKeys()
      configuration.homeAssistant = settings
    }
  }
}

extension YAMLType where Value == String {
  /// The id of a Sparkplug host: one level of a topic.
  fileprivate static var sparkplugHost: YAMLType {
    name().map { id, value in
      if SparkplugHostPresence.isValid(id: id) { return id }
      value.report("a host id has no `+`, `/` or `#`, found `\(id)`")
      return nil
    }
  }

  /// Levels of a topic without wildcards; a slash at the end is dropped.
  fileprivate static var topicPrefix: YAMLType {
    name().map { text, value in
      let prefix = text.hasSuffix("/") ? String(text.dropLast()) : text
      let isTopic =
        !prefix.isEmpty && !prefix.hasPrefix("/") && !prefix.contains { "+#".contains($0) }
      if isTopic { return prefix }
      value.report("a prefix is a topic without `+`, `#` and a slash at the start, found `\(text)`")
      return nil
    }
  }
}
