import Devices
import Payloads
import Telemetry
import Testing

@Suite struct ResolverRoutingTests {
  @Test("Without a route the topic names the device, and of a scalar also the metric")
  func defaults() throws {
    var f = try Fixture()
    f.send("plant/l1/p1", #"{"a": 1}"#)
    #expect(f.values == ["plant.l1.p1/a=1.0"])
    f.send("plant/room/temperature", "21.5")
    #expect(f.values == ["plant.room/temperature=21.5"])
    f.send("plant/l1", #"{"device_id": "x9", "timestamp": 1795248000, "metrics": {"a": 1}}"#)
    #expect(f.values == ["x9/a=1.0"])
    f.send("/plant//p1/", #"{"a": 1}"#)
    #expect(f.values == ["plant.p1/a=1.0"])
  }

  @Test("A route names device, metric, asset and profile from captures")
  func route() throws {
    var f = try Fixture(
      """
      profiles: [{id: env, metrics: {t: {unit: °C}}}]
      routes:
        - {topic: "r/{room}/{m}", format: scalar, device: "room-{room}", metric: "{m}", profile: env, asset: "site/{room}"}
        - {topic: "x/{rest#}", device: "{rest}"}
      """)
    f.send("r/lab/t", "21.5")
    #expect(f.values == ["room-lab/t=21.5"])
    #expect(
      f.batch.items.first
        == .device(
          DeviceDefinition(
            index: 0, id: "room-lab", profile: "env", asset: "site/lab", isAdopted: true)))
    #expect(try f.series("room-lab/t").unit == "Cel")
    f.send("x/a/b", #"{"v": 1}"#)
    #expect(f.values == ["a.b/v=1.0"])
    f.send("x/a/b", #"{"device_id": "other", "metrics": {"v": 2}}"#)
    #expect(f.values == ["a.b/v=2.0"])
  }

  @Test("A device's own topic is a route to it, whatever the payload says")
  func ownTopic() throws {
    var f = try Fixture(
      "devices: [{id: d1, topic: a/+, asset: s/d1}]\nroutes: [{topic: a/b, device: r}]")
    f.send("a/c", #"{"device_id": "x", "metrics": {"v": 1}}"#)
    #expect(f.values == ["d1/v=1.0"])
    #expect(f.resolver.registry.devices[0].asset == "s/d1")
    #expect(!f.resolver.registry.devices[0].isAdopted)
    f.send("a/b", #"{"v": 1}"#)
    #expect(f.values == ["r/v=1.0"])
  }

  @Test("A mapping names device, metrics and their units")
  func mapping() throws {
    var f = try Fixture(
      """
      profiles: [{id: tank, metrics: {pressure: {unit: bar, range: [0, 2]}}}]
      routes:
        - topic: v/+
          profile: tank
          device: fallback
          map: {device: meta.id, metrics: {p: {name: pressure, unit: mbar}}}
      """)
    f.send("v/1", #"{"meta": {"id": "t7"}, "p": 1013}"#)
    #expect(f.values == ["t7/pressure=1.013"])
    #expect(f.batch.samples[0].quality == .good)
    #expect(try f.series("t7/pressure").description.hasPrefix("from `p`"))
    f.send("v/1", #"{"p": 950}"#)
    #expect(f.values == ["fallback/pressure=0.95"])
  }

  @Test("An ignored topic is dropped and said so")
  func ignored() throws {
    var f = try Fixture("routes: [{topic: debug/#, ignore: true}]")
    let outcome = f.send("debug/x", "not even JSON {")
    #expect(outcome.isIgnored && f.batch.isEmpty)
  }

  @Test("The format is the caller's, the route's, the content type's, or told by the bytes")
  func formats() throws {
    var f = try Fixture("routes: [{topic: s/+, format: scalar, device: d}]")
    #expect(f.send("s/m", "12").samples == 1)
    #expect(f.values == ["d/m=12.0"])
    f.send("a/m", "12", type: "text/plain; charset=utf-8")
    #expect(f.values == ["a/m=12.0"])
    f.send("s/t", #"{"x": 1}"#)
    #expect(f.values == [#"d/t={"x": 1}"#])
    f.send("s/t", #"{"x": 1}"#, format: .json)
    #expect(f.values == ["d/x=1.0"])
    #expect(f.send("a/m", "hello", type: "application/json").isQuarantined)
    let item = #"{"device_id": "y", "metrics": {"x": 1}}"#
    f.send("a/m", item, type: "application/json")
    #expect(f.values == ["y/x=1.0"])
    f.send("l", "m,device=z v=1,s=\"on\" 1795247999000000000")
    #expect(f.batch.samples.count == 2 && f.resolver.registry.devices.last?.id == "z")
    f.send("plant/l", "m v=1")
    #expect(f.resolver.registry.devices.last?.id == "plant.l")
  }

  @Test("A message for which no device can be told is set aside")
  func noDevice() throws {
    var f = try Fixture()
    let outcome = f.send("", #"{"a": 1}"#)
    #expect(outcome.refusals.first?.code == "no_device" && outcome.isQuarantined)
    #expect(f.quarantined.map(\.cause) == [.malformed])
    f.send("temperature", "21")
    #expect(f.quarantined.first?.reason.contains("names no device") == true)
    #expect(f.batch.samples.isEmpty && f.resolver.registry.devices.isEmpty)
  }

  @Test("Unknown devices are held where the policy says so, known ones in the same message are not")
  func quarantine() throws {
    var f = try Fixture("settings: {unknown_devices: quarantine}\ndevices: [{id: d1}]")
    let outcome = f.send(
      "x", #"[{"device_id":"d1","metrics":{"a":1}},{"device_id":"d2","metrics":{"a":2}}]"#,
      points: true)
    #expect(f.values == ["d1/a=1.0"])
    #expect(f.quarantined.map(\.device) == ["d2"])
    #expect(f.quarantined.map(\.cause) == [.unknownDevice])
    #expect(outcome.points.map(\.samples) == [0..<1, 1..<1])
    #expect(outcome.points.map { $0.refusal?.code } == [nil, "unknown_device"])
    f.send("y", #"{"a": 1}"#)
    #expect(f.quarantined.map(\.device) == ["y"] && f.resolver.registry.devices.count == 1)
    #expect(f.send("y", #"{"a": 1}"#, unknown: .adopt).samples == 1)
  }

  @Test("A route's policy for unknown devices comes before the settings")
  func routePolicy() throws {
    var f = try Fixture("routes: [{topic: q/+, unknown_devices: quarantine}]")
    #expect(f.send("q/x", #"{"a": 1}"#).isQuarantined)
    #expect(!f.send("p/x", #"{"a": 1}"#).isQuarantined)
  }

  @Test("An adopted device takes the profile its type names")
  func deviceType() throws {
    var f = try Fixture("profiles: [{id: pump, metrics: {flow: {unit: L/min}}}]")
    f.send("x", #"{"device_id":"p1","device_type":"pump","metrics":{"flow":3}}"#)
    #expect(f.resolver.registry.devices[0].profile == "pump")
    f.send("x", #"{"device_id":"p2","device_type":"spaceship","metrics":{"flow":3}}"#)
    #expect(f.resolver.registry.devices[1].profile == "")
  }

  @Test("An operator adopts a held device")
  func adopt() throws {
    var f = try Fixture(
      "settings: {unknown_devices: quarantine}\nprofiles: [{id: p}]\ndevices: [{id: d, profile: p}]"
    )
    #expect(f.send("x", #"{"a": 1}"#).isQuarantined)
    let items = try f.resolver.adopt(device: "x", profile: "p")
    #expect(items == [.device(DeviceDefinition(index: 0, id: "x", profile: "p", isAdopted: true))])
    #expect(f.send("x", #"{"a": 1}"#).samples == 1)
    let again = try f.resolver.adopt(device: "x", profile: "p")
    #expect(again.isEmpty)
    var codes: [String] = []
    for (device, profile) in [("x", "q"), ("a/b", ""), ("d", ""), ("", "")] {
      do throws(Refused) { _ = try f.resolver.adopt(device: device, profile: profile) } catch {
        codes.append(error.code)
      }
    }
    #expect(codes == ["unknown_profile", "bad_device_id", "declared_device", "no_device"])
  }

  @Test("A malformed payload is set aside, cut at the bound")
  func malformed() throws {
    var f = try Fixture("settings: {quarantine_payload_max: 8 B}\ndevices: [{id: a, topic: t}]")
    let outcome = f.send("t", #"{"a": 1, oh no"#, type: "application/json")
    #expect(outcome.isQuarantined && outcome.samples == 0 && outcome.refusedFields == 1)
    let row = try #require(f.quarantined.first)
    #expect(row.cause == .malformed && row.topic == "t" && row.contentType == "application/json")
    #expect(row.payload == Array(#"{"a": 1,"#.utf8) && row.payloadSize == 14)
    #expect(row.received == Fixture.now)
  }

  @Test("What the decoder refuses sets the message aside and leaves the rest")
  func decoderRefusals() throws {
    var f = try Fixture("devices: [{id: a, topic: t}]")
    let outcome = f.send("t", #"{"ts": "yesterday", "v": 1}"#)
    #expect(outcome.samples == 1 && outcome.refusals.map(\.code) == ["bad_timestamp"])
    #expect(f.quarantined.map(\.cause) == [.partlyRefused])
    #expect(f.quarantined.map(\.device) == ["a"])
    #expect(f.batch.samples[0].isReceiveStamped)
  }
}
