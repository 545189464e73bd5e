/// The options of one entity in Home Assistant's discovery, by their long names.
///
/// Abbreviations and the base topic `~` are those of the page "MQTT discovery" of its documentation; only
/// options that are read here are listed.
struct HomeAssistantFields {
  private var members: [String: JSONTree] = [:]
  private let base: String

  private static let abbreviations: [String: String] = [
    "act_t": "action_topic", "act_tpl": "action_template", "avty": "availability",
    "avty_mode": "availability_mode", "avty_t": "availability_topic",
    "avty_tpl": "availability_template", "cmps": "components",
    "curr_hum_t": "current_humidity_topic", "curr_hum_tpl": "current_humidity_template",
    "curr_temp_t": "current_temperature_topic", "curr_temp_tpl": "current_temperature_template",
    "dev": "device", "dev_cla": "device_class", "exp_aft": "expire_after",
    "json_attr_t": "json_attributes_topic", "mode_stat_t": "mode_state_topic",
    "mode_stat_tpl": "mode_state_template", "o": "origin", "obj_id": "object_id", "ops": "options",
    "opts": "options", "p": "platform", "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available", "pl_off": "payload_off", "pl_on": "payload_on",
    "stat_cla": "state_class", "stat_off": "state_off", "stat_on": "state_on",
    "stat_t": "state_topic", "stat_val_tpl": "state_value_template", "t": "topic",
    "temp_stat_t": "temperature_state_topic", "temp_stat_tpl": "temperature_state_template",
    "temp_unit": "temperature_unit", "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement", "val_tpl": "value_template",
    // Of the device.
    "cns": "connections", "ids": "identifiers", "mdl": "model", "mf": "manufacturer",
    "sw": "sw_version",
  ]

  /// - Parameter base: of the announcement around this one, where it has none of its own.
  init(_ tree: JSONTree, base: String = "") {
    self.base = tree["~"]?.string ?? base
    for member in tree.members where member.value != .null {
      let name = HomeAssistantFields.abbreviations[member.name] ?? member.name
      if members[name] == nil { members[name] = member.value }
    }
  }

  subscript(_ name: String) -> JSONTree? { members[name] }

  func string(_ name: String) -> String? { members[name]?.word }

  /// A topic with the base filled in where `~` begins or ends it.
  func topic(_ name: String) -> String? {
    guard let text = members[name]?.string, !text.isEmpty else { return nil }
    if text.hasPrefix("~") { return base + text.dropFirst() }
    if text.hasSuffix("~") { return text.dropLast() + base }
    return text
  }

  /// Options of another that this one does not have, as far as all components of a device share them.
  mutating func inherit(_ shared: HomeAssistantFields) {
    let common = [
      "state_topic", "availability", "availability_topic", "availability_template",
      "availability_mode", "payload_available", "payload_not_available",
    ]
    for name in common where members[name] == nil {
      // A topic is filled in with the base it was written under.
      members[name] = shared.topic(name).map(JSONTree.text) ?? shared[name]
    }
  }

  var baseTopic: String { base }
}
