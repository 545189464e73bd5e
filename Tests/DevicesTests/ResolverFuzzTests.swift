import Devices
import FoundationEssentials
import Payloads
import Telemetry
import TestSupport
import Testing

@Suite struct ResolverFuzzTests {
  static let rounds =
    ProcessInfo.processInfo.environment["MILLWRIGHT_FUZZ"].flatMap(Int.init) ?? 20_000
  static let seed: UInt64 = 0xD0_0D1E

  static let topics = [
    "", "a", "a/b", "plant/l1/p1/telemetry", "plant/rooms/x/t", "s/1", "l/2", "$SYS/x", "//", "q/1",
  ]
  static let payloads = [
    #"{"ts": 1795247999000, "state": "running", "n": 12.5, "b": true}"#, "21.5", "ON", "nan",
    #"[{"device_id": "d1", "metrics": {"a": 1}}, {"device_id": "d2", "metrics": {"a": "x"}}]"#,
    "m,device=d1 a=1,b=2i,c=t,s=\"x\" 1795247999000000000", #"{"a": {"b": {"c": [1, 2]}}}"#, "{}",
    "",
  ]
  static let yaml = """
    settings: {devices_max: 500, series_max: 2000, words_max: 500, quarantine_payload_max: 64 B}
    profiles: [{id: p, metrics: {n: {unit: bar, range: [0, 10]}, state: {values: {1: a}}, b: {type: boolean}}}]
    devices: [{id: d1, profile: p}, {id: d3, topic: s/+, profile: p}]
    routes:
      - {topic: "plant/{l}/{d}/telemetry", device: "{d}", profile: p}
      - {topic: "l/#", format: line}
      - {topic: "q/{d}", unknown_devices: quarantine}
      - {topic: "plant/rooms/{r}/{m}", format: scalar, device: "r-{r}", metric: "{m}"}
    """

  static func bytes(_ generator: inout SeededGenerator, _ seeds: [String]) -> [UInt8] {
    var bytes = Array(seeds.randomElement(using: &generator)!.utf8)
    for _ in 0..<Int.random(in: 0...4, using: &generator) {
      let byte = UInt8.random(in: 0...255, using: &generator)
      let position = Int.random(in: 0...bytes.count, using: &generator)
      if Bool.random(using: &generator) || position == bytes.count {
        bytes.insert(byte, at: position)
      } else {
        bytes[position] = byte
      }
    }
    return bytes
  }

  /// One long run; the batches' fingerprint tells whether another run saw the same.
  static func run(_ check: (Batch, Outcome, Registry) -> Void) throws -> (Batch, Registry) {
    var generator = SeededGenerator(seed: seed)
    var resolver = Resolver(configuration: try Fixture.configuration(yaml))
    var batch = Batch()
    for _ in 0..<rounds {
      let topic = bytes(&generator, topics)
      let payload = bytes(&generator, payloads)
      let before = batch.samples.count
      let outcome = topic.withUnsafeBytes { topic in
        payload.withUnsafeBytes { payload in
          resolver.resolve(
            IncomingMessage(
              topic: topic, payload: payload, received: Fixture.now,
              isRetained: Bool.random(using: &generator), collectsPoints: true),
            into: &batch)
        }
      }
      batch.endDelivery(packetID: 0)
      #expect(outcome.samples == batch.samples.count - before)
      check(batch, outcome, resolver.registry)
    }
    return (batch, resolver.registry)
  }

  @Test("Random topics and payloads never trap, and every sample points at what is defined")
  func random() throws {
    let (batch, registry) = try Self.run { batch, outcome, registry in
      #expect(registry.devices.count <= 500 && registry.series.count <= 2_000)
      #expect(registry.words.count <= 500)
      #expect(outcome.refusedFields == 0 || outcome.isQuarantined, "seed \(Self.seed)")
    }
    for sample in batch.samples {
      let series = registry.series[Int(sample.series)]
      if series.type == .text { #expect(sample.bits < registry.words.count) }
      if series.type == .boolean { #expect(sample.bits <= 1) }
      if series.type == .number { #expect(Double(bitPattern: sample.bits).isFinite) }
    }
    var rebuilt = Registry()
    for item in batch.items { rebuilt.apply(item) }
    #expect(rebuilt.devices == registry.devices && rebuilt.series == registry.series)
    #expect(rebuilt.words == registry.words)
  }

  @Test("The same messages give the same batch")
  func deterministic() throws {
    let (first, _) = try Self.run { _, _, _ in }
    let (second, _) = try Self.run { _, _, _ in }
    #expect(first == second)
  }

  @Test("Hostile topics do not grow the caches beyond their bound")
  func topicFlood() throws {
    var f = try Fixture("settings: {devices_max: 3, unknown_devices: quarantine}")
    for number in 0..<70_000 { f.send("flood/\(number)", "1") }
    #expect(f.resolver.registry.devices.isEmpty)
    f.send("flood/1", "1", unknown: .adopt)
    #expect(f.values == ["flood/1=1.0"])
  }
}
