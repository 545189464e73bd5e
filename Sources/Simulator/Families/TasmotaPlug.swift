import Telemetry

/// A plug with Tasmota: discovery and LWT retained, STATE and SENSOR every ten seconds.
struct TasmotaPlug: Sendable {
  private var random: RandomSource
  private var interval = Interval(seconds: 10)
  private var isOnline = false
  private var total = 341.207
  private var today = 0.0
  private var uptime = 0.0

  init(seed: UInt64) { random = RandomSource(seed: seed, name: "tasmota") }

  mutating func messages(at time: Timestamp, seconds: Double, isLost: Bool) -> [SimulatedMessage] {
    uptime += seconds
    if isLost, isOnline {
      isOnline = false
      return [message("tele/pump_plug/LWT", "Offline", at: time, isRetained: true)]
    }
    var messages: [SimulatedMessage] = []
    if !isOnline {
      isOnline = true
      messages += discovery(at: time)
      messages.append(message("tele/pump_plug/LWT", "Online", at: time, isRetained: true))
      messages.append(message("stat/pump_plug/POWER", "ON", at: time))
    }
    guard interval.isDue(at: time) else { return messages }
    let power = max(0, 412 + 9 * random.noise())
    total += power / 1_000 / 360
    today += power / 1_000 / 360
    let factor = Decimal.rounded(0.91 + 0.005 * random.noise(), decimals: 2)
    let voltage = Decimal.rounded(230 + random.noise(), decimals: 0)
    let clock = localTime(time)
    messages.append(
      message(
        "tele/pump_plug/STATE",
        "{\"Time\":\"\(clock)\",\"Uptime\":\"0T00:10:00\",\"UptimeSec\":\(Int(uptime)),\"Heap\":25,"
          + "\"SleepMode\":\"Dynamic\",\"Sleep\":50,\"LoadAvg\":19,\"MqttCount\":1,\"POWER\":\"ON\","
          + "\"Wifi\":{\"AP\":1,\"SSId\":\"hall\",\"RSSI\":78,\"Signal\":-61,\"LinkCount\":1}}",
        at: time))
    messages.append(
      message(
        "tele/pump_plug/SENSOR",
        "{\"Time\":\"\(clock)\",\"ENERGY\":{\"TotalStartTime\":\"2026-01-05T08:12:44\","
          + "\"Total\":\(Decimal.text(total, decimals: 3)),\"Yesterday\":9.871,"
          + "\"Today\":\(Decimal.text(today, decimals: 3)),\"Period\":1,\"Power\":\(Int(power)),"
          + "\"ApparentPower\":\(Int(power / factor)),\"ReactivePower\":\(Int(power * 0.43)),"
          + "\"Factor\":\(Decimal.text(factor, decimals: 2)),\"Voltage\":\(Int(voltage)),"
          + "\"Current\":\(Decimal.text(power / voltage / factor, decimals: 3))},"
          + "\"ANALOG\":{\"Temperature\":\(Decimal.text(38 + 0.2 * random.noise(), decimals: 1))},"
          + "\"TempUnit\":\"C\"}", at: time))
    return messages
  }

  /// As the firmware writes it: local time without an offset; this plug's zone is UTC.
  private func localTime(_ time: Timestamp) -> String {
    String(Timestamp(microseconds: time.microseconds / 1_000_000 * 1_000_000).rfc3339.prefix(19))
  }

  private func discovery(at time: Timestamp) -> [SimulatedMessage] {
    let config =
      #"{"ip":"192.0.2.17","dn":"Cooling pump","fn":["Cooling pump",null],"hn":"pump-plug","mac":"A1B2C3D4E5F6","md":"Nous A1T","ty":0,"if":0,"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"14.2.0","t":"pump_plug","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0,0,0],"swc":[-1,-1],"btn":[0,0],"lk":1,"ver":1}"#
    let sensors =
      #"{"sn":{"Time":"2026-11-21T08:00:00","ENERGY":{"TotalStartTime":"2026-01-05T08:12:44","Total":341.2,"Yesterday":9.871,"Today":0.1,"Power":412,"ApparentPower":450,"ReactivePower":177,"Factor":0.91,"Voltage":230,"Current":1.9},"ANALOG":{"Temperature":38.0},"TempUnit":"C"},"ver":1}"#
    return [
      message("tasmota/discovery/A1B2C3D4E5F6/config", config, at: time, isRetained: true),
      message("tasmota/discovery/A1B2C3D4E5F6/sensors", sensors, at: time, isRetained: true),
    ]
  }

  private func message(
    _ topic: String, _ payload: String, at time: Timestamp, isRetained: Bool = false
  ) -> SimulatedMessage {
    SimulatedMessage(
      time: time, topic: topic, payload: Array(payload.utf8), qos: 0, isRetained: isRetained)
  }
}
