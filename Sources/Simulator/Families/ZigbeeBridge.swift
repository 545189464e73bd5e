import Telemetry

/// Zigbee2MQTT with three devices: what it says of them once, retained, and what they send.
struct ZigbeeBridge: Sendable {
  private static let base = "zigbee2mqtt"
  private var random: RandomSource
  private var climate = Interval(seconds: 60)
  private var metering = Interval(seconds: 10)
  private var isAnnounced = false
  private var isOpen = false
  private var energy = 12.4
  private var temperature = 21.0

  init(seed: UInt64) { random = RandomSource(seed: seed, name: "zigbee") }

  mutating func messages(at time: Timestamp) -> [SimulatedMessage] {
    var messages: [SimulatedMessage] = []
    if !isAnnounced {
      isAnnounced = true
      messages += announcement(at: time)
    }
    if climate.isDue(at: time) {
      temperature += 0.1 * random.noise()
      let humidity = 48 + 0.5 * random.noise()
      messages.append(
        message(
          "office/climate",
          "{\"battery\":97,\"humidity\":\(Decimal.text(humidity, decimals: 2)),"
            + "\"linkquality\":\(140 + Int(random.share() * 30)),"
            + "\"pressure\":\(Decimal.text(1_013 + random.noise(), decimals: 1)),"
            + "\"temperature\":\(Decimal.text(temperature, decimals: 2)),\"voltage\":3005}",
          at: time))
    }
    if random.happens(0.02) {
      isOpen.toggle()
      messages.append(
        message(
          "gate", "{\"battery\":100,\"contact\":\(!isOpen),\"linkquality\":96,\"tamper\":false}",
          at: time))
    }
    if metering.isDue(at: time) {
      let power = max(0, 180 + 30 * random.noise())
      energy += power / 1_000 / 360
      messages.append(
        message(
          "compressor plug",
          "{\"current\":\(Decimal.text(power / 230, decimals: 2)),"
            + "\"energy\":\(Decimal.text(energy, decimals: 3)),\"linkquality\":201,"
            + "\"power\":\(Decimal.text(power, decimals: 1)),\"state\":\"ON\","
            + "\"voltage\":\(Decimal.text(230 + random.noise(), decimals: 1))}", at: time))
    }
    return messages
  }

  private func message(
    _ topic: String, _ payload: String, at time: Timestamp, isRetained: Bool = false
  ) -> SimulatedMessage {
    SimulatedMessage(
      time: time, topic: "\(Self.base)/\(topic)", payload: Array(payload.utf8), qos: 0,
      isRetained: isRetained)
  }

  private func announcement(at time: Timestamp) -> [SimulatedMessage] {
    let devices =
      #"[{"ieee_address":"0x00124b0024c10000","type":"Coordinator","network_address":0,"supported":true,"disabled":false,"friendly_name":"Coordinator","definition":null},"#
      + device(
        "0x00158d0001dc1261", "office/climate", "WSDCGQ11LM", "Aqara",
        "Temperature and humidity sensor",
        [
          numeric("battery", "%", 0, 100), numeric("temperature", "°C"), numeric("humidity", "%"),
          numeric("pressure", "hPa"), numeric("voltage", "mV"),
          numeric("linkquality", "lqi", 0, 255),
        ]) + ","
      + device(
        "0x00158d0004727d44", "gate", "MCCGQ11LM", "Aqara", "Door and window sensor",
        [
          numeric("battery", "%", 0, 100),
          #"{"type":"binary","name":"contact","property":"contact","access":1,"value_on":false,"value_off":true}"#,
          #"{"type":"binary","name":"tamper","property":"tamper","access":1,"value_on":true,"value_off":false}"#,
          numeric("linkquality", "lqi", 0, 255),
        ]) + ","
      + device(
        "0xa4c1389a21b0c3d4", "compressor plug", "TS011F_plug_1", "TuYa",
        "Smart plug (with power monitoring)",
        [
          #"{"type":"switch","features":[{"type":"binary","name":"state","property":"state","access":7,"value_on":"ON","value_off":"OFF","value_toggle":"TOGGLE"}]}"#,
          numeric("power", "W"), numeric("current", "A"), numeric("voltage", "V"),
          numeric("energy", "kWh"), numeric("linkquality", "lqi", 0, 255),
        ]) + "]"
    return [
      message("bridge/state", #"{"state":"online"}"#, at: time, isRetained: true),
      message("bridge/devices", devices, at: time, isRetained: true),
      message("office/climate/availability", #"{"state":"online"}"#, at: time, isRetained: true),
      message("gate/availability", #"{"state":"online"}"#, at: time, isRetained: true),
      message("compressor plug/availability", #"{"state":"online"}"#, at: time, isRetained: true),
    ]
  }

  private func device(
    _ address: String, _ name: String, _ model: String, _ vendor: String, _ description: String,
    _ exposes: [String]
  ) -> String {
    "{\"ieee_address\":\"\(address)\",\"type\":\"EndDevice\",\"supported\":true,\"disabled\":false,"
      + "\"friendly_name\":\"\(name)\",\"definition\":{\"model\":\"\(model)\",\"vendor\":\"\(vendor)\","
      + "\"description\":\"\(description)\",\"exposes\":[\(exposes.joined(separator: ","))]}}"
  }

  private func numeric(_ name: String, _ unit: String, _ low: Int? = nil, _ high: Int? = nil)
    -> String
  {
    let range =
      low.flatMap { low in high.map { ",\"value_min\":\(low),\"value_max\":\($0)" } } ?? ""
    return "{\"type\":\"numeric\",\"name\":\"\(name)\",\"property\":\"\(name)\",\"access\":1,"
      + "\"unit\":\"\(unit)\"\(range)}"
  }
}
