import Devices
import Telemetry
import Testing

@testable import Payloads

@Suite("Sparkplug in the resolver")
struct ResolverSparkplugTests {
  var resolver = Resolver()
  let received = Timestamp(microseconds: 1_760_000_000_000_000)

  mutating func send(
    _ topic: String, _ payload: SparkplugPayload, isFromQuarantine: Bool = false
  ) throws -> (Batch, Outcome) {
    let bytes: [UInt8] = try payload.serializedBytes()
    var topic = topic
    var batch = Batch()
    let outcome = topic.withUTF8 { topic in
      bytes.withUnsafeBytes { bytes in
        resolver.resolve(
          IncomingMessage(
            topic: UnsafeRawBufferPointer(topic), payload: bytes, received: received,
            isFromQuarantine: isFromQuarantine),
          into: &batch)
      }
    }
    return (batch, outcome)
  }

  func message(_ seq: UInt64, _ metrics: [SparkplugPayload.Metric]) -> SparkplugPayload {
    .with {
      $0.seq = seq
      $0.timestamp = 1_759_999_999_000
      $0.metrics = metrics
    }
  }

  func metric(
    _ name: String, _ alias: UInt64, _ value: Double, unit: String = ""
  ) -> SparkplugPayload.Metric {
    .with {
      if !name.isEmpty {
        $0.name = name
        $0.datatype = 10
      }
      $0.alias = alias
      $0.doubleValue = value
      if !unit.isEmpty {
        $0.properties.keys = ["engUnit"]
        $0.properties.values = [.with { $0.stringValue = unit }]
      }
    }
  }

  mutating func born() throws {
    _ = try send("spBv1.0/g/NBIRTH/n", message(0, [metric("load", 1, 0.5)]))
    _ = try send(
      "spBv1.0/g/DBIRTH/n/d", message(1, [metric("temperature", 2, 212, unit: "°F")]))
  }

  @Test("A birth makes devices and series with units; data by alias lands in them")
  mutating func birthAndData() throws {
    try born()
    #expect(resolver.registry.devices.map(\.id) == ["g.n", "g.n.d"])
    #expect(resolver.registry.series.map(\.metric) == ["load", "temperature"])
    #expect(resolver.registry.series[1].unit == "[degF]")
    let (batch, outcome) = try send("spBv1.0/g/DDATA/n/d", message(2, [metric("", 2, 32)]))
    #expect(outcome.samples == 1)
    #expect(batch.samples.map(\.series) == [1])
    #expect(resolver.registry.value(of: batch.samples[0]) == .number(32))
    #expect(batch.samples[0].time == Timestamp(microseconds: 1_759_999_999_000_000))
  }

  @Test("The birth's unit holds for data too: values are converted to the profile's")
  mutating func conversion() throws {
    let (configuration, _) = DeviceConfiguration.load(files: [
      ConfigurationFile(
        name: "a.yaml",
        content: """
          profiles:
            - {id: oven, metrics: {temperature: {unit: °C}}}
          routes:
            - {topic: "spBv1.0/{group}/+/{node}/{device}", device: "{device}", profile: oven, asset: "acme/{node}/{device}"}
          """)
    ])
    _ = resolver.reconfigure(try #require(configuration))
    try born()
    let (batch, _) = try send("spBv1.0/g/DDATA/n/d", message(2, [metric("", 2, 32)]))
    #expect(resolver.registry.devices[1].id == "d")
    #expect(resolver.registry.devices[1].asset == "acme/n/d")
    guard case .number(let celsius) = resolver.registry.value(of: batch.samples[0]) else {
      Issue.record("not a number")
      return
    }
    #expect(abs(celsius) < 1e-9)
    let death = SparkplugPayload.with {
      $0.timestamp = 1_759_999_999_500
      $0.seq = 3
    }
    let (dead, _) = try send("spBv1.0/g/DDEATH/n/d", death)
    #expect(
      dead.items.contains(
        .wentStale(
          Staleness(device: 1, time: Timestamp(microseconds: 1_759_999_999_500_000)))))
  }

  @Test("What cannot count is set aside, and after the birth it can be read again")
  mutating func quarantineAndBack() throws {
    let data = message(9, [metric("", 2, 7)])
    let (early, outcome) = try send("spBv1.0/g/DDATA/n/d", data)
    #expect(outcome.isQuarantined)
    guard case .quarantined(let held) = early.items.last else {
      Issue.record("not set aside")
      return
    }
    #expect(held.reason.contains("without a birth"))
    try born()
    let (again, read) = try send("spBv1.0/g/DDATA/n/d", data, isFromQuarantine: true)
    #expect(read.samples == 1 && again.samples.count == 1)
    // It said nothing about order: 2 is still the number that comes next.
    let (next, _) = try send("spBv1.0/g/DDATA/n/d", message(2, [metric("", 2, 8)]))
    #expect(next.samples.count == 1)
  }

  @Test(
    "Null says that there is no value, a data set becomes an event, a transient metric is passed over"
  )
  mutating func nullBlobTransient() throws {
    try born()
    var null = metric("", 2, 0)
    null.value = nil
    null.isNull = true
    let (batch, _) = try send("spBv1.0/g/DDATA/n/d", message(2, [null]))
    #expect(
      batch.items.contains(
        .wentStale(
          Staleness(
            device: 1, series: [1], time: Timestamp(microseconds: 1_759_999_999_000_000),
            quality: .bad))))
    let set = SparkplugPayload.Metric.with {
      $0.name = "recipe"
      $0.datatype = 16
      $0.datasetValue = .init([1, 2, 3])
    }
    let (blobs, outcome) = try send("spBv1.0/g/DDATA/n/d", message(3, [set]))
    #expect(outcome.blobs == 1)
    guard case .event(let event) = blobs.items.last else {
      Issue.record("no event")
      return
    }
    #expect(event.name == "MetricBlob" && event.device == "g.n.d")
    #expect(
      event.properties
        == #"{"metric":"recipe","form":"DataSet","bytes":3,"base64":"AQID"}"#)
  }

  @Test("A death far in the future counts when it came, and never reaches the end of time")
  mutating func farDeath() throws {
    try born()
    let death = SparkplugPayload.with {
      $0.timestamp = .max
      $0.seq = 2
    }
    let (batch, _) = try send("spBv1.0/g/DDEATH/n/d", death)
    #expect(batch.items.contains(.wentStale(Staleness(device: 1, time: received))))
  }

  @Test("What a death let go counts before the death")
  mutating func deathAfterHeld() throws {
    try born()
    _ = try send("spBv1.0/g/DDEATH/n/d", .with { $0.seq = 3 })
    let (batch, _) = try send("spBv1.0/g/DDATA/n/d", message(2, [metric("", 2, 7)]))
    #expect(batch.samples.count == 1)
    #expect(batch.deliveries.map(\.samplesEnd) == [1])
    let stale = batch.items.firstIndex {
      if case .wentStale = $0 { true } else { false }
    }
    #expect(try #require(stale) >= batch.deliveries[0].itemsEnd)
  }

  @Test("Long topics and many held messages leave no plan of another topic in use")
  mutating func longTopics() throws {
    let node = String(repeating: "n", count: 1_100)
    for index in 0..<200 {
      _ = try send("spBv1.0/g/NBIRTH/k\(index)", message(0, [metric("a", 1, 1)]))
    }
    _ = try send("spBv1.0/g/NBIRTH/\(node)", message(0, [metric("load", 1, 1)]))
    for seq in 2..<100 as Range<UInt64> {
      _ = try send("spBv1.0/g/NDATA/\(node)", message(seq, [metric("", 1, Double(seq))]))
    }
    let (batch, _) = try send("spBv1.0/g/NBIRTH/\(node)", message(0, [metric("load", 1, 5)]))
    // The id is too long for a device of ours: refused, and under no other name.
    #expect(batch.samples.isEmpty)
  }

  @Test("A batch that could not be committed leaves the session as it was before")
  mutating func rollBack() throws {
    try born()
    let mark = resolver.markCommitted()
    _ = try send("spBv1.0/g/DDATA/n/d", message(2, [metric("", 2, 1)]))
    _ = try send("spBv1.0/g/NBIRTH/n", message(0, [metric("other", 2, 1)]))
    resolver.rollBack(to: mark)
    let (batch, _) = try send("spBv1.0/g/DDATA/n/d", message(2, [metric("", 2, 1)]))
    #expect(batch.samples.map(\.series) == [1])
    #expect(resolver.registry.series.count == 2)
  }

  @Test("Commands and host states are not ours to read, and a wrong topic is told")
  mutating func otherTopics() throws {
    #expect(try send("spBv1.0/g/NCMD/n", message(0, [])).1.isIgnored)
    #expect(try send("spBv1.0/STATE/scada", message(0, [])).1.isIgnored)
    let (configuration, _) = DeviceConfiguration.load(files: [
      ConfigurationFile(
        name: "a.yaml", content: "routes: [{topic: \"odd/#\", format: sparkplug}]")
    ])
    _ = resolver.reconfigure(try #require(configuration))
    let (_, outcome) = try send("odd/n", message(0, [metric("a", 1, 1)]))
    #expect(outcome.refusals.first?.code == "no_sparkplug_topic")
  }

  @Test("Settings say how patient the host is and whether it speaks")
  func settings() throws {
    let (configuration, _) = DeviceConfiguration.load(files: [
      ConfigurationFile(
        name: "a.yaml",
        content: """
          settings:
            sparkplug: {reorder_timeout: 2 s, rebirth: never, rebirth_interval: 1 min, enabled: true}
          """)
    ])
    let settings = try #require(configuration?.settings.sparkplug)
    #expect(settings.reorderTimeout == .seconds(2))
    #expect(!settings.asksForRebirth && settings.isOn)
    let (_, problems) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "a.yaml", content: "settings: {sparkplug: {rebirth: allways}}")
    ])
    #expect(problems.first?.message.contains("is not one of `on_need`, `never`") == true)
  }
}
