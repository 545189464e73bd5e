import CMosquitto
import Foundation
import Synchronization

/// The second client, for what we publish: status, state and the messages of effects.
///
/// It has a connection, a thread and a Will of its own, so that nothing here can delay or
/// acknowledge telemetry. libmosquitto's publish is thread-safe.
public final class Publisher: @unchecked Sendable {  // `client` is fixed, libmosquitto locks inside.
  /// What whoever publishes wants to know; told on the client's thread, which it must not hold up.
  public enum Event: Sendable, Equatable {
    /// A connection was made, the first or another; what is queued leaves now.
    case connected
    /// What was queued at QoS 1 leaves with the next connection.
    case disconnected
    case received(topic: String, payload: [UInt8])
  }

  /// The user property that tells who published a message, so that whoever gets it back knows it.
  public static let originProperty = "millwright-origin"

  private let client: Client
  private let tracker = MessageTracker()
  private let connected = Mutex(false)
  private let waiting = Mutex(0)
  private let loop: ClientLoop
  private let online: (topic: String, payload: String)?
  private let onEvent: (@Sendable (Event) -> Void)?

  /// - Parameters:
  ///   - status: retained status topic with the payloads for being there and being gone; the latter is
  ///     the Will.
  ///   - filters: topics to listen to, at QoS 1; without a session, so what passes meanwhile is not heard.
  public init(
    settings: MQTTSettings, clientID: String,
    status: (topic: String, online: String, offline: String)?,
    filters: [String] = [], onEvent: (@Sendable (Event) -> Void)? = nil
  ) throws {
    var settings = settings
    settings.subscriptions = filters.map { MQTTSettings.Subscription(filter: $0, qos: 1) }
    settings.will = status.map { MQTTSettings.Will(topic: $0.topic, payload: $0.offline) }
    client = try Client(settings: settings, clientID: clientID, keepsSession: false)
    // Unacknowledged messages on the wire; of the usual 20 a broker that is far away makes few a second.
    try client.check(
      mosquitto_int_option(client.handle, MOSQ_OPT_SEND_MAXIMUM, 200), "messages in flight")
    loop = ClientLoop(client: client)
    online = status.map { ($0.topic, $0.online) }
    self.onEvent = onEvent
    mosquitto_user_data_set(client.handle, Unmanaged.passUnretained(self).toOpaque())
    mosquitto_connect_callback_set(client.handle) { _, context, code in
      Publisher.from(context).acknowledged(code: code)
    }
    mosquitto_disconnect_callback_set(client.handle) { _, context, _ in
      let publisher = Publisher.from(context)
      publisher.connected.withLock { $0 = false }
      publisher.tracker.connectionLost()
      publisher.onEvent?(.disconnected)
    }
    // Of MQTT 5 it tells the reason too; of 3.1.1 the reason is always 0.
    mosquitto_publish_v5_callback_set(client.handle) { _, context, mid, reason, _ in
      let publisher = Publisher.from(context)
      publisher.waiting.withLock { $0 -= 1 }
      publisher.tracker.acknowledged(
        mid,
        reason < 128 ? .acknowledged : .refused(String(cString: mosquitto_reason_string(reason)))
      )
    }
    mosquitto_message_callback_set(client.handle) { _, context, message in
      Publisher.from(context).received(message!.pointee)
    }
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> Publisher {
    Unmanaged<Publisher>.fromOpaque(context!).takeUnretainedValue()
  }

  /// Messages that were queued and not yet acknowledged (QoS 0: not yet written to the socket).
  public var outstanding: Int { waiting.withLock { $0 } }

  public var isConnected: Bool { connected.withLock { $0 } }

  /// Starts connecting in the background and keeps at it until `stop()`.
  public func start() { loop.start(for: self) }

  /// Queues a message; at QoS 1 libmosquitto keeps it until the broker has acknowledged it.
  /// - Returns: false when it could not be queued.
  public func publish(
    topic: String, payload: [UInt8], qos: Int32 = 1, isRetained: Bool = false
  ) -> Bool {
    waiting.withLock { $0 += 1 }
    let isQueued = client.publish(
      topic: topic, payload: payload, qos: qos, isRetained: isRetained)
    if isQueued { loop.wake() } else { waiting.withLock { $0 -= 1 } }
    return isQueued
  }

  /// Queues a message and tells what became of it, once, on the client's thread or on this one.
  ///
  /// At QoS 1 libmosquitto keeps it over connections until the broker has answered; at QoS 0 it is
  /// acknowledged when it is written to the socket and lost when the connection goes before.
  /// - Parameter origin: who says this; goes along as `originProperty` by MQTT 5.
  public func publish(
    topic: String, payload: [UInt8], qos: Int32, isRetained: Bool, origin: String,
    whenDone: @escaping @Sendable (MessageFate) -> Void
  ) {
    waiting.withLock { $0 += 1 }
    let losses = tracker.begin()
    let (mid, code) = client.publishTracked(
      topic: topic, payload: payload, qos: qos, isRetained: isRetained, origin: origin)
    guard code == MOSQ_ERR_SUCCESS.rawValueAsInt32 else {
      tracker.end()
      waiting.withLock { $0 -= 1 }
      return whenDone(MessageFate(failure: code))
    }
    loop.wake()
    tracker.track(mid, qos: qos, since: losses, whenDone)
  }

  /// Says goodbye (which withholds the Will) after publishing the last words, and stops the thread.
  public func stop(lastWords: (topic: String, payload: String)?) {
    if let lastWords, isConnected {
      // At QoS 0 they leave in their turn before the goodbye, however many wait for acknowledgements.
      _ = publish(
        topic: lastWords.topic, payload: Array(lastWords.payload.utf8), qos: 0, isRetained: true)
    }
    loop.stop()
  }

  // MARK: - Callbacks

  private func acknowledged(code: Int32) {
    connected.withLock { $0 = code == 0 }
    guard code == 0 else { return }
    for subscription in client.settings.subscriptions {
      // Refused only for want of memory or of a connection; the latter brings us here again.
      mosquitto_subscribe(client.handle, nil, subscription.filter, subscription.qos)
    }
    if let online {
      _ = publish(topic: online.topic, payload: Array(online.payload.utf8), isRetained: true)
    }
    onEvent?(.connected)
  }

  private func received(_ message: mosquitto_message) {
    let payload = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
    onEvent?(.received(topic: String(cString: message.topic), payload: Array(payload)))
  }
}
