import Telemetry

/// The message that makes our entities known to Home Assistant: one retained JSON object for the device with all
/// of its components, on `<prefix>/device/<object>/config` (Home Assistant, "MQTT discovery", device
/// discovery).
struct HomeAssistantDiscovery: Sendable, Hashable {
  let gatewayID: String
  /// Ends with a slash.
  let root: String
  let prefix: String
  let entities: [PublishedEntity]

  var topic: String { "\(prefix)/device/\(object)/config" }

  /// Where Home Assistant says `online` when it has started.
  var birthTopic: String { "\(prefix)/status" }

  /// The gateway's id with the letters that Home Assistant allows in a topic, `a-z A-Z 0-9 _ -`; each other
  /// byte is written as `_` and two hexadecimal digits. "hall 2" → "hall_202".
  var object: String {
    gatewayID.utf8.map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F:
        return String(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16)
        return "_" + (digits.count == 1 ? "0" : "") + digits
      }
    }.joined()
  }

  var payload: String {
    let id = "millwright_\(object)"
    return object([
      (
        "dev",
        object([
          ("ids", "[\(JSONText.quoted(id))]"),
          ("name", JSONText.quoted("Millwright \(gatewayID)")),
          ("mf", JSONText.quoted("Millwright")), ("mdl", JSONText.quoted("Edge gateway")),
        ])
      ),
      ("o", object([("name", JSONText.quoted("Millwright"))])),
      ("cmps", object(entities.map { ($0.key, component($0, id: id)) })),
    ])
  }

  private func component(_ entity: PublishedEntity, id: String) -> String {
    var texts: [(String, String)] = []
    switch entity.kind {
    case .sensor(let unit, let stateClass):
      texts.append(("p", "sensor"))
      if !unit.isEmpty { texts.append(("unit_of_meas", unit)) }
      texts.append(("stat_cla", stateClass.rawValue))
    case .binarySensor(let on, let off):
      texts += [("p", "binary_sensor"), ("pl_on", on), ("pl_off", off)]
    }
    if !entity.deviceClass.isEmpty { texts.append(("dev_cla", entity.deviceClass)) }
    if entity.isDiagnostic { texts.append(("ent_cat", "diagnostic")) }
    texts += [
      ("name", entity.name), ("uniq_id", "\(id)_\(entity.key)"),
      ("stat_t", root + entity.topic), ("val_tpl", "{{ value_json.\(entity.member) }}"),
    ]
    if entity.needsGateway {
      texts += [
        ("avty_t", root + PublishedEntity.statusTopic), ("avty_tpl", "{{ value_json.status }}"),
      ]
    }
    return object(texts.map { ($0, JSONText.quoted($1)) })
  }

  private func object(_ members: [(String, String)]) -> String {
    "{" + members.map { JSONText.quoted($0) + ":" + $1 }.joined(separator: ",") + "}"
  }
}
