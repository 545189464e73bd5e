import CMosquitto
import Glibc

/// A libmosquitto client with its settings applied; what Subscriber and Publisher share.
final class Client {
  let handle: OpaquePointer
  let settings: MQTTSettings

  /// libmosquitto wants one call before any other; a lazy global is run once, thread-safe.
  private static let libraryIsReady: Bool = mosquitto_lib_init() == MOSQ_ERR_SUCCESS.rawValueAsInt32

  /// - Throws: `MQTTError` when a TLS file cannot be used or memory is short.
  init(settings: MQTTSettings, clientID: String, keepsSession: Bool) throws {
    guard Client.libraryIsReady,
      let handle = mosquitto_new(clientID, !keepsSession, nil)
    else { throw MQTTError("libmosquitto could not make a client for id '\(clientID)'") }
    self.handle = handle
    self.settings = settings
    let version = settings.version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
    try check(
      mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, Int32(version)), "protocol version")
    try check(mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY")
    if let username = settings.username {
      try check(mosquitto_username_pw_set(handle, username, settings.password), "user name")
    }
    if let tls = settings.tls { try apply(tls) }
    if let will = settings.will {
      let code = will.payload.withCString {
        mosquitto_will_set(handle, will.topic, Int32(will.payload.utf8.count), $0, 1, true)
      }
      try check(code, "Will on \(will.topic)")
    }
  }

  deinit { mosquitto_destroy(handle) }

  private func apply(_ tls: MQTTSettings.TLS) throws {
    if tls.caFile.isEmpty {
      try check(mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1), "system certificates")
    }
    try check(
      mosquitto_tls_set(
        handle, tls.caFile.isEmpty ? nil : tls.caFile, nil,
        tls.certificateFile.isEmpty ? nil : tls.certificateFile,
        tls.keyFile.isEmpty ? nil : tls.keyFile, nil),
      "TLS files (ca \(tls.caFile), certificate \(tls.certificateFile), key \(tls.keyFile))")
    try check(mosquitto_tls_opts_set(handle, 1, "tlsv1.2", nil), "TLS 1.2 or later")
    try check(mosquitto_tls_insecure_set(handle, tls.allowsAnyHostName), "TLS host name check")
  }

  /// Hands a message to libmosquitto, which keeps it at QoS 1 until the broker has acknowledged it.
  /// - Returns: false when it was not taken, at QoS 0 also for want of a connection.
  func publish(topic: String, payload: [UInt8], qos: Int32, isRetained: Bool) -> Bool {
    let code = payload.withUnsafeBytes {
      mosquitto_publish(handle, nil, topic, Int32($0.count), $0.baseAddress, qos, isRetained)
    }
    return code == MOSQ_ERR_SUCCESS.rawValueAsInt32
      || (qos > 0 && code == MOSQ_ERR_NO_CONN.rawValueAsInt32)
  }

  /// As `publish`, and tells the message id by which its acknowledgement is known.
  /// - Parameter origin: told as a user property, which MQTT 3.1.1 does not have.
  func publishTracked(
    topic: String, payload: [UInt8], qos: Int32, isRetained: Bool, origin: String
  ) -> (mid: Int32, code: Int32) {
    var properties: OpaquePointer?
    defer { mosquitto_property_free_all(&properties) }
    if settings.version == .v5 {
      let code = mosquitto_property_add_string_pair(
        &properties, Int32(MQTT_PROP_USER_PROPERTY.rawValue), Publisher.originProperty, origin)
      guard code == MOSQ_ERR_SUCCESS.rawValueAsInt32 else { return (0, code) }
    }
    var mid: Int32 = 0
    let code = payload.withUnsafeBytes {
      mosquitto_publish_v5(
        handle, &mid, topic, Int32($0.count), $0.baseAddress, qos, isRetained, properties)
    }
    let isKept = qos > 0 && code == MOSQ_ERR_NO_CONN.rawValueAsInt32
    return (mid, isKept ? MOSQ_ERR_SUCCESS.rawValueAsInt32 : code)
  }

  /// Reads packets until the socket is dry or there are enough of them.
  /// - Parameter isEnough: asked before each packet.
  func read(until isEnough: () -> Bool) -> Subscriber.ReadResult {
    while !isEnough() {
      errno = 0
      let code = mosquitto_loop_read(handle, 1)
      let systemCode = errno
      if code != MOSQ_ERR_SUCCESS.rawValueAsInt32 { return .closed }
      if systemCode == EAGAIN || systemCode == EWOULDBLOCK { return .dry }
    }
    return .limit
  }

  func check(_ code: Int32, _ what: String) throws {
    if code != MOSQ_ERR_SUCCESS.rawValueAsInt32 {
      throw MQTTError("\(what): \(Client.text(code))")
    }
  }

  /// libmosquitto's sentence for a result; for `MOSQ_ERR_ERRNO` the system's.
  static func text(_ code: Int32, systemCode: Int32 = errno) -> String {
    if code == MOSQ_ERR_ERRNO.rawValueAsInt32 { return String(cString: strerror(systemCode)) }
    return String(cString: mosquitto_strerror(code))
  }

  /// What a CONNACK code means, in words of the protocol version.
  static func connackText(_ code: Int32, version: MQTTSettings.Version) -> String {
    version == .v5
      ? String(cString: mosquitto_reason_string(code))
      : String(cString: mosquitto_connack_string(code))
  }
}

extension mosq_err_t {
  var rawValueAsInt32: Int32 { Int32(rawValue) }
}
