import Telemetry

/// What a device said about itself before it sent values.
public struct AnnouncedDevice: Hashable, Sendable {
  /// With us; levels of a topic are joined by `.`.
  public var id: String
  /// For people; may be empty.
  public var description: String
  /// Its model, a hint for the profile; may be empty.
  public var type: String
  public var topics: [AnnouncedTopic]
  public var metrics: [AnnouncedMetric]

  public init(
    id: String, description: String = "", type: String = "", topics: [AnnouncedTopic] = [],
    metrics: [AnnouncedMetric] = []
  ) {
    self.id = id
    self.description = description
    self.type = type
    self.topics = topics
    self.metrics = metrics
  }
}

/// An MQTT topic without wildcards and what comes there.
public struct AnnouncedTopic: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    /// JSON; the mapping's paths lead to the metrics.
    case values(JSONMapping)
    /// One bare value.
    case scalar(metric: String)
    case availability(AnnouncedAvailability)
    /// Known, and nothing to store.
    case ignored
  }

  public var topic: String
  public var content: Content

  public init(_ topic: String, _ content: Content) {
    self.topic = topic
    self.content = content
  }
}

/// What is known beforehand about one metric.
public struct AnnouncedMetric: Hashable, Sendable {
  /// A word of a state: as it is sent, and as it is stored.
  public struct Word: Hashable, Sendable {
    public var raw: String
    public var word: String

    public init(raw: String, word: String) {
      self.raw = raw
      self.word = word
    }
  }

  public var name: String
  /// `nil`: the first value tells.
  public var type: ValueType?
  /// `nil`: type and name tell.
  public var kind: MetricKind?
  /// As the source writes it, which may be no unit of ours; empty: not said.
  public var unit: String
  /// In `unit`.
  public var range: ClosedRange<Double>?
  /// Empty: any word.
  public var words: [Word]

  public init(
    name: String, type: ValueType? = nil, kind: MetricKind? = nil, unit: String = "",
    range: ClosedRange<Double>? = nil, words: [Word] = []
  ) {
    self.name = name
    self.type = type
    self.kind = kind
    self.unit = unit
    self.range = range
    self.words = words
  }

  /// A state of two values: a boolean when they are written as one, else a text of two words.
  ///
  /// `ON`/`OFF`, `true`/`false` and `1`/`0` in any case are written as a boolean; it is stored as it is
  /// sent, also where a source calls `false` its on.
  static func state(_ name: String, on: String, off: String) -> AnnouncedMetric {
    let booleans = [("on", "off"), ("true", "false"), ("1", "0")]
    let words = (on.lowercased(), off.lowercased())
    if booleans.contains(where: { $0 == words || ($0.1, $0.0) == words }) {
      return AnnouncedMetric(name: name, type: .boolean, kind: .state)
    }
    return AnnouncedMetric(
      name: name, type: .text, kind: .state,
      words: [Word(raw: off, word: off), Word(raw: on, word: on)])
  }

  /// How this says something else than `other`; `nil` when both may be true of one value.
  func contradiction(of other: AnnouncedMetric) -> String? {
    if let type, let otherType = other.type, type != otherType {
      return "\(type.name) here, \(otherType.name) there"
    }
    guard let own = Unit(unit), let others = Unit(other.unit), own.dimension != others.dimension
    else { return nil }
    return "`\(unit)` here, `\(other.unit)` there"
  }
}

/// The words by which a topic says whether a device is there.
public struct AnnouncedAvailability: Hashable, Sendable {
  /// Dotted path of the word where the payload is JSON; empty: it is bare.
  public var path: String
  public var online: String
  public var offline: String

  public init(path: String = "", online: String = "online", offline: String = "offline") {
    self.path = path
    self.online = online
    self.offline = offline
  }

  /// Whether the device is there; a bare word is understood also where a path is given.
  ///
  /// - Throws: `bad_availability` for any other word, and what is wrong with the JSON.
  public func isOnline(_ payload: UnsafeRawBufferPointer) throws(PayloadError) -> Bool {
    let start = payload.firstIndex { $0 > Ascii.blank } ?? payload.endIndex
    let end = payload.lastIndex { $0 > Ascii.blank }.map { $0 + 1 } ?? start
    var word = String(decoding: payload[start..<end].prefix(256), as: UTF8.self)
    if !path.isEmpty, word.hasPrefix("{") || word.hasPrefix("[") {
      let names = splitPath(path).map { String(decoding: $0, as: UTF8.self) }
      word = try JSONTree(reading: payload)[path: names]?.word ?? ""
    }
    if word == online { return true }
    if word == offline { return false }
    throw PayloadError(
      code: "bad_availability",
      detail: "Expected `\(online)` or `\(offline)`\(path.isEmpty ? "" : " at `\(path)`"), got "
        + "`\(word.prefix(40))`.")
  }
}
