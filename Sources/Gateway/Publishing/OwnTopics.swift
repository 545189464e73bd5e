import Glibc
import MQTT
import Telemetry

/// Tells our own publications from what others send, by topic and by origin.
struct OwnTopics: Sendable {
  /// Everything under it is ours; empty: nothing.
  private let root: [UInt8]
  /// What we publish elsewhere, topic by topic.
  private var topics: [[UInt8]] = []
  private let gatewayID: [UInt8]
  /// Of messages that effects publish elsewhere by MQTT 3.1.1, which brings no origin back.
  let echoes = EchoWindow()

  init(root: String, gatewayID: String) {
    self.root = Array(root.utf8)
    self.gatewayID = Array(gatewayID.utf8)
  }

  mutating func add(_ more: [String]) { topics += more.map { Array($0.utf8) } }

  /// Whether a message comes from us.
  func isOwn(_ publish: IncomingPublish) -> Bool {
    if contains(publish.topic) { return true }
    if publish.origin.count > gatewayID.count,
      OwnTopics.isEqual(gatewayID, publish.origin.prefix(gatewayID.count)),
      publish.origin.elementsEqual(
        OwnTopics.origin(
          String(decoding: gatewayID, as: UTF8.self), publish.topic, publish.payload
        ).utf8)
    {
      return true
    }
    return echoes.take(publish.topic, publish.payload)
  }

  /// What a message of ours carries as `Publisher.originProperty`: who says it, and a hash of what is said. Flows that
  /// make another message of it and hand its properties on do not pass for us.
  static func origin(
    _ gatewayID: String, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer
  ) -> String {
    let hash = Hash64.mix(Hash64.hash(topic), Hash64.hash(payload))
    return gatewayID + "/" + String(hash, radix: 16)
  }

  /// Costs a comparison or a few: asked for each message.
  func contains(_ topic: UnsafeRawBufferPointer) -> Bool {
    if !root.isEmpty, OwnTopics.isEqual(root, topic.prefix(root.count)) { return true }
    for own in topics where OwnTopics.isEqual(own, topic[...]) { return true }
    return false
  }

  private static func isEqual(_ own: [UInt8], _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    let bytes = UnsafeRawBufferPointer(rebasing: bytes)
    guard own.count == bytes.count, let start = bytes.baseAddress else { return false }
    return own.withUnsafeBytes { memcmp($0.baseAddress!, start, own.count) == 0 }  // Neither is empty.
  }
}
