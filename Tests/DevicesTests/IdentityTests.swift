import Telemetry
import TestSupport
import Testing

@testable import Devices

/// A device keeps its number, and with it its history, whatever it is called and wherever it stands.
@Suite struct IdentityTests {
  private func device(_ f: Fixture, _ id: String) throws -> DeviceDefinition {
    let index = try #require(f.resolver.registry.deviceIndex(id))
    return f.resolver.registry.devices[Int(index)]
  }

  @Test("A declared device takes over number, series and messages of its former id")
  func declaredRename() throws {
    var f = try Fixture("routes: [{topic: 'p/{d}', device: '{d}'}]")
    f.send("p/a", #"{"v": 1, "s": "on"}"#)
    let next = try Fixture.configuration(
      "devices: [{id: b, was: [a]}]\nroutes: [{topic: 'p/{d}', device: '{d}'}]")
    let (items, warnings) = f.resolver.reconfigure(next)
    #expect(items == [.device(DeviceDefinition(index: 0, id: "b", was: ["a"]))])
    #expect(warnings.isEmpty)
    for topic in ["p/a", "p/b"] {
      f.send(topic, #"{"v": 2}"#)
      #expect(f.values == ["b/v=2.0"] && f.batch.items.isEmpty)
    }
    f.send("x", #"{"device_id": "a", "metrics": {"v": 3}}"#)
    #expect(f.values == ["b/v=3.0"])
    #expect(f.resolver.reconfigure(next).items.isEmpty)
    let without = try Fixture.configuration("devices: [{id: b}]")
    let released = f.resolver.reconfigure(without)
    #expect(released.items.count == 1)
    #expect(released.warnings.count == 1 && released.warnings[0].contains("was: [a]"))
    f.send("x", #"{"device_id": "a", "metrics": {"v": 4}}"#)
    #expect(f.values == ["a/v=4.0"])
    #expect(f.batch.samples[0].series == 2)
  }

  @Test("Where old and new both have a history nothing is merged, and a warning says so")
  func bothExist() throws {
    var f = try Fixture()
    f.send("a", #"{"v": 1}"#)
    f.send("b", #"{"v": 1}"#)
    let next = try Fixture.configuration("devices: [{id: b, was: [a]}]")
    let (items, warnings) = f.resolver.reconfigure(next)
    #expect(items == [.device(DeviceDefinition(index: 1, id: "b"))])
    #expect(warnings.count == 1 && warnings[0].contains("nothing was merged"))
    f.send("a", #"{"v": 2}"#)
    #expect(f.values == ["a/v=2.0"])
  }

  @Test(
    "Two declared former ids that are both known: the first is taken, of the other it is warned")
  func twoFormer() throws {
    var f = try Fixture()
    f.send("a", #"{"v": 1}"#)
    f.send("b", #"{"v": 1}"#)
    let next = try Fixture.configuration("devices: [{id: c, was: [a, b]}]")
    let (items, warnings) = f.resolver.reconfigure(next)
    #expect(items == [.device(DeviceDefinition(index: 0, id: "c", was: ["a"]))])
    #expect(warnings.count == 1)
  }

  @Test("A former id in use, or used twice, is a problem of the file")
  func badDeclarations() {
    for (yaml, text) in [
      ("devices: [{id: a}, {id: b, was: [a]}]", "must not be in use"),
      ("devices: [{id: a, was: [a]}]", "must not be in use"),
      ("devices: [{id: a, was: [x]}, {id: b, was: [x]}]", "appears twice"),
      ("devices: [{id: a, was: x}]", "must be a list"),
      ("devices: [{id: a, was: [x/y]}]", "slash"),
    ] {
      let (configuration, diagnostics) = DeviceConfiguration.load(files: [
        ConfigurationFile(name: "t.yaml", content: yaml)
      ])
      #expect(configuration == nil, "\(yaml)")
      #expect(diagnostics.contains { $0.message.contains(text) }, "\(diagnostics)")
    }
  }

  @Test("An operator renames, moves and renames back; messages follow each time")
  func change() throws {
    var f = try Fixture("profiles: [{id: p}]")
    f.send("a", #"{"v": 1}"#)
    let seen = try device(f, "a")
    let items = try f.resolver.change(
      device: "a", DeviceChange(id: "b", asset: "s/l", profile: "p"), seen: seen)
    let expected = DeviceDefinition(
      index: 0, id: "b", profile: "p", asset: "s/l", isAdopted: true, isPlaced: true, was: ["a"])
    #expect(items == [.device(expected)])
    f.send("a", #"{"v": 2}"#)
    #expect(f.values == ["b/v=2.0"])
    #expect(throws: Refused.self) {
      try f.resolver.change(device: "b", DeviceChange(id: "c"), seen: seen)
    }
    _ = try f.resolver.change(device: "b", DeviceChange(id: "a"))
    #expect(try device(f, "a").was == ["b"])
    f.send("b", #"{"v": 3}"#)
    #expect(f.values == ["a/v=3.0"])
    _ = try f.resolver.change(device: "a", DeviceChange(was: []))
    f.send("b", #"{"v": 4}"#)
    #expect(f.values == ["b/v=4.0"] && f.resolver.registry.devices.count == 2)
    #expect(try f.resolver.change(device: "a", DeviceChange(id: "a")).isEmpty)
  }

  @Test("What cannot be changed is refused with a code, and changes nothing")
  func refusals() throws {
    var f = try Fixture("devices: [{id: d}]")
    _ = f.resolver.reconfigure(f.resolver.configuration)
    for id in ["a", "b"] { f.send(id, #"{"v": 1}"#) }
    _ = try f.resolver.change(device: "b", DeviceChange(id: "c"))
    let before = f.resolver.registry.devices
    for (id, change, code) in [
      ("x", DeviceChange(id: "y"), "unknown_device"),
      ("b", DeviceChange(id: "y"), "unknown_device"),
      ("d", DeviceChange(asset: "s"), "declared_device"),
      ("a", DeviceChange(id: "c"), "device_exists"), ("a", DeviceChange(id: "b"), "device_exists"),
      ("a", DeviceChange(id: "d"), "device_exists"),
      ("a", DeviceChange(id: "x/y"), "bad_device_id"),
      ("a", DeviceChange(id: ""), "no_device"), ("a", DeviceChange(asset: "s//l"), "bad_asset"),
      ("a", DeviceChange(id: "n", profile: "q"), "unknown_profile"),
      ("c", DeviceChange(was: ["z"]), "unknown_former_id"),
    ] {
      let refused = #expect(throws: Refused.self) { try f.resolver.change(device: id, change) }
      #expect(refused?.code == code)
    }
    #expect(f.resolver.registry.devices == before)
  }

  @Test("A declaration takes an id back from the device that was called so, and says it")
  func takenBack() throws {
    var f = try Fixture()
    f.send("a", #"{"v": 1}"#)
    _ = try f.resolver.change(device: "a", DeviceChange(id: "b"))
    let (items, warnings) = f.resolver.reconfigure(try Fixture.configuration("devices: [{id: a}]"))
    #expect(items.count == 2 && warnings.count == 1)
    f.send("a", #"{"v": 2}"#)
    #expect(f.values == ["a/v=2.0"])
    #expect(try device(f, "b").was == [])
  }

  @Test("A device that nobody placed follows its route; one that was placed does not")
  func routePlaces() throws {
    func yaml(_ asset: String, _ devices: String = "") -> String {
      "devices: [\(devices)]\nroutes: [{topic: '{l}/{d}', device: '{d}', asset: '\(asset)'}]"
    }
    var f = try Fixture("routes: [{topic: '{l}/{d}', device: '{d}'}]")
    f.send("l1/a", #"{"v": 1}"#)
    #expect(try device(f, "a").asset == "")
    func reload(_ yaml: String) throws {
      _ = f.resolver.reconfigure(try Fixture.configuration(yaml))
    }
    try reload(yaml("s/{l}/{d}"))
    f.send("l1/a", #"{"v": 2}"#)
    let moved = DeviceDefinition(index: 0, id: "a", asset: "s/l1/a", isAdopted: true)
    #expect(f.batch.items == [.device(moved)])
    f.send("l2/a", #"{"v": 3}"#)
    #expect(try device(f, "a").asset == "s/l2/a", "it moved")
    for topic in ["l1/a", "l2/a", "l1/a"] {
      f.send(topic, #"{"v": 3}"#)
      #expect(f.batch.items.isEmpty, "it does not move to and fro")
    }
    try reload(yaml("t/{l}", "{id: a, asset: fixed}"))
    f.send("l1/a", #"{"v": 4}"#)
    #expect(try device(f, "a").asset == "fixed")
    try reload(yaml("t/{l}"))
    _ = try f.resolver.change(device: "a", DeviceChange(asset: "hand"))
    f.send("l1/a", #"{"v": 5}"#)
    #expect(f.batch.items.isEmpty)
    _ = try f.resolver.change(device: "a", DeviceChange(asset: ""))
    f.send("l1/a", #"{"v": 6}"#)
    #expect(try device(f, "a").asset == "t/l1")
  }

  @Test("A batch that could not be committed leaves no update behind")
  func rollBack() throws {
    var f = try Fixture("routes: [{topic: '{d}/x', device: '{d}', asset: 's/{d}'}]")
    f.send("a", #"{"v": 1}"#)
    let mark = f.resolver.markCommitted()
    let before = f.resolver.registry.devices
    f.send("a/x", #"{"v": 2}"#)
    _ = try f.resolver.change(device: "a", DeviceChange(id: "b"))
    _ = try f.resolver.change(device: "b", DeviceChange(id: "c"))
    f.send("d/x", #"{"v": 2}"#)
    f.resolver.rollBack(to: mark)
    #expect(f.resolver.registry.devices == before)
    #expect(f.resolver.registry.deviceIndex("b") == nil)
    f.send("a/x", #"{"v": 2}"#)
    #expect(f.values == ["a/v=2.0"] && f.batch.items.count == 1)
  }

  @Test("What is held under a former id is adopted by the device of today")
  func adoption() throws {
    var f = try Fixture("profiles: [{id: p}]\ndevices: [{id: b, was: [a], profile: p}]")
    _ = f.resolver.reconfigure(f.resolver.configuration)
    #expect(try f.resolver.adopt(device: "a").isEmpty)
    f.send("x", #"{"device_id": "a", "metrics": {"v": 3}}"#, unknown: .quarantine)
    #expect(f.values == ["b/v=3.0"])
  }

  @Test("An announcement under the old id still tells the units of a renamed device")
  func announcement() throws {
    var f = try Fixture()
    f.send(
      "zigbee2mqtt/bridge/devices",
      #"[{"ieee_address":"0x1","type":"Router","friendly_name":"meter","definition":{"model":"M","exposes":[{"type":"numeric","property":"temperature","access":1,"unit":"°C"}]}}]"#
    )
    f.send("zigbee2mqtt/meter", #"{"other": 1}"#)
    _ = try f.resolver.change(device: "meter", DeviceChange(id: "hall"))
    f.send("zigbee2mqtt/meter", #"{"temperature": 21.5}"#)
    #expect(f.values == ["hall/temperature=21.5"])
    #expect(try f.series("hall/temperature").unit == "Cel")
  }

  @Test(
    "However devices are declared, renamed and heard, a name means one device, also after a restart",
    arguments: 1...40)
  func anyOrder(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let ids = ["a", "b", "c", "d", "e"]
    var f = try Fixture()
    var journal: [Item] = []
    for step in 0..<60 {
      let (id, other) = (ids.randomElement(using: &random)!, ids.randomElement(using: &random)!)
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        let devices = id == other ? "{id: \(id)}" : "{id: \(id), was: [\(other)]}"
        let next = try Fixture.configuration("devices: [\(devices)]")
        let (items, _) = f.resolver.reconfigure(next)
        journal += items
        #expect(f.resolver.registry.presentDeviceIndex(id) != nil)
        #expect(f.resolver.reconfigure(next).items.isEmpty, "seed \(seed), step \(step)")
      case 1, 2:
        // Most are refused: that is part of the game.
        journal += (try? f.resolver.change(device: id, DeviceChange(id: other))) ?? []
      case 3: journal += (try? f.resolver.change(device: id, DeviceChange(was: []))) ?? []
      default:
        let known = f.resolver.registry.deviceIndex(id)
        f.send(id, #"{"v": 1}"#)
        journal += f.batch.items
        let series = f.resolver.registry.series[Int(f.batch.samples[0].series)]
        #expect(known == nil || series.device == known)
      }
      let present = f.resolver.registry.devices
      #expect(Set(present.map(\.id)).count == present.count, "seed \(seed), step \(step)")
      var replayed = Registry()
      for item in journal { replayed.apply(item) }
      var restarted = Registry()
      for device in present { restarted.apply(.device(device)) }
      for id in ids {
        let index = f.resolver.registry.deviceIndex(id)
        #expect(replayed.deviceIndex(id) == index, "seed \(seed), step \(step), \(id)")
        #expect(restarted.deviceIndex(id) == index, "seed \(seed), step \(step), \(id)")
      }
    }
  }
}
