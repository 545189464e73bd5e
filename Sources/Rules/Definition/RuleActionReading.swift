import Devices
import Telemetry

/// Reads what a rule does.
///
/// ```yaml
/// actions:
///   - alarm
///   - event: {name: PressHot}
///   - mqtt: {topic: "plant/alarms/{device}", payload: '{"v": {value}}', qos: 1, retain: false, at:
/// both}
///   - webhook: {url: "https://hooks.example/1", secret: hooks, format: slack}
///   - email: {to: [shift@example.org], subject: "{device}: {text}"}
///   - log: {level: warning}
/// ```
/// Every one may have `at`: raised (default), cleared or both.
enum RuleActionReading {
  static let names = ["alarm", "event", "mqtt", "webhook", "email", "log"]

  static func read(_ map: YAMLMap, into rule: inout Rule) {
    guard let list = map.value("actions"), !list.isNull else { return }
    rule.hasAlarm = false
    let values = list.read(.list(of: YAMLType<YAMLValue> { $0 })) ?? []
    for value in values { read(value, into: &rule) }
  }

  private static func read(_ value: YAMLValue, into rule: inout Rule) {
    if !value.isMap {
      guard let name = value.read(.choice(of: names) { $0 }) else { return }
      if name == "alarm" {
        rule.hasAlarm = true
      } else if name == "log" {
        rule.actions.append(RuleAction(kind: .log(.warning)))
      } else {
        value.report("`\(name)` needs settings: `\(name): {…}`")
      }
      return
    }
    guard let map = value.read(.map) else { return }
    for name in names {
      guard let inner = map.value(name) else { continue }
      if name == "alarm" {
        rule.hasAlarm = true
      } else if let settings = inner.read(.map), let action = action(name, settings) {
        rule.actions.append(action)
      }
    }
    map.refuseUnknownKeys()
  }

  private static func action(_ name: String, _ map: YAMLMap) -> RuleAction? {
    let moment = map.optional("at", .choice) ?? RuleAction.Moment.raised
    defer { map.refuseUnknownKeys() }
    let kind: RuleAction.Kind?
    switch name {
    case "event": kind = map.required("name", .name()).map { .event(name: $0) }
    case "mqtt": kind = mqtt(map)
    case "webhook": kind = webhook(map)
    case "email": kind = email(map)
    default: kind = .log(map.optional("level", .choice) ?? .warning)
    }
    return kind.map { RuleAction(kind: $0, moment: moment) }
  }

  private static func mqtt(_ map: YAMLMap) -> RuleAction.Kind? {
    let topic = map.required("topic", .template)
    let payload = map.optional("payload", .template)
    let qos = map.optional("qos", .int(in: 0...2)) ?? 1
    let isRetained = map.optional("retain", .bool) ?? false
    guard let topic else { return nil }
    if topic.source.contains(where: { $0 == "+" || $0 == "#" }) {
      map.value("topic")?.report("a topic to publish on has no wildcard")
    }
    return .mqtt(topic: topic, payload: payload, qos: UInt8(qos), isRetained: isRetained)
  }

  private static func webhook(_ map: YAMLMap) -> RuleAction.Kind? {
    let url = map.required("url", .string)
    let secret = map.optional("secret", .name()) ?? ""
    let format = map.optional("format", .choice) ?? WebhookFormat.json
    guard let url else { return nil }
    guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
      map.value("url")?.report("a webhook's url starts with https:// or http://")
      return nil
    }
    return .webhook(url: url, secret: secret, format: format)
  }

  private static func email(_ map: YAMLMap) -> RuleAction.Kind? {
    let to = map.required("to", .list(of: .name(bytesMax: 254))) ?? []
    let subject = map.required("subject", .template)
    if let value = map.value("to"), let wrong = to.first(where: { !$0.contains("@") }) {
      value.report("`\(wrong)` is no e-mail address")
    }
    guard let subject, !to.isEmpty else { return nil }
    return .email(to: to, subject: subject)
  }
}
