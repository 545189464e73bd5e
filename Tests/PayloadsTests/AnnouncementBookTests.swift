import Telemetry
import Testing

@testable import Payloads

@Suite("The book of announcements")
struct AnnouncementBookTests {
  var book = AnnouncementBook()

  /// A sensor of Home Assistant's discovery.
  func sensor(
    _ state: String, unit: String = "°C", path: String = "t", device: String = "d"
  ) -> String {
    """
    {"stat_t": "\(state)", "unit_of_meas": "\(unit)", "val_tpl": "{{ value_json.\(path) }}", \
    "dev": {"ids": "\(device)"}}
    """
  }

  func zigbee(_ name: String, _ properties: [(String, String)]) -> String {
    let exposes = properties.map {
      """
      {"type": "numeric", "property": "\($0.0)", "access": 1, "unit": "\($0.1)"}
      """
    }
    return """
      [{"ieee_address": "0x1", "type": "Router", "friendly_name": "\(name)", \
      "definition": {"model": "M", "exposes": [\(exposes.joined(separator: ","))]}}]
      """
  }

  func code(_ topic: String, _ payload: String) -> String {
    var book = book
    do {
      let reception = try book.receive(topic, payload)
      return reception?.refusals.first?.code ?? (reception == nil ? "none" : "taken")
    } catch {
      return (error as? PayloadError)?.code ?? "\(error)"
    }
  }

  @Test("An equal announcement changes nothing, an empty one forgets it")
  mutating func repetition() throws {
    let topic = "homeassistant/sensor/a/config"
    let first = try #require(try book.receive(topic, sensor("a/state")))
    #expect(first.isChanged && first.memory?.name == "announced/\(topic)")
    #expect(try book.receive(topic, sensor("a/state")) == AnnouncementBook.Reception())
    let spaced = try #require(try book.receive(topic, sensor("a/state") + "\n"))
    #expect(!spaced.isChanged && spaced.memory == nil)
    let gone = try #require(try book.receive(topic, ""))
    #expect(gone.isChanged && gone.memory?.content == [])
    #expect(book.announcementCount == 0 && book.deviceCount == 0 && book.metricCount == 0)
    #expect(book.index.places.isEmpty && book.index.topics.isEmpty)
    #expect(try book.receive(topic, "") == AnnouncementBook.Reception())
  }

  @Test("A re-announcement replaces what its topic said before")
  mutating func replacement() throws {
    let topic = "zigbee2mqtt/bridge/devices"
    try book.receive(topic, zigbee("a", [("temperature", "°C"), ("humidity", "%")]))
    let next = try #require(
      try book.receive(topic, zigbee("a", [("temperature", "°F"), ("battery", "%")])))
    #expect(next.isChanged && next.refusals.isEmpty)
    #expect(book.metric("temperature", of: "a")?.unit == "°F")
    #expect(book.metric("humidity", of: "a") == nil)
    #expect(book.metric("battery", of: "a")?.unit == "%")
    try book.receive(topic, zigbee("b", []))
    #expect(book.device("a") == nil && book.announced("zigbee2mqtt/a").isEmpty)
  }

  @Test("A unit that no longer converts is kept, told, and kept over a restart; the rest is taken")
  mutating func keptUnit() throws {
    let topic = "zigbee2mqtt/bridge/devices"
    try book.receive(topic, zigbee("a", [("level", "bar")]))
    let next = try #require(
      try book.receive(topic, zigbee("a", [("level", "%"), ("battery", "%")])))
    #expect(next.refusals.map(\.code) == ["incompatible_unit"])
    #expect(next.refusals[0].detail.contains("`bar`"))
    #expect(book.metric("level", of: "a")?.unit == "bar")
    #expect(book.metric("battery", of: "a") != nil)
    var restored = AnnouncementBook()
    let memory = try #require(next.memory)
    restored.restore([(memory.name, memory.content)])
    #expect(restored.metric("level", of: "a")?.unit == "bar")
    #expect(restored.metric("battery", of: "a") != nil)
  }

  @Test(
    "Two topics that contradict each other about a metric: the later is refused, both are named")
  mutating func contradictionOfMetric() throws {
    try book.receive("homeassistant/sensor/n/level/config", sensor("a/state"))
    do {
      try book.receive(
        "homeassistant/sensor/m/level/config", sensor("b/state", unit: "bar"))
      Issue.record("taken")
    } catch let error as PayloadError {
      #expect(error.code == "contradiction")
      #expect(error.detail.contains("`homeassistant/sensor/n/level/config`"))
      #expect(error.detail.contains("`homeassistant/sensor/m/level/config`"))
      #expect(error.detail.contains("route"))
    }
    #expect(book.metric("level", of: "d")?.unit == "°C" && book.announced("b/state").isEmpty)
    // What converts is the same meaning.
    try book.receive("homeassistant/sensor/m/level/config", sensor("b/state", unit: "K"))
  }

  @Test("Two topics that contradict each other about a place in a message: that part is left out")
  mutating func contradictionOfPlace() throws {
    try book.receive("homeassistant/sensor/x/config", sensor("zigbee2mqtt/a", path: "level"))
    let list = zigbee("a", [("level", "bar"), ("battery", "%")])
    let reception = try #require(try book.receive("zigbee2mqtt/bridge/devices", list))
    #expect(reception.refusals.map(\.code) == ["contradiction"])
    #expect(reception.refusals[0].detail.contains("at `level` of `zigbee2mqtt/a`"))
    #expect(book.device("a")?.metrics.map(\.name) == ["battery"])
    guard case .values(let mapping)? = book.announced("zigbee2mqtt/a").first?.content else {
      Issue.record("no values")
      return
    }
    #expect(mapping.ignore.contains("level"))
  }

  @Test("A topic is read whole or by members, not both")
  mutating func wholeAndMember() throws {
    try book.receive("homeassistant/sensor/x/config", sensor("s"))
    let whole = #"{"stat_t": "s", "dev": {"ids": "e"}}"#
    #expect(code("homeassistant/sensor/y/config", whole) == "contradiction")
  }

  @Test("One device that contradicts itself is refused in the second part")
  func selfContradiction() {
    let payload = """
      {"dev": {"ids": "d"}, "o": {}, "stat_t": "s", "cmps": {
       "a": {"p": "sensor", "unit_of_meas": "°C", "val_tpl": "{{ value_json.x }}"},
       "b": {"p": "sensor", "unit_of_meas": "bar", "val_tpl": "{{ value_json.x }}"}}}
      """
    #expect(code("homeassistant/device/d/config", payload) == "contradiction")
  }

  @Test("Where a device speaks for itself, Home Assistant's words for its topic are passed over")
  mutating func nativeFirst() throws {
    let discovery = sensor("zigbee2mqtt/a", path: "temperature", device: "zigbee2mqtt_0x1")
    try book.receive("homeassistant/sensor/0x1/temperature/config", discovery)
    #expect(book.announced("zigbee2mqtt/a").map(\.device) == ["zigbee2mqtt_0x1"])
    try book.receive("zigbee2mqtt/bridge/devices", zigbee("a", [("temperature", "°C")]))
    #expect(book.announced("zigbee2mqtt/a").map(\.device) == ["a"])
  }

  @Test("Several devices may share a topic")
  mutating func sharedTopic() throws {
    try book.receive("homeassistant/sensor/x/config", sensor("s", path: "x", device: "b"))
    try book.receive("homeassistant/sensor/y/config", sensor("s", path: "y", device: "a"))
    try book.receive("homeassistant/sensor/z/config", sensor("s", path: "z", device: "a"))
    #expect(book.announced("s").map(\.device) == ["a", "b"])
    guard case .values(let mapping)? = book.announced("s").first?.content else {
      Issue.record("no values")
      return
    }
    #expect(mapping.metrics.map(\.path) == ["y", "z"])
  }

  @Test("What was remembered comes back the same, other memories are passed over")
  mutating func restoring() throws {
    var memory: [String: [UInt8]] = [
      "sparkplug/0": [1, 2], "announced/odd": [1], "announced/": [],
    ]
    for golden in AnnouncementCase.all {
      for (topic, payload) in try golden.messages() {
        // Some are there to be refused.
        guard let reception = try? book.receive(topic, payload) else { continue }
        if let piece = reception.memory { memory[piece.name] = piece.content }
      }
    }
    var restored = AnnouncementBook()
    restored.restore(memory.map { ($0.key, $0.value) })
    #expect(restored.announcementCount == book.announcementCount)
    for id in book.index.devices.keys { #expect(restored.device(id) == book.device(id)) }
    for topic in book.index.topics.keys {
      #expect(restored.announced(topic) == book.announced(topic))
    }
    // Heard again, they are known.
    for golden in AnnouncementCase.all {
      for (topic, payload) in try golden.messages() where restored.announcements[topic] != nil {
        guard !payload.isEmpty else { continue }
        #expect(try restored.receive(topic, payload)?.isChanged == false)
      }
    }
  }

  @Test("The two halves of a Tasmota device find each other in any order, and part again")
  mutating func tasmotaHalves() throws {
    let (config, sensors) = ("tasmota/discovery/A/config", "tasmota/discovery/A/sensors")
    func device(_ topic: String) -> String {
      #"{"t": "\#(topic)", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"]}"#
    }
    try book.receive(sensors, #"{"sn": {"BH1750": {"Illuminance": 3}}}"#)
    #expect(book.deviceCount == 0 && book.looseCount == 1)
    try book.receive(config, device("a"))
    #expect(book.metric("BH1750.Illuminance", of: "a")?.unit == "lx")
    try book.receive(config, device("b"))
    #expect(book.metric("BH1750.Illuminance", of: "a") == nil)
    #expect(book.metric("BH1750.Illuminance", of: "b") != nil)
    try book.receive(config, "")
    #expect(book.metric("BH1750.Illuminance", of: "b") == nil && book.firstFault == nil)
    try book.receive(sensors, "")
    #expect(book.looseCount == 0 && book.announcementCount == 0)
  }

  @Test("Which of two is refused stays so over a restart")
  mutating func orderOfRestoring() throws {
    let parts = [("homeassistant/sensor/z/config", "°C"), ("homeassistant/device/a/config", "bar")]
    let first = try #require(try book.receive(parts[0].0, sensor("s", path: "x")))
    let device = """
      {"dev": {"ids": "e"}, "o": {}, "stat_t": "s", "cmps": {
       "x": {"p": "sensor", "unit_of_meas": "bar", "val_tpl": "{{ value_json.x }}"},
       "y": {"p": "sensor", "unit_of_meas": "bar", "val_tpl": "{{ value_json.y }}"}}}
      """
    let second = try #require(try book.receive(parts[1].0, device))
    #expect(second.refusals.map(\.code) == ["contradiction"])
    var restored = AnnouncementBook()
    let pieces = [second, first].compactMap(\.memory)
    restored.restore(pieces.map { ($0.name, $0.content) })
    #expect(restored.device("d") == book.device("d") && restored.device("e") == book.device("e"))
  }

  @Test("An announcement over a mebibyte is understood but not remembered, and that is told")
  mutating func large() throws {
    let list = zigbee("a", [("temperature", "°C")])
    let padded = list + String(repeating: " ", count: 1 << 20)
    let topic = "zigbee2mqtt/bridge/devices"
    try book.receive(topic, zigbee("b", []))
    let reception = try #require(try book.receive(topic, padded))
    #expect(reception.isChanged && reception.memory?.content == [])
    #expect(reception.refusals.map(\.code) == ["not_remembered"])
    #expect(book.metric("temperature", of: "a") != nil)
    #expect(code(topic, list + String(repeating: " ", count: 8 << 20)) == "too_large")
  }

  @Test("Bad payloads end in errors and leave what was known before")
  mutating func badPayloads() throws {
    let topic = "zigbee2mqtt/bridge/devices"
    let list = zigbee("a", [("temperature", "°C")])
    try book.receive(topic, list)
    #expect(code(topic, String(list.dropLast(4))) == "not_json")
    let deep =
      String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
    #expect(code(topic, deep) == "too_deep")
    #expect(code(topic, "{}") == "bad_announcement")
    #expect(code(topic, list + "x") == "trailing_bytes")
    #expect(code("tasmota/discovery/A/config", "{}") == "bad_announcement")
    #expect(code("tasmota/discovery/A/sensors", #"{"sn": 1}"#) == "bad_announcement")
    #expect(code("homeassistant/device/a/config", #"{"dev": {}}"#) == "bad_announcement")
    #expect(throws: PayloadError.self) {
      try book.receive(topic, Array(#"[{"friendly_name": ""#.utf8) + [0xFF, 0x22, 0x7D, 0x5D])
    }
    #expect(book.metric("temperature", of: "a") != nil)
  }

  @Test("Values beyond their bound are refused before they fill memory")
  func manyValues() {
    let payload = "[" + String(repeating: "0,", count: 600_000) + "0]"
    #expect(code("zigbee2mqtt/bridge/devices", payload) == "too_many_fields")
  }

  @Test("Devices and components beyond their bounds are refused, what was known before stays")
  mutating func bounds() throws {
    let topic = "zigbee2mqtt/bridge/devices"
    try book.receive(topic, zigbee("a", [("temperature", "°C")]))
    let devices = (0...AnnouncementBook.devicesMax).map {
      #"{"friendly_name":"\#($0)","ieee_address":"0"}"#
    }
    #expect(code(topic, "[\(devices.joined(separator: ","))]") == "too_many_announcements")
    let components = (0...2_000).map { "\"c\($0)\": {\"p\": \"text\"}" }
    let device = #"{"dev": {"ids": "d"}, "cmps": {\#(components.joined(separator: ","))}}"#
    #expect(code("homeassistant/device/d/config", device) == "too_many_fields")
    #expect(book.metric("temperature", of: "a") != nil && book.byteCount > 0)
    try book.receive(topic, "")
    #expect(book.byteCount == 0)
  }

  @Test("Names and topics that cannot be are left out and told")
  func badNames() {
    let long = String(repeating: "n", count: 200)
    #expect(code("homeassistant/sensor/a/config", sensor("s", device: long)) == "bad_name")
    #expect(code("homeassistant/sensor/a/config", sensor("s/#")) == "bad_name")
  }

  @Test(
    "Another base is recognised by the shape of its list; other messages there announce nothing")
  mutating func otherBase() throws {
    #expect(code("plant/bridge/devices", #"{"count": 3}"#) == "none")
    #expect(code("plant/bridge/devices", "no JSON") == "none")
    #expect(book.habitual("plant/a") == nil)
    try book.receive("plant/bridge/devices", zigbee("a", []))
    #expect(book.habitual("plant/other/set")?.content == .ignored)
    #expect(code("plant/bridge/devices", "no JSON") == "not_json")
    #expect(book.announced("plant/bridge/state").first?.behind == ["a"])
  }

  @Test("Families that are off announce nothing and have no habits")
  mutating func off() throws {
    try book.receive("zigbee2mqtt/bridge/devices", zigbee("a", [("temperature", "°C")]))
    book.settings.families = []
    #expect(!book.announces("zigbee2mqtt/bridge/devices"))
    #expect(code("zigbee2mqtt/bridge/devices", "[]") == "none")
    #expect(book.announced("zigbee2mqtt/a").isEmpty && book.habitual("zigbee2mqtt/b") == nil)
    #expect(book.habitual("tele/x/SENSOR") == nil && book.habitual("homeassistant/status") == nil)
    #expect(book.metric("temperature", of: "a") == nil && book.device("a") == nil)
  }

  @Test("Availability is read bare and as JSON, in the words that were announced")
  func availability() throws {
    func isOnline(_ words: AnnouncedAvailability, _ text: String) throws -> Bool {
      try Array(text.utf8).withUnsafeBytes { bytes in try words.isOnline(bytes) }
    }
    let words = AnnouncedAvailability(path: "state")
    #expect(try isOnline(words, "online"))
    #expect(try !isOnline(words, "offline\n"))
    #expect(try !isOnline(words, #"{"state": "offline"}"#))
    #expect(throws: PayloadError.self) { try isOnline(words, "Online") }
    #expect(throws: PayloadError.self) { try isOnline(words, #"{"state": 1}"#) }
    #expect(throws: PayloadError.self) { try isOnline(words, "{") }
    #expect(try isOnline(AnnouncedAvailability(online: "da", offline: "weg"), "da"))
  }

  @Test(
    "Habits of the families by topic",
    arguments: [
      ("zigbee2mqtt/hall/lamp", "hall.lamp"), ("zigbee2mqtt/lamp/availability", "lamp"),
      ("zigbee2mqtt/bridge/state", "zigbee2mqtt"), ("zigbee2mqtt/bridge/info", "ignored"),
      ("zigbee2mqtt/lamp/set", "ignored"), ("zigbee2mqtt/lamp/set/state", "ignored"),
      ("zigbee2mqtt/lamp/get", "ignored"), ("tele/saw/SENSOR", "saw"),
      ("tele/hall/saw/STATE", "hall.saw"), ("tele/saw/LWT", "saw"), ("tele/saw/INFO2", "ignored"),
      ("stat/saw/POWER", "saw"), ("stat/saw/POWER12", "saw"), ("stat/saw/STATUS8", "ignored"),
      ("stat/saw/RESULT", "ignored"), ("cmnd/saw/POWER", "ignored"),
      ("homeassistant/status", "ignored"), ("tele/saw/OTHER", "none"), ("stat/saw", "none"),
      ("plant/tele/SENSOR", "none"),
    ])
  func habits(_ topic: String, _ expected: String) {
    let meaning = book.habitual(topic)
    let told = meaning.map { $0.content == .ignored ? "ignored" : $0.device } ?? "none"
    #expect(told == expected)
  }
}

@Suite("Value templates")
struct ValueTemplateTests {
  @Test(
    "The supported subset",
    arguments: [
      ("{{ value }}", ""), ("{{value}}", ""), ("{{ value | float }}", ""),
      ("{{ value_json.a.b }}", "a.b"), ("{{value_json['a']}}", "a"),
      (#"{{ value_json["a"][0] }}"#, "a.0"), ("{{ value_json['a.b'].c }}", #"a\.b.c"#),
      ("{{ value_json.a | float(0) | round(1) | default('x') | is_defined }}", "a"),
      ("{{ value_json.list[12].x|int }}", "list.12.x"),
    ])
  func supported(_ text: String, _ path: String) {
    #expect(ValueTemplate(text)?.path == path)
  }

  @Test(
    "Everything else is refused",
    arguments: [
      "", "value", "{{}}", "{{ value_json }}", "{{ value_json. }}", "{{ value_json[] }}",
      "{{ value_json['a' }}", "{{ value_json.a + 1 }}", "{{ value_json.a | multiply(2) }}",
      "{% if value %}1{% endif %}", "{{ states('x') }}", "{{ value_json.a }} {{ value_json.b }}",
      "{{ value_jsonx }}", "{{ value_json.1a }}", "{{ value_json.a | round(f(1)) }}",
      "{{ value_json.a if value_json.b else 0 }}",
    ])
  func unsupported(_ text: String) {
    #expect(ValueTemplate(text) == nil)
  }
}

@Suite("Members with rules")
struct LeafTests {
  func fields(_ text: String, _ mapping: JSONMapping) throws -> [String] {
    var readings = Readings()
    return try Array(text.utf8).withUnsafeBytes { payload in
      try PayloadDecoder(format: .json, mapping: mapping).decode(payload, into: &readings)
      #expect(readings.refusals.isEmpty)
      let time = readings.points.first?.time.map { "@\($0.microseconds / 1_000_000) " } ?? ""
      return readings.fields.map { field in
        let name = readings.text(field.name, payload: payload)
        let unit = field.unit.map { readings.text($0, payload: payload) } ?? "-"
        return "\(time)\(name) \(unit)"
      }
    }
  }

  @Test("Tasmota's units come from the members that tell them, else from the table")
  func units() throws {
    #expect(
      try fields(
        #"{"Time":"2026-01-01T00:00:00","BME":{"Temperature":70,"Temperature2":71,"Pressure":1},"A":{"Id":"x"},"TempUnit":"F","PressureUnit":"mmHg"}"#,
        TasmotaMembers.mapping)
        == ["BME.Temperature °F", "BME.Temperature2 °F", "BME.Pressure mmHg"])
    #expect(
      try fields(
        #"{"ENERGY":{"Power":[1,2],"PM2.5":3,"Other":4},"BME":{"Temperature":1}}"#,
        TasmotaMembers.mapping)
        == [
          "ENERGY.Power.0 W", "ENERGY.Power.1 W", "ENERGY.PM2.5 µg/m³", "ENERGY.Other -",
          "BME.Temperature °C",
        ])
  }

  @Test("Local time without an offset is no time, with one it is")
  func time() throws {
    #expect(
      try fields(#"{"Time":"1970-01-01T01:00:00+01:00","a":1}"#, TasmotaMembers.mapping)
        == ["@0 a -"])
    #expect(
      try fields(#"{"last_seen":1700000000000,"a":1}"#, Zigbee2MQTT.mapping) == ["@1700000000 a -"])
  }
}
