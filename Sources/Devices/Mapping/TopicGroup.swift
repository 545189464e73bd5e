/// Topics that differ in one level alone and carry the same: most often devices of one kind.
public struct TopicGroup: Hashable, Sendable {
  /// The route's pattern: `plant/{line}/{device}/telemetry`.
  public var pattern: String
  /// The template of the device's id: `{device}` or a name.
  public var device: String
  /// For bare values: the template of the metric's name.
  public var metric: String?
  public var topics: [String]

  /// Last levels that name what is sent, not who sends it.
  private static let generic: Set<String> = [
    "telemetry", "data", "state", "status", "values", "sensor", "sensors", "measurement",
    "measurements", "up", "uplink", "event", "events", "info", "json", "metrics", "attributes",
  ]

  /// - Parameters:
  ///   - topics: of one number of levels, with the same payload.
  ///   - isScalar: each topic carries one bare value, named by its last level.
  public init(_ topics: [String], isScalar: Bool) {
    self.topics = topics.sorted()
    let levels = self.topics.map {
      $0.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }
    let first = levels[0]
    let metricLevel = isScalar && first.count > 1 ? first.count - 1 : nil
    let varying = first.indices.filter { index in
      index != metricLevel && levels.contains { $0[index] != first[index] }
    }
    let isGenericEnd =
      metricLevel == nil && first.count > 1
      && TopicGroup.generic.contains(first[first.count - 1].lowercased())
    var deviceLevel = varying.last ?? (metricLevel ?? first.count) - (isGenericEnd ? 2 : 1)
    deviceLevel = max(0, deviceLevel)
    var parts = first
    for index in varying where index != deviceLevel { parts[index] = "{level\(index + 1)}" }
    if let metricLevel {
      parts[metricLevel] = "{metric}"
      metric = "{metric}"
    }
    if varying.contains(deviceLevel) {
      parts[deviceLevel] = "{device}"
      device = "{device}"
    } else {
      device = first[deviceLevel]
    }
    pattern = parts.joined(separator: "/")
  }

  /// Puts topics together whose payloads have the same members and whose levels are as many.
  ///
  /// - Parameter shapes: of each topic the names of its metrics, sorted and joined; `nil` for a bare value.
  public static func groups(_ shapes: [String: String?]) -> [TopicGroup] {
    var byShape: [String: [String]] = [:]
    for (topic, shape) in shapes {
      let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
      // Of bare values the branch above device and metric tells who belongs together.
      let branch = levels.dropLast(2).joined(separator: "/")
      byShape["\(levels.count)|" + (shape.map { "j" + $0 } ?? "s" + branch), default: []].append(
        topic)
    }
    return byShape.sorted { $0.key < $1.key }.map { key, topics in
      TopicGroup(topics, isScalar: key.split(separator: "|")[1].hasPrefix("s"))
    }.sorted { $0.pattern < $1.pattern }
  }
}
