import Payloads

/// What tells how messages of a topic are read.
public enum TopicOrigin: Hashable, Sendable {
  /// Nothing is known: the payload and the levels of the topic decide.
  case none
  case route(String)
  case device(String)
  case sparkplug
  /// The topic carries descriptions of other topics.
  case announcement
  /// A device described itself before.
  case announced(AnnouncementFamily)
  /// The topic is laid out as a family does.
  case habitual(AnnouncementFamily)
  case ignored

  public var text: String {
    switch self {
    case .none: "no route: the payload, else the levels of the topic, name the device"
    case .route(let pattern): "route `\(pattern)`"
    case .device(let id): "the topic of device `\(id)` in devices/*.yaml"
    case .sparkplug: "laid out as Sparkplug B says"
    case .announcement: "describes other topics"
    case .announced(let family): "described by its device (\(family.rawValue))"
    case .habitual(let family): "laid out as \(family.rawValue) does"
    case .ignored: "ignored by a route or by its family"
    }
  }
}

extension Resolver {
  /// What tells how messages of this topic are read, as of now.
  public mutating func origin(of topic: String) -> TopicOrigin {
    var topic = topic
    let plan = plans[topic.withUTF8 { planPosition(of: UnsafeRawBufferPointer($0)) }]
    if plan.isAnnouncement { return .announcement }
    if plan.isIgnored { return .ignored }
    if plan.route >= 0 { return .route(configuration.routes[plan.route].topic.description) }
    if plan.isRouted { return .device(plan.device.id) }
    if plan.sparkplug != nil { return .sparkplug }
    guard let family = plan.family else { return .none }
    return plan.isAnnounced ? .announced(family) : .habitual(family)
  }

  /// Whether messages of this topic describe others.
  mutating func announces(_ topic: String) -> Bool { origin(of: topic) == .announcement }

  /// Whether the last message of this topic was one bare value.
  mutating func isScalar(_ topic: String) -> Bool {
    var topic = topic
    let plan = plans[topic.withUTF8 { planPosition(of: UnsafeRawBufferPointer($0)) }]
    return plan.decoder.position >= 0 && plan.decoder.format == .scalar
  }
}
