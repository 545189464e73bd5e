import CMosquitto
import Glibc

/// One PUBLISH as it arrived; pointers are valid only during the call that lends it.
public struct IncomingPublish {
  public let topic: UnsafeRawBufferPointer
  public let payload: UnsafeRawBufferPointer
  /// MQTT 5 content type; empty when absent.
  public let contentType: UnsafeRawBufferPointer
  /// Who published it, as `Publisher.originProperty` says; empty when absent.
  public let origin: UnsafeRawBufferPointer
  /// 0 at QoS 0.
  public let packetID: UInt16
  public let isRetained: Bool
}

/// What happens to a connection besides messages.
public enum ConnectionEvent: Sendable, Equatable {
  case connected(sessionPresent: Bool)
  /// The broker said no; trying again without a change of settings is of little use.
  case refused(reason: String)
  case disconnected(reason: String)
  /// The broker answered a subscription: granted QoS, or 128 and above for a refusal.
  case subscribed(filter: String, grantedQoS: Int32)
}

/// A client that is driven by hand, so that no PUBACK leaves before we allow it: the telemetry client, and
/// whoever must know the moment of each packet.
///
/// libmosquitto queues a PUBACK before it calls the message callback; in threaded mode nothing is sent
/// until `writeQueued()`. The rule of use, on one thread:
/// `readAvailable` until dry or enough → commit → `writeQueued`. After a failed commit call `abandon()`
/// and never `writeQueued()` on that connection: the queue is first in, first out, and would
/// acknowledge what was not stored.
///
/// Not thread-safe, except that `connect()` may run on another thread while nothing else is called.
public final class Subscriber {
  public enum ReadResult: Equatable {
    /// Nothing more to read for now.
    case dry
    /// Stopped at the limit; more may wait.
    case limit
    case closed
  }

  private let client: Client
  private let onPublish: (IncomingPublish) -> Void
  private let onEvent: (ConnectionEvent) -> Void
  private var pendingSubscriptions: [Int32: String] = [:]
  private var publishesInRead = 0
  private var hasConnectedBefore = false

  /// - Parameters:
  ///   - keepsSession: whether the broker queues for us while we are away.
  ///   - onPublish: called inside `readAvailable`, once a PUBLISH.
  ///   - onEvent: called inside `readAvailable`, `writeQueued` and `keepAlive`.
  public init(
    settings: MQTTSettings, keepsSession: Bool = true,
    onPublish: @escaping (IncomingPublish) -> Void,
    onEvent: @escaping (ConnectionEvent) -> Void
  ) throws {
    for subscription in settings.subscriptions where subscription.qos > 1 {
      throw MQTTError(
        "subscription '\(subscription.filter)': QoS 2 is refused, because its first acknowledgement "
          + "leaves before the message can be stored; use qos 1")
    }
    client = try Client(settings: settings, clientID: settings.clientID, keepsSession: keepsSession)
    self.onPublish = onPublish
    self.onEvent = onEvent
    let handle = client.handle
    mosquitto_threaded_set(handle, true)
    mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
    mosquitto_message_v5_callback_set(handle) { _, context, message, properties in
      Subscriber.from(context).received(message!.pointee, properties: properties)
    }
    mosquitto_connect_v5_callback_set(handle) { _, context, code, flags, _ in
      Subscriber.from(context).acknowledged(code: code, flags: flags)
    }
    mosquitto_disconnect_v5_callback_set(handle) { _, context, code, _ in
      Subscriber.from(context).disconnected(code: code)
    }
    mosquitto_subscribe_v5_callback_set(handle) { _, context, id, count, granted, _ in
      let codes = UnsafeBufferPointer(start: granted, count: Int(count))
      Subscriber.from(context).subscribed(packetID: id, granted: codes.first ?? 128)
    }
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> Subscriber {
    Unmanaged<Subscriber>.fromOpaque(context!).takeUnretainedValue()
  }

  /// The socket to poll; -1 without a connection.
  public var descriptor: Int32 { mosquitto_socket(client.handle) }

  public var wantsWrite: Bool { mosquitto_want_write(client.handle) }

  /// Opens the connection and queues CONNECT. Blocks for name resolution and TCP; `connected` follows by
  /// reading. Drops acknowledgements that were queued on an earlier connection.
  public func connect() throws {
    let settings = client.settings
    let handle = client.handle
    // The broker is told the real bound; libmosquitto itself must not enforce it, since brokers
    // overshoot and it would drop the connection for that.
    setReceiveMaximum(settings.receiveMaximum)
    defer { setReceiveMaximum(0) }
    if hasConnectedBefore {
      try client.check(mosquitto_reconnect(handle), place)
      return
    }
    var properties: OpaquePointer?
    defer { mosquitto_property_free_all(&properties) }
    if settings.version == .v5 {
      try client.check(
        mosquitto_property_add_int32(
          &properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue),
          settings.sessionExpirySeconds),
        "session expiry")
    }
    hasConnectedBefore = true
    try client.check(
      mosquitto_connect_bind_v5(
        handle, settings.host, settings.port, settings.keepAliveSeconds, nil, properties),
      place)
  }

  private var place: String { "broker \(client.settings.host):\(client.settings.port)" }

  private func setReceiveMaximum(_ value: UInt16) {
    _ = mosquitto_int_option(client.handle, MOSQ_OPT_RECEIVE_MAXIMUM, Int32(value))
  }

  /// Reads packets until the socket is dry or `limit` messages were handed over.
  public func readAvailable(limit: Int) -> ReadResult {
    publishesInRead = 0
    return client.read { publishesInRead >= limit }
  }

  /// Sends what is queued: acknowledgements, subscriptions, pings.
  ///
  /// libmosquitto makes a system call of each packet; corked, the kernel puts them into few segments.
  /// - Returns: false when the connection broke.
  public func writeQueued() -> Bool {
    let socket = descriptor
    cork(socket, true)
    defer { cork(socket, false) }
    return mosquitto_loop_write(client.handle, 1) == MOSQ_ERR_SUCCESS.rawValueAsInt32
  }

  private func cork(_ socket: Int32, _ isOn: Bool) {
    guard socket >= 0, socket == descriptor else { return }
    var value: Int32 = isOn ? 1 : 0
    // A saving only: where it is refused, packets leave one by one.
    _ = setsockopt(
      socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Queues a retained message at QoS 1; it leaves with `writeQueued()`.
  /// - Returns: false when it could not be queued.
  public func publishRetained(topic: String, payload: String) -> Bool {
    client.publish(topic: topic, payload: Array(payload.utf8), qos: 1, isRetained: true)
  }

  /// Pings when due and notices a silent broker; call about once a second.
  public func keepAlive() -> Bool {
    mosquitto_loop_misc(client.handle) == MOSQ_ERR_SUCCESS.rawValueAsInt32
  }

  /// Breaks the connection without sending anything more; the broker will deliver again.
  public func abandon() {
    let socket = descriptor
    if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
  }

  /// Says goodbye and keeps the session for the next start.
  public func disconnect() {
    mosquitto_disconnect(client.handle)
    _ = mosquitto_loop_write(client.handle, 1)
  }

  /// Says goodbye and waits, two seconds at most, until the broker has closed its side: then it has read
  /// everything we said.
  ///
  /// When a socket is closed with something unread in it, the kernel resets the connection; a broker that
  /// meets the reset before the goodbye publishes the Will.
  public func disconnectGently() {
    let linger = dup(descriptor)
    disconnect()
    guard linger >= 0 else { return }
    defer { close(linger) }
    shutdown(linger, Int32(SHUT_WR))
    var bytes = [UInt8](repeating: 0, count: 4_096)
    for _ in 0..<20 {
      var polled = pollfd(fd: linger, events: Int16(POLLIN), revents: 0)
      guard poll(&polled, 1, 100) > 0 else { continue }
      if recv(linger, &bytes, bytes.count, Int32(MSG_DONTWAIT)) <= 0 { return }
    }
  }

  // MARK: - Callbacks

  private func received(_ message: mosquitto_message, properties: OpaquePointer?) {
    publishesInRead += 1
    var contentType: UnsafeMutablePointer<CChar>?
    var origin: UnsafeMutablePointer<CChar>?
    if properties != nil {
      mosquitto_property_read_string(
        properties, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), &contentType, false)
      origin = Self.origin(properties)
    }
    defer {
      free(contentType)
      free(origin)
    }
    onPublish(
      IncomingPublish(
        topic: UnsafeRawBufferPointer(start: message.topic, count: strlen(message.topic)),
        payload: UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen)),
        contentType: UnsafeRawBufferPointer(
          start: contentType, count: contentType.map { strlen($0) } ?? 0),
        origin: UnsafeRawBufferPointer(start: origin, count: origin.map { strlen($0) } ?? 0),
        packetID: message.qos > 0 ? UInt16(truncatingIfNeeded: message.mid) : 0,
        isRetained: message.retain))
  }

  /// To be freed; `nil`: no user property names an origin.
  private static func origin(_ properties: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    let identifier = Int32(MQTT_PROP_USER_PROPERTY.rawValue)
    var place = properties
    var isFurther = false
    while true {
      var name: UnsafeMutablePointer<CChar>?
      var value: UnsafeMutablePointer<CChar>?
      place = mosquitto_property_read_string_pair(place, identifier, &name, &value, isFurther)
      guard place != nil else { return nil }
      isFurther = true
      defer { free(name) }
      if let name, strcmp(name, Publisher.originProperty) == 0 { return value }
      free(value)
    }
  }

  private func acknowledged(code: Int32, flags: Int32) {
    guard code == 0 else {
      onEvent(.refused(reason: Client.connackText(code, version: client.settings.version)))
      return
    }
    let sessionPresent = flags & 1 != 0
    onEvent(.connected(sessionPresent: sessionPresent))
    // Also with a session present: filters may have been added to the configuration since, and a
    // repeated subscription changes nothing (Retain Handling 1).
    for subscription in client.settings.subscriptions { subscribe(subscription) }
  }

  private func subscribe(_ subscription: MQTTSettings.Subscription) {
    var packetID: Int32 = 0
    let isV5 = client.settings.version == .v5
    // Retain Handling 1: retained messages only when the subscription is new. No Local: not our own.
    let noLocal = subscription.includesOwn ? 0 : MQTT_SUB_OPT_NO_LOCAL.rawValue
    let options = isV5 ? Int32(noLocal | MQTT_SUB_OPT_SEND_RETAIN_NEW.rawValue) : 0
    let code = mosquitto_subscribe_v5(
      client.handle, &packetID, subscription.filter, subscription.qos, options, nil)
    if code == MOSQ_ERR_SUCCESS.rawValueAsInt32 {
      pendingSubscriptions[packetID] = subscription.filter
    } else {
      onEvent(.refused(reason: "subscription '\(subscription.filter)': \(Client.text(code))"))
    }
  }

  private func subscribed(packetID: Int32, granted: Int32) {
    guard let filter = pendingSubscriptions.removeValue(forKey: packetID) else { return }
    onEvent(.subscribed(filter: filter, grantedQoS: granted))
  }

  private func disconnected(code: Int32) {
    pendingSubscriptions.removeAll()
    onEvent(.disconnected(reason: code == 0 ? "closed by us" : Client.text(code)))
  }
}
