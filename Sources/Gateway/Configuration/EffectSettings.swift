/// How what leaves the box because of derived events is delivered.
public struct EffectSettings: Sendable, Hashable {
  /// A webhook or a mail that fails is given up when it has waited longer than this.
  public var ageSecondsMax: Int64 = 86_400
  /// Hosts that webhooks may go to, each `host`, `host:port` or `*.domain`; empty: any.
  public var webhookHosts: [String] = []
  /// Hosts that are sent to at the same time; to each one delivery after the other.
  public var concurrency = 4

  public init() {}

  /// - Parameter target: host, or host and port, as in a URL.
  func allows(_ target: String) -> Bool {
    guard !webhookHosts.isEmpty else { return true }
    let host = target.split(separator: ":").first.map(String.init) ?? target
    return webhookHosts.contains { allowed in
      allowed == target || allowed == host
        || (allowed.hasPrefix("*.") && host.hasSuffix(allowed.dropFirst()))
    }
  }
}

/// The server that takes our mail.
public struct SMTPSettings: Sendable, Hashable {
  public enum Security: String, Sendable, CaseIterable {
    case none
    /// Begins in the clear and must go over to TLS before anything else is said.
    case starttls
    case tls

    var usualPort: Int {
      switch self {
      case .none: 25
      case .starttls: 587
      case .tls: 465
      }
    }
  }

  public var host: String
  public var port: Int
  /// Sender and envelope address.
  public var from: String
  public var username: String?
  public var password: String?
  public var security: Security

  public init(
    host: String, port: Int? = nil, from: String, username: String? = nil, password: String? = nil,
    security: Security = .starttls
  ) {
    self.host = host
    self.port = port ?? security.usualPort
    self.from = from
    self.username = username
    self.password = password
    self.security = security
  }
}
