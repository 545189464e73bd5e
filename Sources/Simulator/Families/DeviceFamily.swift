import Telemetry

/// How devices of the simulation speak besides the plant's own JSON.
public enum DeviceFamily: String, Sendable, CaseIterable {
  /// A press behind an edge node: births, data by alias, deaths.
  case sparkplug
  /// Three climate stations that send packs of SenML, one of them in CBOR.
  case senml
  /// A bridge with a climate sensor, a door contact and a plug.
  case zigbee2mqtt
  /// A plug that meters energy.
  case tasmota
  /// A board that announces its sensors to Home Assistant.
  case homeAssistant = "home_assistant"
}

/// What goes wrong on request, so that one can see that nothing of it is taken for good.
public enum SimulatedFault: String, Sendable, CaseIterable {
  /// Some messages are sent twice.
  case double
  /// Devices lose their connection now and then.
  case reconnect
  /// The clocks of the devices are two hours off for a minute, now and then.
  case clock
  /// Some payloads are cut off.
  case malformed
}

/// The devices of all families that are switched on.
struct Families: Sendable {
  private var press: SparkplugPress?
  private var stations: [SenMLStation] = []
  private var bridge: ZigbeeBridge?
  private var plug: TasmotaPlug?
  private var board: AnnouncedBoard?
  private let reconnects: Bool
  private var random: RandomSource

  init(_ families: Set<DeviceFamily>, seed: UInt64, reconnects: Bool) {
    self.reconnects = reconnects
    random = RandomSource(seed: seed, name: "families")
    if families.contains(.sparkplug) { press = SparkplugPress(seed: seed) }
    if families.contains(.senml) { stations = (1...3).map { SenMLStation(number: $0, seed: seed) } }
    if families.contains(.zigbee2mqtt) { bridge = ZigbeeBridge(seed: seed) }
    if families.contains(.tasmota) { plug = TasmotaPlug(seed: seed) }
    if families.contains(.homeAssistant) { board = AnnouncedBoard(seed: seed) }
  }

  /// A host asked the edge node for its birth.
  mutating func rebirth() { press?.rebirth() }

  mutating func messages(at time: Timestamp, seconds: Double, ambient: Double) -> [SimulatedMessage]
  {
    // Once in five minutes on average.
    let isLost = reconnects && random.happens(min(1, seconds / 300))
    var messages =
      press?.messages(at: time, seconds: seconds, ambient: ambient, isLost: isLost) ?? []
    for index in stations.indices {
      messages += stations[index].messages(at: time, ambient: ambient)
    }
    messages += bridge?.messages(at: time) ?? []
    messages += plug?.messages(at: time, seconds: seconds, isLost: isLost) ?? []
    messages += board?.messages(at: time) ?? []
    return messages
  }
}

/// Says once in a while that it is time.
struct Interval: Sendable {
  private let microseconds: Int64
  private var next: Timestamp?

  init(seconds: Double) { microseconds = Int64(seconds * 1e6) }

  /// True at the first call and then once per interval.
  mutating func isDue(at time: Timestamp) -> Bool {
    if let next, time < next { return false }
    next = time.advanced(byMicroseconds: microseconds)
    return true
  }
}
