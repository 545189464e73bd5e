import Payloads

/// How messages on some topics are read and whose they are; `routes:` in devices/*.yaml.
///
/// The device of a message is told by, in this order: the `device` of a mapping, the route's `device`
/// template, the payload itself (device format, tag of line protocol), the topic.
public struct Route: Hashable, Sendable {
  public var topic: TopicPattern
  /// `nil`: told by the content type, else by the bytes.
  public var format: PayloadFormat?
  public var device: TopicTemplate?
  /// Name of the metric of a scalar payload; `nil`: the last level of the topic.
  public var metric: TopicTemplate?
  /// Id of the profile of devices that arrive here first; empty: the payload's device type, if any.
  public var profile: String
  public var asset: TopicTemplate?
  public var mapping: JSONMapping
  /// Of the times in line protocol.
  public var linePrecision: TimePrecision
  /// `nil`: as in the settings.
  public var unknownDevices: UnknownDevicePolicy?
  /// Messages are dropped knowingly and counted.
  public var isIgnored: Bool
  /// Tells device, asset and metrics from the levels of the topic; `topic` is its pattern then.
  public var namespace: UnifiedNamespace?

  public init(
    topic: TopicPattern, format: PayloadFormat? = nil, device: TopicTemplate? = nil,
    metric: TopicTemplate? = nil, profile: String = "", asset: TopicTemplate? = nil,
    mapping: JSONMapping = .standard, linePrecision: TimePrecision = .nanoseconds,
    unknownDevices: UnknownDevicePolicy? = nil, isIgnored: Bool = false,
    namespace: UnifiedNamespace? = nil
  ) {
    self.topic = topic
    self.format = format
    self.device = device
    self.metric = metric
    self.profile = profile
    self.asset = asset
    self.mapping = mapping
    self.linePrecision = linePrecision
    self.unknownDevices = unknownDevices
    self.isIgnored = isIgnored
    self.namespace = namespace
  }
}

/// Finds the route of a topic.
///
/// The most specific pattern wins: compared level by level, a literal before a capture or `+` before
/// `#`. Between equals, a device's own topic comes before a route, then the order of the files decides.
struct RouteTable: Sendable {
  enum Target: Hashable, Sendable {
    case device(Int)
    case route(Int)
  }

  private struct Entry: Sendable {
    var pattern: TopicPattern
    var target: Target
    /// Has a say of its own in what matches.
    var namespace: UnifiedNamespace?
  }

  private var exact: [String: Target] = [:]
  private var patterns: [Entry] = []

  init(devices: [DeclaredDevice], routes: [Route]) {
    var entries: [Entry] = []
    for (index, device) in devices.enumerated() {
      if let topic = device.topic { entries.append(Entry(pattern: topic, target: .device(index))) }
    }
    for (index, route) in routes.enumerated() {
      entries.append(
        Entry(pattern: route.topic, target: .route(index), namespace: route.namespace))
    }
    for entry in entries where entry.pattern.isExact {
      let topic = entry.pattern.description
      if exact[topic] == nil { exact[topic] = entry.target }
    }
    let wild = entries.filter { !$0.pattern.isExact }.enumerated()
    patterns = wild.sorted { a, b in
      if a.element.pattern.isMoreSpecific(than: b.element.pattern) { return true }
      if b.element.pattern.isMoreSpecific(than: a.element.pattern) { return false }
      return a.offset < b.offset
    }.map(\.element)
  }

  /// Linear in the number of patterns with wildcards; the resolver asks once per topic.
  func match(_ topic: String) -> (target: Target, captures: [TopicCapture])? {
    if let target = exact[topic] { return (target, []) }
    let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
    for entry in patterns {
      guard let captures = entry.pattern.captures(from: levels) else { continue }
      if let namespace = entry.namespace, namespace.place(of: levels) == nil { continue }
      return (entry.target, captures)
    }
    return nil
  }
}
