import Devices
import Telemetry

/// Alarms of characteristics are rules like any other: written here as a file of rules, so that they have the same
/// states, priorities and consoles.
extension QualityConfiguration {
  /// Name of the event that a chart which is out of control tells, for rules about one characteristic.
  public static func outOfControlEvent(_ characteristic: String) -> String {
    "OutOfControl/\(characteristic)"
  }

  /// And of the first point in control after it.
  public static func inControlEvent(_ characteristic: String) -> String {
    "InControl/\(characteristic)"
  }

  /// Id of the rule: `quality.bore`.
  public static func alarmRule(_ characteristic: String) -> String { "quality.\(characteristic)" }

  /// A file of rules: one for each characteristic that has an alarm; `nil` when none has.
  ///
  /// An alarm belongs to a device: a characteristic that names neither device nor profile tells events alone.
  public var alarmRules: ConfigurationFile? {
    let entries = characteristics.compactMap { characteristic -> String? in
      guard let priority = characteristic.alarmPriority,
        let scope = characteristic.device.map({ "device: \"\($0)\"" })
          ?? characteristic.profile.map({ "profile: \"\($0)\"" })
      else { return nil }
      let id = characteristic.id
      return """
          - id: "\(Self.alarmRule(id))"
            description: "Chart of \(id) is out of control"
            scope: {\(scope)}
            when: event("\(Self.outOfControlEvent(id))")
            clear: event("\(Self.inControlEvent(id))")
            priority: \(priority)
            text:
              en: "{event.sentence}"
              pt-BR: "Carta de {event.characteristic} fora de controle ({event.rule})"
        """
    }
    guard !entries.isEmpty else { return nil }
    return ConfigurationFile(
      name: "(quality)", content: "rules:\n" + entries.joined(separator: "\n") + "\n")
  }
}
