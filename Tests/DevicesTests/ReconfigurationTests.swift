import Devices
import Telemetry
import Testing

@Suite struct ReconfigurationTests {
  @Test("Declared devices are defined, changed ones defined again, others left alone")
  func items() throws {
    var f = try Fixture("profiles: [{id: p}, {id: q}]\ndevices: [{id: a, profile: p}, {id: b}]")
    f.send("x", #"{"device_id":"a","metrics":{"v":1}}"#)
    let next = try Fixture.configuration(
      "profiles: [{id: p}, {id: q}]\ndevices: [{id: a, profile: q}, {id: c, asset: s/c}]")
    let (items, warnings) = f.resolver.reconfigure(next)
    #expect(
      items == [
        .device(DeviceDefinition(index: 0, id: "a", profile: "q")),
        .device(DeviceDefinition(index: 1, id: "c", asset: "s/c")),
      ])
    #expect(warnings.isEmpty)
    let again = f.resolver.reconfigure(next)
    #expect(again.items.isEmpty)
    let without = f.resolver.reconfigure(DeviceConfiguration())
    #expect(without.items.count == 2)
    #expect(f.resolver.registry.devices.map(\.isAdopted) == [true, true])
    #expect(without.warnings == ["device `a` has the profile `q`, which no longer exists"])
  }

  @Test("A series keeps its unit; values in the profile's new unit are converted to it")
  func units() throws {
    func yaml(_ unit: String, _ range: String) -> String {
      "profiles: [{id: p, metrics: {v: {unit: \(unit), range: \(range)}}}]\ndevices: [{id: d, profile: p, topic: d}]"
    }
    var f = try Fixture(yaml("bar", "[0, 2]"))
    f.send("d", #"{"v": 1}"#)
    #expect(f.values == ["d/v=1.0"])
    let (_, warnings) = f.resolver.reconfigure(try Fixture.configuration(yaml("mbar", "[0, 2000]")))
    #expect(
      warnings == ["`d/v` stays in `bar`; values in `mbar`, as its profile now says, are converted"]
    )
    f.send("d", #"{"v": 1013}"#)
    #expect(f.values == ["d/v=1.013"] && f.batch.samples[0].quality == .good)
    f.send("d", #"{"v": 2013}"#)
    #expect(f.batch.samples[0].quality == [.uncertain, .outOfRange])
    let other = f.resolver.reconfigure(try Fixture.configuration(yaml("°C", "[0, 2]")))
    #expect(
      other.warnings == ["`d/v` stays in `bar`; its profile now says `Cel`, which does not convert"]
    )
    f.send("d", #"{"v": 1}"#)
    #expect(f.values == ["d/v=1.0"])
    #expect(try f.series("d/v").unit == "bar")
  }

  @Test(
    "A profile that is written later gives known series its kind, and a unit where they had none")
  func laterProfile() throws {
    var f = try Fixture("devices: [{id: d, topic: d}]")
    f.send("d", #"{"energy": 1, "v": {"value": 2, "unit": "bar"}}"#)
    let (items, warnings) = f.resolver.reconfigure(
      try Fixture.configuration(
        "profiles: [{id: p, metrics: {energy: {unit: kWh, kind: counter}, v: {unit: bar}}}]\n"
          + "devices: [{id: d, profile: p, topic: d}]"))
    #expect(warnings.isEmpty)
    #expect(items.count == 2, "the device and one series: \(items)")
    #expect(try f.series("d/energy").kind == .counter)
    #expect(try f.series("d/energy").unit == "kW.h")
    #expect(try f.series("d/v").unit == "bar")
  }

  @Test("A batch that could not be committed leaves no definitions behind")
  func rollBack() throws {
    var f = try Fixture()
    f.send("a", #"{"v": 1, "t": "x"}"#)
    let mark = f.resolver.registry.mark
    f.send("b", #"{"v": 1, "t": "y"}"#)
    let first = f.batch
    f.resolver.rollBack(to: mark)
    #expect(f.resolver.registry.devices.map(\.id) == ["a"])
    #expect(f.resolver.registry.words == ["x"])
    f.send("b", #"{"v": 1, "t": "y"}"#)
    #expect(f.batch == first)
  }

  @Test("A registry rebuilt from the items resolves to the same samples")
  func replay() throws {
    var f = try Fixture()
    var items: [Item] = []
    for (topic, payload) in [("a", #"{"v": 1, "t": "x"}"#), ("b", #"{"w": true, "t": "y"}"#)] {
      f.send(topic, payload)
      items += f.batch.items
    }
    var registry = Registry()
    for item in items + items { registry.apply(item) }
    #expect(registry.devices == f.resolver.registry.devices)
    #expect(registry.series == f.resolver.registry.series)
    #expect(registry.words == f.resolver.registry.words)
    var g = try Fixture(registry: registry)
    f.send("b", #"{"t": "y", "w": false}"#)
    g.send("b", #"{"t": "y", "w": false}"#)
    #expect(g.batch == f.batch)
  }

  @Test("Applying a known definition again updates it in place")
  func apply() {
    var registry = Registry()
    registry.apply(.device(DeviceDefinition(index: 0, id: "a")))
    registry.apply(.device(DeviceDefinition(index: 0, id: "a", profile: "p")))
    registry.apply(
      .series(SeriesDefinition(index: 0, device: 0, metric: "m", type: .number, kind: .gauge)))
    registry.apply(
      .series(SeriesDefinition(index: 0, device: 0, metric: "m", type: .number, kind: .counter)))
    registry.apply(.word(id: 0, text: "x"))
    registry.apply(.word(id: 0, text: "x"))
    registry.apply(.connected(sessionPresent: true))
    #expect(registry.devices.map(\.profile) == ["p"] && registry.words == ["x"])
    #expect(registry.series.map(\.kind) == [.counter])
    #expect(registry.seriesIndex(SeriesKey(device: "a", metric: "m")) == 0)
    #expect(registry.wordID("x") == 0 && registry.deviceIndex("b") == nil)
  }
}
