import Payloads
import Telemetry
import Testing

@testable import Devices

@Suite struct UnifiedNamespaceTests {
  private static let umh = "routes: [{uns: {root: umh/v1, ignore: [_state]}}]"

  @Test(
    "Topic and payload together name the metric",
    arguments: [
      ("_historian", #""temperature": 5"#, "temperature"),
      ("_historian/temperature", #""value": 5"#, "temperature"),
      ("_historian/temperature", #""temperature": 5"#, "temperature"),
      ("_historian/axis", #""x": 5"#, "axis.x"), ("_historian/axis/x", #""value": 5"#, "axis.x"),
      ("_historian/axis/x", #""position": 5"#, "axis.x.position"),
      ("_historian/axis", #""x": {"position": 5}"#, "axis.x.position"),
      ("_raw/db1/w4", #""value": 5"#, "db1.w4"), ("_analytics", #""oee": 5"#, "analytics.oee"),
      ("_pump_v1/flow", #""value": 5"#, "pump_v1.flow"),
      ("_historian/_x", #""value": 5"#, "_x"),
      ("_historian/a\u{e4}", #""\u00e4": 5"#, "a\u{e4}.\u{e4}"),
    ])
  func metrics(topic: String, member: String, metric: String) throws {
    var f = try Fixture(Self.umh)
    let outcome = f.send(
      "umh/v1/acme/linz/press1/\(topic)", "{\"timestamp_ms\": 1795247999000, \(member)}")
    #expect(f.values == ["acme.linz.press1/\(metric)=5.0"], "\(outcome)")
    #expect(f.batch.samples.first?.time == Timestamp(microseconds: 1_795_247_999_000_000))
    #expect(f.resolver.registry.devices.map(\.asset) == ["acme/linz/press1"])
  }

  @Test("Several members become several metrics, and units beside the value are read")
  func members() throws {
    var f = try Fixture(Self.umh)
    f.send("umh/v1/acme/_historian/head", #"{"timestamp_ms": 1795247999000, "x": 1, "y": 2}"#)
    #expect(f.values == ["acme/head.x=1.0", "acme/head.y=2.0"])
    f.send("umh/v1/acme/_historian/head", #"{"timestamp_ms": 1795247999001, "x": 3, "y": 4}"#)
    #expect(f.values == ["acme/head.x=3.0", "acme/head.y=4.0"])
    f.send("umh/v1/acme/_raw/p", #"{"timestamp_ms": 1795247999000, "value": 5, "unit": "bar"}"#)
    #expect(f.values == ["acme/p=5.0"])
    #expect(try f.series("acme/p").unit == "bar")
    f.send("umh/v1/acme/_raw/q/r", "21.5")
    #expect(f.values == ["acme/q.r=21.5"])
    f.send("umh/v1/acme/_raw", "21.5")
    #expect(f.values == ["acme/value=21.5"])
    f.send("umh/v1/acme/_raw/s", #"{"device_id": "x", "metrics": {"a": 1}}"#)
    #expect(f.values == ["acme/s.a=1.0"])
  }

  @Test("Topics of another form are left to other routes and rules; ignored contracts are dropped")
  func otherForms() throws {
    var f = try Fixture(
      """
      routes:
        - uns: {root: umh/v1, ignore: [_state]}
        - {topic: umh/v1/#, device: rest}
      """)
    for topic in ["umh/v1/acme/linz", "umh/v1/_historian/x", "umh/v1/acme//_historian/x", "umh/v1"]
    {
      f.send(topic, #"{"v": 1}"#)
      #expect(f.values == ["rest/v=1.0"], "\(topic)")
    }
    #expect(f.send("umh/v1/acme/_state/x", #"{"v": 1}"#).isIgnored)
    var all = try Fixture("routes: [{uns: {}}]")
    all.send("acme/_raw/v", "1")
    #expect(all.values == ["acme/v=1.0"])
    #expect(all.resolver.origin(of: "spBv1.0/g/NDATA/_n") == .sparkplug)
    all.send("$SYS/a/_raw", "1")
    #expect(all.values == ["$SYS.a/_raw=1.0"])
  }

  @Test("Named levels are the location, the rest names metrics")
  func levels() throws {
    var f = try Fixture(
      """
      routes:
        - uns: {levels: [enterprise, site, cell]}
          device: "{site}-{cell}"
        - uns: {root: u, levels: [site, cell]}
      """)
    f.send("acme/linz/press1/axis/x", "5")
    #expect(f.values == ["linz-press1/axis.x=5.0"])
    #expect(f.resolver.registry.devices[0].asset == "acme/linz/press1")
    f.send("acme/linz/press1", #"{"v": 1}"#)
    #expect(f.values == ["linz-press1/v=1.0"])
    f.send("u/linz/press1/v", "5")
    #expect(f.values == ["linz.press1/v=5.0"])
    f.send("acme/linz", "5")
    #expect(f.values == ["acme/linz=5.0"], "too short for the namespace")
  }

  @Test("Payload bounds hold for nested names as well")
  func bounds() throws {
    var f = try Fixture(Self.umh)
    let long = String(repeating: "n", count: 200)
    let outcome = f.send("umh/v1/acme/_raw/\(long)", "{\"\(long)\": 1, \"\(long)x\": 2}")
    #expect(f.values == ["acme/\(long)=1.0"])
    #expect(outcome.refusals.map(\.code) == ["bad_metric_name"])
    f.send("umh/v1/acme/_raw/" + String(repeating: "n", count: 300), #"{"v": 1}"#)
    #expect(f.values.isEmpty && f.quarantined.count == 1)
  }

  @Test(
    "What contradicts itself is told with its place",
    arguments: [
      ("uns: {root: 'umh/+'}", "is no root"), ("uns: {root: 'umh/{x}'}", "is no root"),
      ("uns: {root: umh/}", "is no root"),
      ("uns: {levels: [a, a]}", "appears twice"), ("uns: {levels: [a b]}", "is not a capture"),
      ("uns: {levels: [a], ignore: [_x]}", "does without"),
      ("uns: {ignore: [x]}", "begin with `_`"),
      ("uns: {rot: x}", "did you mean `root`"), ("uns: {}, topic: a", "follows from `uns`"),
      ("uns: {}, map: {}", "follows from `uns`"), ("uns: {}, device: '{x}'", "no capture `{x}`"),
      ("uns: x", "must be a map"),
    ])
  func problems(route: String, text: String) {
    let (configuration, diagnostics) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "t.yaml", content: "routes: [{\(route)}]")
    ])
    #expect(configuration == nil)
    #expect(diagnostics.count == 1 && diagnostics[0].message.contains(text), "\(diagnostics)")
  }

  @Test("The way back leads to the topic that a value came from")
  func wayBack() throws {
    var f = try Fixture(Self.umh)
    let namespace = try UnifiedNamespace(root: "umh/v1")
    for topic in ["umh/v1/acme/linz/press1/_historian/axis/x", "umh/v1/acme/_historian/v"] {
      f.send(topic, #"{"value": 5}"#)
      let series = f.resolver.registry.series[Int(f.batch.samples[0].series)]
      let device = f.resolver.registry.devices[Int(series.device)]
      #expect(namespace.topic(of: device, metric: series.metric) == topic)
    }
    var device = DeviceDefinition(index: 0, id: "hall.p1")
    #expect(namespace.topic(of: device, metric: "a+", contract: "_raw") == "umh/v1/hall/p1/_raw/a-")
    #expect(namespace.topic(of: device, metric: "a..b") == nil)
    device.asset = "acme/_x"
    #expect(namespace.topic(of: device, metric: "a") == nil)
    let levels = try UnifiedNamespace(levels: ["site", "cell"])
    #expect(levels.topic(of: device, metric: "a.b") == "acme/_x/a/b")
    device.asset = "acme"
    #expect(levels.topic(of: device, metric: "a.b") == nil)
  }

  @Test("A device that moves in the namespace under an id of its own keeps its history")
  func moves() throws {
    var f = try Fixture(
      "routes: [{uns: {root: u, levels: [site, line, cell]}, device: '{cell}'}]")
    f.send("u/linz/l1/press1/v", "1")
    f.send("u/linz/l2/press1/v", "2")
    #expect(f.values == ["press1/v=2.0"] && f.batch.samples[0].series == 0)
    #expect(f.resolver.registry.devices.map(\.asset) == ["linz/l2/press1"])
  }
}
