import Telemetry

/// A board that announces its sensors as Home Assistant's MQTT discovery asks, one bare value a topic.
struct AnnouncedBoard: Sendable {
  private static let device =
    #""device":{"identifiers":["tank-board"],"name":"Tank board","model":"ESP32","manufacturer":"ours"}"#
  private var random: RandomSource
  private var interval = Interval(seconds: 15)
  private var isAnnounced = false
  private var level = 71.0
  private var litres = 18_204.0

  init(seed: UInt64) { random = RandomSource(seed: seed, name: "board") }

  mutating func messages(at time: Timestamp) -> [SimulatedMessage] {
    var messages: [SimulatedMessage] = []
    if !isAnnounced {
      isAnnounced = true
      messages += announcement(at: time)
    }
    guard interval.isDue(at: time) else { return messages }
    let flow = max(0, 6 + 2 * random.noise())
    litres += flow / 4
    level = min(100, max(0, level + 0.3 * random.noise()))
    messages.append(message("tank/level/state", Decimal.text(level, decimals: 1), at: time))
    messages.append(
      message(
        "tank/flow/state",
        "{\"rate\":\(Decimal.text(flow, decimals: 2)),\"total\":\(Decimal.text(litres, decimals: 1))}",
        at: time))
    messages.append(message("tank/pump/state", random.happens(0.5) ? "ON" : "OFF", at: time))
    return messages
  }

  private func announcement(at time: Timestamp) -> [SimulatedMessage] {
    let availability = "\"availability_topic\":\"tank/status\","
    func entity(_ component: String, _ object: String, _ body: String) -> SimulatedMessage {
      message(
        "homeassistant/\(component)/tank/\(object)/config",
        "{\"unique_id\":\"tank-\(object)\",\(body),\(availability)\(Self.device)}", at: time,
        isRetained: true)
    }
    return [
      entity(
        "sensor", "level",
        #""name":"level","state_topic":"tank/level/state","unit_of_measurement":"%","state_class":"measurement""#
      ),
      entity(
        "sensor", "flow",
        #""name":"flow","stat_t":"tank/flow/state","unit_of_meas":"L/min","val_tpl":"{{ value_json.rate }}","stat_cla":"measurement""#
      ),
      entity(
        "sensor", "volume",
        #""name":"volume","stat_t":"tank/flow/state","unit_of_meas":"L","val_tpl":"{{ value_json.total | float }}","dev_cla":"water","stat_cla":"total_increasing""#
      ),
      entity(
        "binary_sensor", "pump",
        #""name":"pump","state_topic":"tank/pump/state","device_class":"running""#),
      message("tank/status", "online", at: time, isRetained: true),
    ]
  }

  private func message(
    _ topic: String, _ payload: String, at time: Timestamp, isRetained: Bool = false
  ) -> SimulatedMessage {
    SimulatedMessage(
      time: time, topic: topic, payload: Array(payload.utf8), qos: 0, isRetained: isRetained)
  }
}
