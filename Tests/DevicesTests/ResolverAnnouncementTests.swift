import Devices
import Payloads
import Telemetry
import Testing

@Suite("Announcements in the resolver")
struct ResolverAnnouncementTests {
  static let list = "zigbee2mqtt/bridge/devices"
  static let devices = """
    [{"ieee_address": "0x1", "type": "Router", "friendly_name": "hall/meter",
      "definition": {"model": "MTR-1", "vendor": "Acme", "description": "Meter", "exposes": [
        {"type": "numeric", "property": "temperature", "access": 1, "unit": "°C", "value_min": -20, "value_max": 60},
        {"type": "numeric", "property": "energy", "access": 1, "unit": "kWh"},
        {"type": "binary", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"},
        {"type": "enum", "property": "mode", "access": 7, "values": ["eco", "boost"]},
        {"type": "enum", "property": "action", "access": 1, "values": ["single"]}]}}]
    """
  static let values =
    #"{"temperature": 61.5, "energy": 12, "state": "ON", "mode": "eco", "action": "single", "update": {"state": "idle"}, "linkquality": 90, "last_seen": 1795247990000}"#

  func stale(_ fixture: Fixture) -> [String] {
    fixture.batch.items.compactMap { item in
      guard case .wentStale(let stale) = item else { return nil }
      return fixture.resolver.registry.devices[Int(stale.device)].id
    }
  }

  func memory(_ fixture: Fixture) -> [(name: String, content: [UInt8])] {
    fixture.batch.items.compactMap { item in
      if case .remembered(let name, let content) = item { (name, content) } else { nil }
    }
  }

  // MARK: - Zigbee2MQTT

  @Test("Series of an announced device have its names, units, kinds, types and ranges")
  func zigbee() throws {
    var fixture = try Fixture()
    #expect(fixture.send(Self.list, Self.devices) == Outcome())
    #expect(memory(fixture).map(\.name) == ["announced/\(Self.list)"])
    let outcome = fixture.send("zigbee2mqtt/hall/meter", Self.values)
    #expect(outcome.outOfRange == 1 && outcome.refusals.isEmpty)
    #expect(
      fixture.values == [
        "hall.meter/temperature=61.5", "hall.meter/energy=12.0", "hall.meter/state=true",
        "hall.meter/mode=eco", "hall.meter/action=single", "hall.meter/linkquality=90.0",
      ])
    #expect(
      fixture.batch.samples.map(\.time.microseconds).allSatisfy { $0 == 1_795_247_990_000_000 })
    let temperature = try fixture.series("hall.meter/temperature")
    #expect(temperature.unit == "Cel" && temperature.kind == .gauge)
    #expect(try fixture.series("hall.meter/energy").kind == .counter)
    #expect(try fixture.series("hall.meter/state").type == .boolean)
    #expect(try fixture.series("hall.meter/action").kind == .event)
    fixture.send("zigbee2mqtt/hall/meter", #"{"mode": "odd"}"#)
    #expect(fixture.batch.samples.map(\.quality) == [[.uncertain, .outOfRange]])
  }

  @Test("A device that is offline goes stale, with the bridge all of them do")
  func availability() throws {
    var fixture = try Fixture()
    fixture.send(Self.list, Self.devices)
    fixture.send("zigbee2mqtt/hall/meter", Self.values)
    fixture.send("zigbee2mqtt/hall/meter/availability", #"{"state":"online"}"#)
    #expect(fixture.values == ["hall.meter/availability=online"] && stale(fixture).isEmpty)
    #expect(try fixture.series("hall.meter/availability").kind == .state)
    let outcome = fixture.send("zigbee2mqtt/hall/meter/availability", "offline", retained: true)
    #expect(fixture.values == ["hall.meter/availability=offline"] && outcome.wentStale == 1)
    #expect(fixture.batch.samples.map(\.isCurrentOnly) == [true])
    #expect(stale(fixture) == ["hall.meter"])
    fixture.send("zigbee2mqtt/bridge/state", #"{"state":"offline"}"#)
    #expect(fixture.values == ["zigbee2mqtt/availability=offline"])
    #expect(stale(fixture) == ["zigbee2mqtt", "hall.meter"])
    #expect(fixture.send("zigbee2mqtt/hall/meter/availability", "").isIgnored)
    let bad = fixture.send("zigbee2mqtt/hall/meter/availability", "perhaps")
    #expect(bad.refusals.map(\.code) == ["bad_availability"] && bad.isQuarantined)
  }

  @Test("What was not announced is read by the habits of its family")
  func habits() throws {
    var fixture = try Fixture()
    fixture.send("zigbee2mqtt/hall/lamp", #"{"brightness": 3, "update_available": false}"#)
    #expect(fixture.values == ["hall.lamp/brightness=3.0"])
    fixture.send("zigbee2mqtt/hall/lamp/power", "7")
    #expect(fixture.values == ["hall.lamp/power=7.0"])
    for topic in ["zigbee2mqtt/hall/lamp/set", "zigbee2mqtt/bridge/info", "homeassistant/status"] {
      #expect(fixture.send(topic, "{}").isIgnored)
    }
    #expect(fixture.send("zigbee2mqtt/hall/lamp", #"{"update": {"state": "idle"}}"#).isIgnored)
    #expect(fixture.resolver.registry.devices.count == 1)
  }

  // MARK: - Tasmota

  @Test("Tasmota's telemetry has units, kinds and types without an announcement")
  func tasmota() throws {
    var fixture = try Fixture()
    fixture.send(
      "tele/saw/SENSOR",
      #"{"Time":"2026-11-21T10:00:00","ENERGY":{"TotalStartTime":"2022-01-01T00:00:00","Total":3.1,"Power":12},"BME280":{"Id":"x","Temperature":50},"TempUnit":"F"}"#
    )
    #expect(
      fixture.values == [
        "saw/ENERGY.Total=3.1", "saw/ENERGY.Power=12.0", "saw/BME280.Temperature=50.0",
      ])
    #expect(fixture.batch.samples.allSatisfy { $0.isReceiveStamped })
    #expect(try fixture.series("saw/ENERGY.Total").kind == .counter)
    #expect(try fixture.series("saw/ENERGY.Total").unit == "kW.h")
    #expect(try fixture.series("saw/BME280.Temperature").unit == "[degF]")
    // The unit of each message counts: 10 °C are 50 °F.
    fixture.send("tele/saw/SENSOR", #"{"BME280":{"Temperature":10},"TempUnit":"C"}"#)
    #expect(fixture.values == ["saw/BME280.Temperature=50.0"])
    fixture.send(
      "tele/saw/STATE",
      #"{"Uptime":"0T01:00:00","UptimeSec":3600,"Heap":27,"POWER":"ON","Wifi":{"SSId":"a","RSSI":70,"Signal":-65}}"#
    )
    #expect(
      fixture.values == [
        "saw/UptimeSec=3600.0", "saw/Heap=27.0", "saw/POWER=true", "saw/Wifi.RSSI=70.0",
        "saw/Wifi.Signal=-65.0",
      ])
    #expect(try fixture.series("saw/Wifi.RSSI").unit == "%")
    fixture.send("stat/saw/POWER", "OFF")
    #expect(fixture.values == ["saw/POWER=false"])
    fixture.send("tele/saw/LWT", "Offline")
    #expect(fixture.values == ["saw/availability=offline"] && stale(fixture) == ["saw"])
    #expect(fixture.send("cmnd/saw/POWER", "ON").isIgnored)
  }

  @Test("Tasmota's own topics and words count once they were announced")
  func tasmotaDiscovery() throws {
    var fixture = try Fixture()
    fixture.send(
      "tasmota/discovery/A1/config",
      #"{"dn":"Pump","md":"Sonoff Pow","t":"pump","ft":"plant/%topic%/%prefix%/","tp":["cmnd","stat","tele"],"onln":"da","ofln":"weg","state":["AUS","EIN"],"rl":[1],"mac":"A1","hn":"pump"}"#
    )
    fixture.send("plant/pump/tele/SENSOR", #"{"DS18B20":{"Temperature":20},"TempUnit":"C"}"#)
    #expect(fixture.values == ["pump/DS18B20.Temperature=20.0"])
    fixture.send("plant/pump/stat/POWER", "EIN")
    #expect(fixture.values == ["pump/POWER=EIN"])
    fixture.send("plant/pump/tele/LWT", "weg")
    #expect(fixture.values == ["pump/availability=offline"])
  }

  // MARK: - Home Assistant's discovery

  func discovery(_ device: String, _ path: String, unit: String = "°C") -> String {
    """
    {"stat_t": "shed/state", "unit_of_meas": "\(unit)", "val_tpl": "{{ value_json.\(path) }}",
     "avty_t": "shed/status", "dev": {"ids": ["\(device)"], "mdl": "S-1"}}
    """
  }

  @Test("Entities of several devices on one topic, with availability of both")
  func homeAssistant() throws {
    var fixture = try Fixture()
    fixture.send("homeassistant/sensor/air/config", discovery("a", "air.t"))
    fixture.send("homeassistant/sensor/soil/config", discovery("b", "soil"))
    fixture.send("homeassistant/sensor/air2/config", discovery("a", "air2"))
    fixture.send("shed/state", #"{"air": {"t": 1}, "air2": 2, "soil": 3, "other": 4}"#)
    #expect(fixture.values == ["a/air=1.0", "a/air2=2.0", "b/soil=3.0"])
    #expect(try fixture.series("b/soil").unit == "Cel")
    #expect(fixture.send("shed/state", #"{"other": 4}"#).isIgnored)
    #expect(fixture.quarantined.isEmpty)
    fixture.send("shed/state", #"{"soil": 5}"#)
    #expect(fixture.values == ["b/soil=5.0"])
    fixture.send("shed/status", "offline")
    #expect(fixture.values == ["a/availability=offline", "b/availability=offline"])
    #expect(stale(fixture) == ["a", "b"])
  }

  @Test("A bad announcement is set aside with a reason, a retained one once")
  func badAnnouncement() throws {
    var fixture = try Fixture()
    let topic = "homeassistant/sensor/odd/config"
    let payload = #"{"stat_t": "s", "val_tpl": "{{ value_json.a * 2 }}"}"#
    let outcome = fixture.send(topic, payload, retained: true)
    #expect(outcome.refusals.map(\.code) == ["unsupported_template"])
    #expect(fixture.quarantined.first?.cause == .malformed)
    #expect(fixture.quarantined.first?.reason.contains("value_json.a * 2") == true)
    #expect(fixture.quarantined.first?.reason.contains("route") == true)
    #expect(fixture.send(topic, payload, retained: true).isIgnored)
    #expect(fixture.quarantined.isEmpty)
    #expect(fixture.send(topic, payload).isQuarantined)
    fixture.send("homeassistant/sensor/t/config", discovery("a", "t"))
    let contradiction = fixture.send(
      "homeassistant/sensor/u/config", discovery("a", "t", unit: "bar"))
    #expect(contradiction.refusals.map(\.code) == ["contradiction"])
  }

  // MARK: - Configuration

  @Test("Values in an announced unit are converted to the profile's; the model names the profile")
  func profile() throws {
    var fixture = try Fixture(
      """
      profiles:
        - id: MTR-1
          metrics:
            temperature: {unit: K, range: [0, 300]}
            state: {type: text, kind: state}
            energy: {kind: counter}
      """)
    fixture.send(Self.list, Self.devices)
    let outcome = fixture.send(
      "zigbee2mqtt/hall/meter", #"{"temperature": 30, "state": "ON", "energy": 2}"#)
    #expect(fixture.resolver.registry.devices[0].profile == "MTR-1")
    #expect(try fixture.series("hall.meter/temperature").unit == "K")
    #expect(outcome.outOfRange == 1)
    #expect(
      fixture.values == [
        "hall.meter/temperature=303.15", "hall.meter/state=ON", "hall.meter/energy=2.0",
      ])
    // Where the profile leaves the unit open, it is as announced.
    #expect(try fixture.series("hall.meter/energy").unit == "kW.h")
  }

  @Test("A profile's unit of another dimension than the announced one refuses the values")
  func incompatible() throws {
    var fixture = try Fixture("profiles: [{id: MTR-1, metrics: {temperature: {unit: bar}}}]")
    fixture.send(Self.list, Self.devices)
    let outcome = fixture.send("zigbee2mqtt/hall/meter", #"{"temperature": 30}"#)
    #expect(outcome.refusals.map(\.code) == ["incompatible_unit"])
  }

  @Test("A route or a declared device comes before an announcement")
  func routeFirst() throws {
    var fixture = try Fixture(
      """
      devices:
        - {id: own, topic: "tele/pump/#"}
      routes:
        - {topic: "zigbee2mqtt/{room}/{device}", device: "{device}", format: json}
        - {topic: "homeassistant/#", ignore: true}
      """)
    fixture.send(Self.list, Self.devices)
    fixture.send("zigbee2mqtt/hall/meter", #"{"temperature": 30, "update": {"x": 1}}"#)
    #expect(fixture.values == ["meter/temperature=30.0", "meter/update.x=1.0"])
    fixture.send("tele/pump/SENSOR", #"{"A": 1}"#)
    #expect(fixture.values == ["own/A=1.0"])
    #expect(fixture.send("homeassistant/sensor/t/config", discovery("a", "t")).isIgnored)
    #expect(fixture.resolver.announcements.announcementCount == 1)
  }

  @Test("Families are turned off in the settings")
  func off() throws {
    var fixture = try Fixture(
      "settings: {announcements: {zigbee2mqtt: false, tasmota: false, home_assistant: true}}")
    fixture.send("zigbee2mqtt/a", #"{"x": 1}"#)
    #expect(fixture.values == ["zigbee2mqtt.a/x=1.0"])
    fixture.send("tele/saw/STATE", #"{"Heap": 1}"#)
    #expect(fixture.values == ["tele.saw.STATE/Heap=1.0"])
    #expect(fixture.send("homeassistant/status", "online").isIgnored)
    let (_, problems) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "a.yaml", content: "settings: {announcements: {homie: true}}")
    ])
    #expect(problems.first?.message.contains("homie") == true)
  }

  @Test("Unknown devices are held although they announced themselves")
  func held() throws {
    var fixture = try Fixture("settings: {unknown_devices: quarantine}")
    fixture.send(Self.list, Self.devices)
    fixture.send("zigbee2mqtt/hall/meter", #"{"temperature": 30}"#)
    #expect(fixture.quarantined.map(\.device) == ["hall.meter"])
    fixture.send("zigbee2mqtt/hall/meter/availability", "offline")
    #expect(fixture.quarantined.map(\.device) == ["hall.meter"] && stale(fixture).isEmpty)
  }

  // MARK: - Restart and rollback

  @Test("After a restart an announcement counts without being heard again")
  func restart() throws {
    var fixture = try Fixture()
    fixture.send(Self.list, Self.devices)
    let memory = memory(fixture)
    var next = try Fixture(registry: fixture.resolver.registry)
    next.resolver.restore(memory: memory)
    next.send("zigbee2mqtt/hall/meter", #"{"temperature": 30}"#)
    #expect(next.values == ["hall.meter/temperature=30.0"])
    #expect(try next.series("hall.meter/temperature").unit == "Cel")
    #expect(next.send(Self.list, Self.devices) == Outcome() && next.batch.items.isEmpty)
    next.send(Self.list, "")
    #expect(self.memory(next).map(\.content) == [[]])
    next.send("zigbee2mqtt/hall/meter", #"{"humidity": 30}"#)
    #expect(next.values == ["hall.meter/humidity=30.0"])
  }

  @Test("A batch that could not be committed leaves the announcements as they were before")
  func rollBack() throws {
    var fixture = try Fixture()
    fixture.send("homeassistant/sensor/t/config", discovery("a", "t"))
    let mark = fixture.resolver.markCommitted()
    fixture.send("homeassistant/sensor/t/config", discovery("b", "t"))
    fixture.send(Self.list, Self.devices)
    fixture.resolver.rollBack(to: mark)
    #expect(fixture.resolver.announcements.announcementCount == 1)
    fixture.send("shed/state", #"{"t": 1}"#)
    #expect(fixture.values == ["a/t=1.0"])
  }

  @Test("What is no list of devices on another base is read as any topic")
  func otherBase() throws {
    var fixture = try Fixture()
    fixture.send("plant/bridge/devices", #"{"count": 3}"#)
    #expect(fixture.values == ["plant.bridge.devices/count=3.0"])
  }
}
