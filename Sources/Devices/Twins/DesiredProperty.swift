import Telemetry

/// A property of a device that a person may set, with everything that keeps a command safe.
///
/// A profile without `desired:` has none: every property is read-only.
public struct DesiredProperty: Hashable, Sendable {
  public var name: String
  public var description: String
  /// The metric whose reported value is to become the desired one.
  public var metric: String
  /// That of the metric.
  public var type: ValueType
  /// The unit in which it is set and sent; numbers only.
  public var unit: Telemetry.Unit?
  /// Inclusive and finite, in `unit`; numbers have a range, a list of allowed values, or both.
  public var range: ClosedRange<Double>?
  /// Empty: any value in the range, or for booleans both.
  public var allowed: [Value]
  /// A reported number this near, in `unit`, is the desired one. At or above 0.
  public var tolerance: Double
  /// All must hold at the time of the command; empty: declared as `always`.
  public var permittedWhen: [PermittingState]
  public var topic: CommandTemplate
  public var payload: CommandPayload
  /// A command is not sent later than this after it was given.
  public var expires: Duration
  /// After this without the reported value getting there, the desire has timed out.
  public var timeout: Duration
  /// Least time between two commands.
  public var rateLimit: Duration
  /// What the source writes for a word, where that differs.
  public var words: StateValues?

  public static let defaultExpires = Duration.seconds(30)
  public static let defaultTimeout = Duration.seconds(120)
  public static let defaultRateLimit = Duration.seconds(5)
  /// Under the topic root of what the gateway publishes.
  public static let defaultTopic = CommandTemplate(parts: [
    .text("command/"), .place(.device), .text("/"), .place(.property),
  ])

  public init(
    name: String, metric: String? = nil, type: ValueType = .number, unit: Telemetry.Unit? = nil,
    range: ClosedRange<Double>? = nil, allowed: [Value] = [], tolerance: Double = 0,
    permittedWhen: [PermittingState] = []
  ) {
    self.name = name
    description = ""
    self.metric = metric ?? name
    self.type = type
    self.unit = unit
    self.range = range
    self.allowed = allowed
    self.tolerance = tolerance
    self.permittedWhen = permittedWhen
    topic = Self.defaultTopic
    payload = .standard
    expires = Self.defaultExpires
    timeout = Self.defaultTimeout
    rateLimit = Self.defaultRateLimit
  }

  /// What the device calls a value: for a word what its source writes for it.
  func raw(_ value: Value) -> Value {
    guard case .text(let word) = value,
      let raw = words?.words.first(where: { $0.word == word })?.raw
    else { return value }
    return .text(raw)
  }

  /// Whether a reported value, already in `unit`, is the desired one.
  func isReached(_ desired: Value, by reported: Value) -> Bool {
    switch (desired, reported) {
    case (.number(let wanted), .number(let found)): (wanted - found).magnitude <= tolerance
    default: desired == reported
    }
  }
}

/// A state of the machine in which a property may be set: one of a few words of a metric.
public struct PermittingState: Hashable, Sendable {
  public var metric: String
  /// Words of the metric; `true` and `false` for booleans.
  public var words: [String]

  public init(metric: String, words: [String]) {
    self.metric = metric
    self.words = words
  }
}
