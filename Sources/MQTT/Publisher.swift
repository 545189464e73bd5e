import CMosquitto
import Synchronization

/// The second client, for what we publish: status now; alarms, twins and KPIs later.
///
/// It has a connection, a thread of libmosquitto and a Will of its own, so that nothing here can delay or
/// acknowledge telemetry. libmosquitto's publish is thread-safe.
public final class Publisher: @unchecked Sendable {  // `client` is fixed, libmosquitto locks inside.
  private let client: Client
  private let connected = Mutex(false)
  private let waiting = Mutex(0)
  private let online: (topic: String, payload: String)?

  /// - Parameter status: retained status topic with the payloads for being there and being gone;
  ///   the latter is the Will.
  public init(
    settings: MQTTSettings, clientID: String,
    status: (topic: String, online: String, offline: String)?
  ) throws {
    var settings = settings
    settings.subscriptions = []
    client = try Client(settings: settings, clientID: clientID, keepsSession: false)
    online = status.map { ($0.topic, $0.online) }
    if let status {
      try client.check(
        status.offline.withCString {
          mosquitto_will_set(
            client.handle, status.topic, Int32(status.offline.utf8.count), $0, 1, true)
        }, "Will on \(status.topic)")
    }
    mosquitto_user_data_set(client.handle, Unmanaged.passUnretained(self).toOpaque())
    mosquitto_connect_callback_set(client.handle) { _, context, code in
      let publisher = Unmanaged<Publisher>.fromOpaque(context!).takeUnretainedValue()
      publisher.connected.withLock { $0 = code == 0 }
      if code == 0, let online = publisher.online {
        _ = publisher.publish(
          topic: online.topic, payload: Array(online.payload.utf8), isRetained: true)
      }
    }
    mosquitto_disconnect_callback_set(client.handle) { _, context, _ in
      let publisher = Unmanaged<Publisher>.fromOpaque(context!).takeUnretainedValue()
      publisher.connected.withLock { $0 = false }
    }
    mosquitto_publish_callback_set(client.handle) { _, context, _ in
      let publisher = Unmanaged<Publisher>.fromOpaque(context!).takeUnretainedValue()
      publisher.waiting.withLock { $0 -= 1 }
    }
  }

  /// Messages that were queued and not yet acknowledged (QoS 0: not yet written to the socket).
  public var outstanding: Int { waiting.withLock { $0 } }

  public var isConnected: Bool { connected.withLock { $0 } }

  /// Starts connecting in the background and keeps at it until `stop()`.
  public func start() throws {
    let settings = client.settings
    mosquitto_reconnect_delay_set(client.handle, 1, 30, true)
    // An unreachable broker is no error here: the thread goes on trying.
    _ = mosquitto_connect_async(
      client.handle, settings.host, settings.port, settings.keepAliveSeconds)
    try client.check(mosquitto_loop_start(client.handle), "publisher thread")
  }

  /// Queues a message; at QoS 1 libmosquitto keeps it until the broker has acknowledged it.
  /// - Returns: false when it could not be queued.
  public func publish(
    topic: String, payload: [UInt8], qos: Int32 = 1, isRetained: Bool = false
  ) -> Bool {
    waiting.withLock { $0 += 1 }
    let code = payload.withUnsafeBytes {
      mosquitto_publish(
        client.handle, nil, topic, Int32($0.count), $0.baseAddress, qos, isRetained)
    }
    // Without a connection a QoS 1 message stays queued; a QoS 0 message is given up.
    let isQueued =
      code == MOSQ_ERR_SUCCESS.rawValueAsInt32
      || (qos > 0 && code == MOSQ_ERR_NO_CONN.rawValueAsInt32)
    if !isQueued { waiting.withLock { $0 -= 1 } }
    return isQueued
  }

  /// Says goodbye (which withholds the Will) after publishing the last words, and stops the thread.
  public func stop(lastWords: (topic: String, payload: String)?) {
    if let lastWords, isConnected {
      _ = publish(topic: lastWords.topic, payload: Array(lastWords.payload.utf8), isRetained: true)
    }
    mosquitto_disconnect(client.handle)
    mosquitto_loop_stop(client.handle, false)
  }
}
