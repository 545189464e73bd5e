import Telemetry

/// What a primary host says of itself on `spBv1.0/STATE/<id>`, so that edge nodes know whether to send.
///
/// Sans-I/O, after Sparkplug 3.0: told what happened on one connection to the broker, it answers with what is
/// to be done. The life of a connection:
///
///     away ──willConnect──▶ connecting ──subscribed──▶ online ──leave──▶ away
///      ▲                        │                        │
///      └─────── closed ─────────┴──────── closed ────────┘
///
/// The payload is `{"online":true,"timestamp":T}`, T in milliseconds since 1970.
public struct SparkplugHostPresence: Sendable {
  public enum Action: Sendable, Equatable {
    /// At QoS 1, retained, on `topic`.
    case publish(String)
    /// Say goodbye to the broker; the Will is then withheld.
    case disconnect
    /// Somebody else is online under our id: nodes cannot tell two hosts apart.
    case warnOfNamesake(timestamp: Int64)
    /// Nothing may be published on this connection, since we would not hear what others say of us.
    case giveUp
  }

  private enum State: Equatable {
    case away
    case connecting
    case online
  }

  /// Where the state of this host stands.
  public let topic: String
  private var state = State.away
  /// Of the present connection, or of the last one.
  private var timestamp = Int64.min
  private var hasWarned = false

  /// - Parameter id: as `isValid(id:)` says.
  public init(id: String) {
    precondition(SparkplugHostPresence.isValid(id: id), "a host id is one topic level: \(id)")
    topic = "\(SparkplugTopic.namespace)/\(SparkplugTopic.Kind.hostState.rawValue)/\(id)"
  }

  /// A host's id is a level of a topic: not empty, without `+`, `/`, `#`
  /// (tck-id-operational-behavior-host-application-host-id).
  public static func isValid(id: String) -> Bool {
    !id.isEmpty
      && !id.unicodeScalars.contains { "+/#".unicodeScalars.contains($0) || $0.value < 32 }
  }

  public var isOnline: Bool { state == .online }

  /// A connection is about to be made.
  ///
  /// The timestamp is that of the moment, and later than that of every connection before, since nodes pass
  /// over what is older than what they know (tck-id-host-topic-phid-death-payload-timestamp-connect).
  /// - Returns: the payload of its Will, at QoS 1 and retained.
  public mutating func willConnect(now: Timestamp) -> String {
    precondition(state == .away, "a connection is begun while \(state)")
    timestamp = later(now)
    state = .connecting
    hasWarned = false
    return payload(isOnline: false)
  }

  /// The broker has answered our subscription to `topic`.
  ///
  /// Only then we are born, with the timestamp of the Will (tck-id-host-topic-phid-birth-sub-required,
  /// tck-id-host-topic-phid-birth-payload-timestamp).
  public mutating func subscribed(isGranted: Bool) -> [Action] {
    guard state == .connecting else { return [] }
    guard isGranted else { return [.giveUp] }
    state = .online
    return [.publish(payload(isOnline: true))]
  }

  /// Something was published on `topic`, maybe by ourselves.
  ///
  /// Being told offline is contradicted at once, with the same timestamp
  /// (tck-id-message-flow-hid-sparkplug-state-message-delivered). The same holds for what no node can
  /// read, an empty message among it: the next node to come would wait for ever.
  ///
  /// - Parameter isRetained: it stood there when we subscribed, hence before our birth, which replaces it.
  public mutating func received(
    _ bytes: UnsafeRawBufferPointer, isRetained: Bool
  ) -> [Action] {
    guard state == .online, !isRetained else { return [] }
    guard let told = SparkplugHostPresence.read(bytes), told.isOnline else {
      return [.publish(payload(isOnline: true))]
    }
    // Answering this one as well, two hosts of one id would answer each other for ever.
    guard told.timestamp != timestamp, !hasWarned else { return [] }
    hasWarned = true
    return [.warnOfNamesake(timestamp: told.timestamp)]
  }

  /// We leave knowingly: nodes are told before the goodbye, with the time of it
  /// (tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean).
  public mutating func leave(now: Timestamp) -> [Action] {
    defer { state = .away }
    switch state {
    case .away: return []
    case .connecting: return [.disconnect]
    case .online:
      timestamp = later(now)
      return [.publish(payload(isOnline: false)), .disconnect]
    }
  }

  /// The connection is gone without our doing; the broker publishes the Will.
  public mutating func closed() { state = .away }

  // MARK: - Payload

  private func later(_ now: Timestamp) -> Int64 {
    let milliseconds = now.microseconds.flooredQuotient(1_000)
    return timestamp == .min ? milliseconds : max(milliseconds, timestamp + 1)
  }

  private func payload(isOnline: Bool) -> String {
    #"{"online":\#(isOnline),"timestamp":\#(timestamp)}"#
  }

  /// - Returns: `nil` for what is no state of a host.
  private static func read(
    _ bytes: UnsafeRawBufferPointer
  ) -> (isOnline: Bool, timestamp: Int64)? {
    // What is wrong with it makes no difference: it is contradicted all the same.
    guard let tree = try? JSONTree(reading: bytes), case .boolean(let isOnline)? = tree["online"],
      let number = tree["timestamp"]?.number, let timestamp = Int64(exactly: number)
    else { return nil }
    return (isOnline, timestamp)
  }
}
