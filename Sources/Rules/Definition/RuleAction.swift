import Telemetry

/// What a rule does besides its alarm; delivery is somebody else's.
public struct RuleAction: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// An event in the event log.
    case event(name: String)
    /// `payload` empty: a JSON object with everything.
    case mqtt(topic: Template, payload: Template?, qos: UInt8, isRetained: Bool)
    /// `secret` is the name of a credential, never the secret itself.
    case webhook(url: String, secret: String, format: WebhookFormat)
    case email(to: [String], subject: Template)
    case log(LogLevel)

    var templates: [Template] {
      switch self {
      case .mqtt(let topic, let payload, _, _): [topic, payload].compactMap { $0 }
      case .email(_, let subject): [subject]
      case .event, .webhook, .log: []
      }
    }
  }

  /// Which moment it is for.
  public enum Moment: String, Hashable, Sendable, CaseIterable {
    case raised, cleared, both
  }

  public var kind: Kind
  public var moment: Moment

  public init(kind: Kind, moment: Moment = .raised) {
    self.kind = kind
    self.moment = moment
  }
}

public enum WebhookFormat: String, Hashable, Sendable, CaseIterable { case json, slack }

public enum LogLevel: String, Hashable, Sendable, CaseIterable {
  case debug, info, notice, warning, error
}

/// An action to be carried out, with all its texts made.
public struct RuleEffect: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case event(name: String)
    case mqtt(topic: String, payload: String, qos: UInt8, isRetained: Bool)
    case webhook(url: String, secret: String, format: WebhookFormat, body: String)
    case email(to: [String], subject: String, body: String)
    case log(LogLevel, text: String)
  }

  public var key: AlarmKey
  public var kind: Kind
  /// The rule became active; else it was cleared.
  public var isRaised: Bool
  public var time: Timestamp
  public var device: String
  public var text: String
  /// The facts as a JSON object: rule, source, device, asset, priority, value, unit, text, time.
  public var facts: String
  /// Activations since the last effect whose effects `at_most_once_per` left out.
  public var leftOut: UInt32
}
