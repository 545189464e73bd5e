import MQTT
import Storage
import Telemetry

/// What the ingest thread needs of the configuration.
struct IngestSettings: Sendable {
  var mqtt: MQTTSettings?
  /// What comes back of our own publications.
  var own: OwnTopics
  var commitDelayMicroseconds: Int64
  var batchMessagesMax: Int
  var batchBytesMax: Int
  /// How often an idle gateway writes a record, so that a replay knows how time went on.
  var tickMicroseconds: Int64 = 60_000_000
  var storageRetryMicroseconds: Int64 = 1_000_000
  /// Items for the first record: the configuration, when it differs from the one recorded last.
  var startItems: [Item]?

  init(_ configuration: GatewayConfiguration, startItems: [Item]) {
    mqtt = configuration.mqtt
    own = OwnTopics(root: configuration.root, gatewayID: configuration.gatewayID)
    commitDelayMicroseconds = Int64(configuration.batch.commitDelayMilliseconds) * 1_000
    // Some of the window is left, so that the broker goes on sending while we commit.
    let most = Int(configuration.mqtt?.receiveMaximum ?? 1_000) * 9 / 10
    batchMessagesMax =
      configuration.batch.messagesMax > 0 ? configuration.batch.messagesMax : max(1, most)
    batchBytesMax = configuration.batch.bytesMax
    self.startItems = startItems
  }
}

/// What a start found out before the ingest thread runs.
struct RecoveredState {
  var window: RedeliveryWindow
  var clock: ReceiveClock
  var figures: IngestFigures

  /// u64 boot id, i64 offset.
  static func encodeClock(bootID: UInt64, offset: Int64) -> [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: bootID.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: offset.littleEndian) { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// The offset of an earlier process, if it ran in this boot.
  static func decodeClock(_ bytes: [UInt8], bootID: UInt64) -> Int64? {
    guard bytes.count == 16 else { return nil }
    return bytes.withUnsafeBytes { buffer in
      let boot = UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
      guard boot == bootID else { return nil }
      return Int64(littleEndian: buffer.loadUnaligned(fromByteOffset: 8, as: Int64.self))
    }
  }
}
