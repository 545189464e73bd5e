/// Where the broker is and how we speak to it.
public struct MQTTSettings: Sendable, Hashable {
  public enum Version: String, Sendable, CaseIterable {
    case v5 = "5"
    case v311 = "3.1.1"
  }

  public struct TLS: Sendable, Hashable {
    /// PEM file of the authorities we trust; empty: the system's.
    public var caFile: String = ""
    public var certificateFile: String = ""
    public var keyFile: String = ""
    /// Accept a certificate for another host name: for tests, never for production.
    public var allowsAnyHostName = false

    public init() {}
  }

  public struct Subscription: Sendable, Hashable {
    public var filter: String
    /// 0 or 1. At 2 a message would be acknowledged before we ever see it.
    public var qos: Int32
    /// Whether what this client id itself publishes comes back. MQTT 3.1.1 knows no other way.
    public var includesOwn = false

    public init(filter: String, qos: Int32, includesOwn: Bool = false) {
      self.filter = filter
      self.qos = qos
      self.includesOwn = includesOwn
    }
  }

  /// What the broker publishes for us, retained and at QoS 1, when we vanish without a goodbye.
  public struct Will: Sendable, Hashable {
    public var topic: String
    public var payload: String

    public init(topic: String, payload: String) {
      self.topic = topic
      self.payload = payload
    }
  }

  public var host = "127.0.0.1"
  /// 1883, or 8883 with TLS.
  public var port: Int32 = 1883
  public var version = Version.v5
  /// The same at every start, so that the broker keeps our session.
  public var clientID = "millwright"
  public var username: String?
  public var password: String?
  public var tls: TLS?
  public var keepAliveSeconds: Int32 = 30
  /// How long the broker queues for us while we are away. Default one week.
  public var sessionExpirySeconds: UInt32 = 7 * 86_400
  /// QoS 1 deliveries that may wait for our acknowledgement.
  public var receiveMaximum: UInt16 = 1000
  public var subscriptions: [Subscription] = [Subscription(filter: "#", qos: 1)]
  public var will: Will?

  public init() {}
}

/// Why a connection could not be made or kept.
public struct MQTTError: Error, Sendable, CustomStringConvertible {
  public let detail: String

  public init(_ detail: String) { self.detail = detail }

  public var description: String { detail }
}
