/// An MQTT topic filter whose wildcards may have names: `plant/{line}/{device}/telemetry`.
///
/// ```
/// plant      the level `plant`
/// +          any one level
/// {device}   any one level, captured
/// #          any number of levels, also none; last only
/// {rest#}    one or more levels, captured; last only
/// ```
/// As in MQTT 5 (4.7.2), a wildcard at the start does not match topics that begin with `$`.
public struct TopicPattern: Hashable, Sendable, CustomStringConvertible {
  public enum Level: Hashable, Sendable {
    case literal(String)
    /// One level; captured when it has a name.
    case any(name: String?)
    /// The rest; captured when it has a name.
    case rest(name: String?)

    /// Smaller is more specific.
    var rank: Int {
      switch self {
      case .literal: 0
      case .any: 1
      case .rest: 2
      }
    }
  }

  public let levels: [Level]
  public let description: String

  /// A sentence about what is wrong with a pattern or template.
  public struct SyntaxError: Error, Hashable, Sendable {
    public var message: String
  }

  public init(_ text: String) throws(SyntaxError) {
    guard !text.isEmpty, text.utf8.count <= 65_535 else {
      throw SyntaxError(message: "a topic pattern must have 1 to 65535 bytes")
    }
    var levels: [Level] = []
    var names: [String] = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false) {
      if case .rest = levels.last {
        throw SyntaxError(message: "`#` and `{name#}` must be the last level of `\(text)`")
      }
      let level = try TopicPattern.level(String(part))
      if let name = level.name {
        guard !names.contains(name) else {
          throw SyntaxError(message: "the capture `{\(name)}` appears twice in `\(text)`")
        }
        names.append(name)
      }
      levels.append(level)
    }
    self.levels = levels
    self.description = text
  }

  private static func level(_ text: String) throws(SyntaxError) -> Level {
    if text == "+" { return .any(name: nil) }
    if text == "#" { return .rest(name: nil) }
    if text.first == "{", text.last == "}", text.utf8.count > 2 {
      let isRest = text.hasSuffix("#}")
      let name = String(text.dropFirst().dropLast(isRest ? 2 : 1))
      guard isCaptureName(name) else {
        throw SyntaxError(message: "`\(text)` is not a capture: use letters, digits and `_`")
      }
      return isRest ? .rest(name: name) : .any(name: name)
    }
    guard !text.contains(where: { "+#{}".contains($0) }) else {
      throw SyntaxError(message: "`\(text)`: a wildcard or capture must be a whole level")
    }
    return .literal(text)
  }

  /// Names of the captures, in order.
  public var captureNames: [String] { levels.compactMap(\.name) }

  /// Without wildcards and captures: it can only match the topic of the same text.
  public var isExact: Bool { levels.allSatisfy { $0.rank == 0 } }

  /// Matches the same topics as the other: equal but for the names of captures.
  func matchesSameTopics(as other: TopicPattern) -> Bool {
    levels.count == other.levels.count
      && zip(levels, other.levels).allSatisfy { $0.withoutName == $1.withoutName }
  }

  /// What the pattern captures from a topic split at `/`; `nil` when it does not match.
  public func captures(from topic: [Substring]) -> [TopicCapture]? {
    if case .literal = levels[0] {} else if topic.first?.first == "$" { return nil }
    var captures: [TopicCapture] = []
    for (index, level) in levels.enumerated() {
      switch level {
      case .literal(let text):
        guard index < topic.count, topic[index] == text else { return nil }
      case .any(let name):
        guard index < topic.count else { return nil }
        if let name { captures.append(TopicCapture(name: name, levels: [topic[index]])) }
      case .rest(let name):
        guard let name else { return captures }
        guard index < topic.count else { return nil }
        captures.append(TopicCapture(name: name, levels: Array(topic[index...])))
        return captures
      }
    }
    return topic.count == levels.count ? captures : nil
  }

  /// Whether a topic matches: as `captures`, without allocating anything; for what is asked for each message.
  public func matches(_ topic: UnsafeRawBufferPointer) -> Bool {
    if case .literal = levels[0] {} else if topic.first == UInt8(ascii: "$") { return false }
    // `nil`: the topic has no further level. An empty one is a level.
    var rest: Slice<UnsafeRawBufferPointer>? = topic[...]
    for level in levels {
      if case .rest(let name) = level { return name == nil || rest != nil }
      guard let left = rest else { return false }
      let end = left.firstIndex(of: UInt8(ascii: "/")) ?? left.endIndex
      if case .literal(let text) = level, !left[..<end].elementsEqual(text.utf8) { return false }
      rest = end < left.endIndex ? left[(end + 1)...] : nil
    }
    return rest == nil
  }

  /// Whether this pattern is tried before `other`: at the first level where they differ in kind,
  /// literal before one level before rest; where one ends, the shorter.
  public func isMoreSpecific(than other: TopicPattern) -> Bool {
    levels.lazy.map(\.rank).lexicographicallyPrecedes(other.levels.lazy.map(\.rank))
  }
}

/// What stood in a topic where the pattern had a capture.
public struct TopicCapture: Hashable, Sendable {
  public var name: String
  /// One level, or several of a `{rest#}`.
  public var levels: [Substring]
}

extension TopicPattern.Level {
  var name: String? {
    switch self {
    case .literal: nil
    case .any(let name), .rest(let name): name
    }
  }

  fileprivate var withoutName: TopicPattern.Level {
    switch self {
    case .literal: self
    case .any: .any(name: nil)
    // `#` also matches the level above, `{rest#}` does not.
    case .rest(let name): .rest(name: name == nil ? nil : "")
    }
  }
}

func isCaptureName(_ text: String) -> Bool {
  !text.isEmpty
    && text.utf8.allSatisfy {
      switch $0 {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
      default: false
      }
    }
}
