import Devices
import Telemetry
import Testing

@testable import Payloads

/// One bad payload of each family: set aside with a reason that says what and where, and nothing else suffers.
@Suite("Bad payloads of each family")
struct BadPayloadTests {
  struct BadPayload: Sendable, CustomTestStringConvertible {
    var name: String
    var topic: String
    var payload: [UInt8]
    /// What the refusal must say.
    var says: [String]
    var testDescription: String { name }

    init(_ name: String, _ topic: String, _ payload: [UInt8], says: [String]) {
      (self.name, self.topic, self.payload, self.says) = (name, topic, payload, says)
    }

    init(_ name: String, _ topic: String, _ text: String, says: [String]) {
      self.init(name, topic, Array(text.utf8), says: says)
    }
  }

  private static func sparkplug(_ metrics: [SparkplugPayload.Metric], seq: UInt64) -> [UInt8] {
    SparkplugPayload.with {
      $0.seq = seq
      $0.timestamp = 1_760_000_000_000
      $0.metrics = metrics
    }.encoded
  }

  private static let birth = sparkplug(
    [
      .with {
        $0.name = "load"
        $0.alias = 1
        $0.datatype = 10
        $0.doubleValue = 1
      }
    ], seq: 0)

  /// A list of 2⁶⁰ records, of which the first opens another such list, and so on.
  private static let bomb = [UInt8](
    repeatElement([0x9B, 0x10, 0, 0, 0, 0, 0, 0, 0], count: 2_000).joined())

  static let cases: [BadPayload] = [
    BadPayload(
      "truncated protobuf", "spBv1.0/g/NDATA/n", Array(birth.dropLast(4)),
      says: ["no Sparkplug B message", "too early"]),
    BadPayload(
      "unknown alias", "spBv1.0/g/NDATA/n",
      sparkplug(
        [
          .with {
            $0.alias = 77
            $0.doubleValue = 1
          }
        ], seq: 1), says: ["alias 77", "birth again"]),
    BadPayload(
      "bad base64", "senml/1", #"[{"n":"urn:dev:x/photo","vd":"a?b"},{"n":"urn:dev:x/v","v":1}]"#,
      says: ["/0/vd", "base64"]),
    BadPayload(
      "SenML without a name", "senml/1", #"[{"bver":5,"v":1},{"bn":"urn:dev:x/","n":"v","v":1}]"#,
      says: ["/0", "name"]),
    BadPayload("CBOR bomb", "senml/1", [0x9F, 0xBF, 0x21, 0x61, 0x61] + bomb, says: ["byte"]),
    BadPayload(
      "JSON nested 1,000 deep",
      "plant/x",
      String(repeating: #"{"a":"#, count: 1_000) + String(repeating: " ", count: 1 << 20)
        + "1" + String(repeating: "}", count: 1_000), says: ["deep"]),
    BadPayload(
      "invalid UTF-8", "plant/x", Array(#"{"a":""#.utf8) + [0xFF] + Array(#"","b":1}"#.utf8),
      says: ["UTF-8"]),
    BadPayload(
      "discovery that contradicts", "homeassistant/sensor/other/t/config",
      #"{"name":"t","state_topic":"board/t","unit_of_measurement":"bar","unique_id":"o","device":{"identifiers":["b"]}}"#,
      says: ["homeassistant/sensor/b/t/config", "contradict", "Delete the retained message"]),
    BadPayload(
      "a list of devices that ends too early", "zigbee2mqtt/bridge/devices",
      #"[{"friendly_name":"x","#,
      says: ["too early"]),
    BadPayload(
      "Tasmota cut off", "tele/plug/SENSOR", #"{"Time":"2026-11-21T08:00:00","ENERGY":{"Pow"#,
      says: ["too early"]),
  ]

  private func send(
    _ topic: String, _ payload: [UInt8], to resolver: inout Resolver, _ batch: inout Batch
  ) -> Outcome {
    var topic = topic
    return topic.withUTF8 { topic in
      payload.withUnsafeBytes { payload in
        resolver.resolve(
          IncomingMessage(
            topic: UnsafeRawBufferPointer(topic), payload: payload,
            received: Timestamp(microseconds: 1_760_000_000_000_000)), into: &batch)
      }
    }
  }

  @Test(
    "It is set aside with its topic and a reason, and messages before and after it count",
    arguments: cases)
  func refused(_ bad: BadPayload) throws {
    var resolver = Resolver()
    var batch = Batch()
    let good = Array(#"{"speed":3}"#.utf8)
    for (topic, payload) in [
      ("spBv1.0/g/NBIRTH/n", Self.birth),
      (
        "homeassistant/sensor/b/t/config",
        Array(
          #"{"name":"t","state_topic":"board/t","unit_of_measurement":"°C","unique_id":"b","device":{"identifiers":["b"]}}"#
            .utf8)
      ),
    ] {
      #expect(!send(topic, payload, to: &resolver, &batch).isQuarantined)
    }
    #expect(send("plant/good", good, to: &resolver, &batch).samples == 1)
    let outcome = send(bad.topic, bad.payload, to: &resolver, &batch)
    #expect(outcome.isQuarantined)
    let held = batch.items.compactMap { item -> Quarantined? in
      if case .quarantined(let held) = item { held } else { nil }
    }
    #expect(held.map(\.topic) == [bad.topic])
    let reason = held.first?.reason ?? ""
    let told = outcome.refusals.map { "\($0.place) \($0.detail)" }.joined(separator: "; ") + reason
    for word in bad.says { #expect(told.contains(word), "`\(word)` in: \(told)") }
    #expect(send("plant/good", good, to: &resolver, &batch).samples == 1)
  }
}
