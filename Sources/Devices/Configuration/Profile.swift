import Telemetry

/// A kind of device and what its metrics mean; many devices share one.
public struct Profile: Hashable, Sendable {
  public var id: String
  public var description: String
  /// In the order of the file.
  public var metrics: [MetricProfile]
  /// What a person may set, in the order of the file; empty: everything is read-only.
  public var desired: [DesiredProperty]
  /// How long samples are kept; `nil`: as the store decides.
  public var retention: Duration?
  public var labels: [Label]

  public init(
    id: String, description: String = "", metrics: [MetricProfile] = [],
    desired: [DesiredProperty] = [], retention: Duration? = nil, labels: [Label] = []
  ) {
    self.id = id
    self.description = description
    self.metrics = metrics
    self.desired = desired
    self.retention = retention
    self.labels = labels
  }

  /// The metric called `name`, by linear search: for set-up, not for samples.
  public func metric(_ name: String) -> MetricProfile? { metrics.first { $0.name == name } }
}

/// What is known beforehand about one metric of a profile.
public struct MetricProfile: Hashable, Sendable {
  public var name: String
  public var description: String
  public var type: ValueType
  public var kind: MetricKind
  /// The unit the series is stored in, and the one assumed where the payload names none.
  public var unit: Telemetry.Unit?
  /// The engineering range in `unit`; values outside are stored as uncertain.
  public var range: ClosedRange<Double>?
  /// Changes smaller than this, in `unit`, mean nothing.
  public var deadband: Double?
  /// How often a sample is expected.
  public var interval: Duration?
  /// The words of a state and how the source writes them.
  public var values: StateValues?
  /// A counter starts again at 0 after `rollover − 1`.
  public var rollover: Double?
  public var labels: [Label]

  public init(
    name: String, description: String = "", type: ValueType = .number, kind: MetricKind = .gauge,
    unit: Telemetry.Unit? = nil, range: ClosedRange<Double>? = nil, deadband: Double? = nil,
    interval: Duration? = nil, values: StateValues? = nil, rollover: Double? = nil,
    labels: [Label] = []
  ) {
    self.name = name
    self.description = description
    self.type = type
    self.kind = kind
    self.unit = unit
    self.range = range
    self.deadband = deadband
    self.interval = interval
    self.values = values
    self.rollover = rollover
    self.labels = labels
  }
}

/// The words a state can take, each with what the source sends for it.
public struct StateValues: Hashable, Sendable {
  public struct Word: Hashable, Sendable {
    /// As the source sends it: `1`, `RUN`; the shortest text of a number.
    public var raw: String
    /// As it is stored and shown: `running`.
    public var word: String

    public init(raw: String, word: String) {
      self.raw = raw
      self.word = word
    }
  }

  public var words: [Word]

  public init(_ words: [Word]) { self.words = words }

  /// The word for what the source sent; a word itself is taken as sent.
  /// - Returns: `nil` when neither is listed.
  public func word(for raw: String) -> String? {
    words.first { $0.raw == raw }?.word ?? (words.contains { $0.word == raw } ? raw : nil)
  }
}

/// A free attribute of a profile, metric or device, for filters and grouping.
public struct Label: Hashable, Sendable {
  public var name: String
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}
