import Payloads
import Telemetry

/// A message that a mapping is proposed from.
public struct ObservedMessage: Sendable {
  public var topic: String
  public var payload: [UInt8]
  public var contentType: String
  public var received: Timestamp

  public init(topic: String, payload: [UInt8], contentType: String = "", received: Timestamp) {
    self.topic = topic
    self.payload = payload
    self.contentType = contentType
    self.received = received
  }
}

/// Routes and profiles that messages ask for: what `millwright map` shows and writes.
///
/// The messages are resolved twice: under the configuration in force, to learn which topics nothing is known
/// of, and with the routes that follow from them, to see devices and metrics as they would be stored.
public struct MappingProposal: Sendable {
  /// Devices with the same metrics.
  public struct ProposedProfile: Hashable, Sendable {
    public var id: String
    public var devices: [String]
    public var metrics: [MetricGuess]
    /// Its devices are understood by themselves or were mapped before: nothing needs to be written.
    public var isKnown: Bool
  }

  public struct ProposedRoute: Hashable, Sendable {
    public var group: TopicGroup
    /// Empty: the devices of the route are of several kinds.
    public var profile: String
    public var isScalar: Bool
  }

  public private(set) var profiles: [ProposedProfile] = []
  public private(set) var routes: [ProposedRoute] = []

  /// Devices that no proposed route gives their profile, with it.
  public var declarations: [(device: String, profile: String)] {
    let byRoute = Set(routes.map(\.profile))
    return profiles.filter { !$0.isKnown && !byRoute.contains($0.id) }
      .flatMap { profile in profile.devices.map { ($0, profile.id) } }
  }

  /// Topics that something is known of, with what: `zigbee2mqtt/gate` → `announced by …`.
  public private(set) var known: [(topic: String, origin: TopicOrigin)] = []
  /// What could not be read, once per topic and reason.
  public private(set) var refused: [(topic: String, reason: String)] = []
  public private(set) var messageCount = 0

  /// - Parameters:
  ///   - configuration: in force; its routes and profiles stay as they are.
  ///   - memory: what a gateway's decoders remember, so that births and announcements it heard count.
  public init(
    _ messages: [ObservedMessage], configuration: DeviceConfiguration,
    memory: [(name: String, content: [UInt8])] = []
  ) {
    messageCount = messages.count
    let first = MappingPass(messages, configuration: configuration, memory: memory)
    refused = first.refused
    known = first.origins.filter { $0.value != .none }
      .map { (topic: $0.key, origin: $0.value) }.sorted { $0.topic < $1.topic }
    let groups = TopicGroup.groups(
      first.shapes.filter {
        first.origins[$0.key] == TopicOrigin.none && !first.namedByPayload.contains($0.key)
      })
    var proposed = configuration
    for group in groups {
      if let route = Route(group) { proposed.routes.append(route) }
    }
    let second = MappingPass(messages, configuration: proposed, memory: memory)
    profiles = MappingProposal.profiles(
      second, taken: Set(configuration.profiles.map(\.id)),
      named: Set(first.namedByPayload.flatMap { first.devices[$0] ?? [] }))
    routes = groups.map { group in
      let devices = Set(group.topics.flatMap { second.devices[$0] ?? [] })
      let match = profiles.first { !$0.isKnown && devices.isSubset(of: Set($0.devices)) }
      return ProposedRoute(group: group, profile: match?.id ?? "", isScalar: group.metric != nil)
    }
  }

  /// - Parameter named: devices that their payloads name; with units for all they need no profile.
  private static func profiles(
    _ pass: MappingPass, taken ids: Set<String>, named: Set<String>
  ) -> [ProposedProfile] {
    var groups: [[String]: [String]] = [:]
    for (device, metrics) in pass.guesses {
      groups[metrics.keys.sorted(), default: []].append(device)
    }
    var taken = ids
    return groups.sorted { $0.value.min() ?? "" < $1.value.min() ?? "" }.map { names, devices in
      let devices = devices.sorted()
      let metrics = names.map { name in
        MetricGuess(name, devices.compactMap { pass.guesses[$0]?[name] })
      }
      var id = profileID(devices)
      let base = id
      var number = 1
      while !taken.insert(id).inserted {
        number += 1
        id = "\(base)_\(number)"
      }
      return ProposedProfile(
        id: id, devices: devices, metrics: metrics,
        isKnown: metrics.allSatisfy { $0.isAsStored || $0.isGuess }
          && (devices.allSatisfy { pass.knownDevices.contains($0) }
            || (devices.allSatisfy(named.contains) && !metrics.contains { $0.isGuess }))
      )
    }
  }

  /// `press1`, `press2` → press; else the name of the first.
  private static func profileID(_ devices: [String]) -> String {
    let first = devices[0].split(separator: ".").last.map(String.init) ?? devices[0]
    var name = first.lowercased()
    while let last = name.last, last.isNumber || "-_".contains(last) { name.removeLast() }
    let letters = name.map { $0.isLetter || $0.isNumber ? $0 : "_" }
    return letters.isEmpty ? "device" : String(letters)
  }
}

extension MetricGuess {
  /// The reading of several devices together; where they differ it is a guess.
  init(_ name: String, _ guesses: [MetricGuess]) {
    self = guesses[0]
    for other in guesses.dropFirst() {
      if other.type != type || other.kind != kind || other.unit != unit { isGuess = true }
      if !other.isAsStored { isAsStored = false }
      // One that is sure tells more than one that saw little.
      if isGuess, !other.isGuess { self = other }
    }
  }
}

extension Route {
  /// - Returns: `nil` when the topics hold characters that no pattern can.
  init?(_ group: TopicGroup) {
    guard let pattern = try? TopicPattern(group.pattern),  // A brace in a topic: it stays unmapped.
      let device = try? TopicTemplate(group.device)
    else { return nil }
    self.init(topic: pattern, format: group.metric == nil ? nil : .scalar, device: device)
    if let metric = group.metric { self.metric = try? TopicTemplate(metric) }  // Ours: well-formed.
  }
}
