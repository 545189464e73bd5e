import Telemetry

/// Who claims which topic and which metric, over all announcements.
struct AnnouncementIndex: Sendable {
  struct MetricKey: Hashable, Sendable {
    var device: String
    var metric: String
  }

  /// A place in the messages of a topic; an empty path is the whole payload.
  struct Place: Hashable, Sendable {
    var topic: String
    var path: String

    /// Stands for all paths of a topic: it carries JSON.
    static func document(_ topic: String) -> Place { Place(topic: topic, path: "\u{0}") }
  }

  struct TopicClaim: Sendable {
    var announcement: String
    var family: AnnouncementFamily
    var device: String
    var type: String
    var content: AnnouncedTopic.Content
  }

  struct MetricClaim: Sendable {
    var announcement: String
    var family: AnnouncementFamily
    var metric: AnnouncedMetric
  }

  /// More claims of one place than any installation has; later ones are refused.
  static let claimsMax = 64

  private(set) var topics: [String: [TopicClaim]] = [:]
  private(set) var metrics: [MetricKey: [MetricClaim]] = [:]
  private(set) var places: [Place: [MetricClaim]] = [:]
  /// Device id → announcement topics.
  private(set) var devices: [String: [String]] = [:]
  private(set) var metricCount = 0

  mutating func add(
    _ announcement: String, _ family: AnnouncementFamily, _ devices: [AnnouncedDevice]
  ) {
    for device in devices {
      self.devices[device.id, default: []].append(announcement)
      for topic in device.topics {
        topics[topic.topic, default: []].append(
          TopicClaim(
            announcement: announcement, family: family, device: device.id, type: device.type,
            content: topic.content))
      }
      metricCount += device.metrics.count
      let places = AnnouncementIndex.places(of: device)
      for metric in device.metrics {
        let claim = MetricClaim(announcement: announcement, family: family, metric: metric)
        metrics[MetricKey(device: device.id, metric: metric.name), default: []].append(claim)
        for place in places(metric.name) { self.places[place, default: []].append(claim) }
      }
    }
  }

  mutating func remove(_ announcement: String, _ devices: [AnnouncedDevice]) {
    for device in devices {
      AnnouncementIndex.remove(device.id, from: &self.devices) { $0 == announcement }
      for topic in Set(device.topics.map(\.topic)) {
        AnnouncementIndex.remove(topic, from: &topics) { $0.announcement == announcement }
      }
      metricCount -= device.metrics.count
      let places = AnnouncementIndex.places(of: device)
      for metric in device.metrics {
        let key = MetricKey(device: device.id, metric: metric.name)
        AnnouncementIndex.remove(key, from: &metrics) { $0.announcement == announcement }
        for place in places(metric.name) {
          AnnouncementIndex.remove(place, from: &self.places) { $0.announcement == announcement }
        }
      }
    }
  }

  private static func remove<Key: Hashable, Claim>(
    _ key: Key, from claims: inout [Key: [Claim]], where isGone: (Claim) -> Bool
  ) {
    claims[key]?.removeAll(where: isGone)
    if claims[key]?.isEmpty == true { claims[key] = nil }
  }

  /// Takes out the metrics that others, or the announcement itself, gave another meaning.
  func removeContradictions(
    from devices: inout [AnnouncedDevice], of announcement: String
  ) -> [Refusal] {
    var refusals: [Refusal] = []
    var own = AnnouncementIndex()
    for position in devices.indices {
      let device = devices[position]
      let places = AnnouncementIndex.places(of: device)
      var gone: Set<String> = []
      for metric in device.metrics {
        let key = MetricKey(device: device.id, metric: metric.name)
        let claimed = places(metric.name)
        let found =
          contradiction(of: metric, key, claimed) ?? own.contradiction(of: metric, key, claimed)
        guard let found else {
          let claim = MetricClaim(
            announcement: announcement, family: .homeAssistant, metric: metric)
          own.metrics[key, default: []].append(claim)
          for place in claimed { own.places[place, default: []].append(claim) }
          continue
        }
        gone.insert(metric.name)
        refusals.append(
          Refusal(
            place: "\(device.id)/\(metric.name)", code: "contradiction",
            detail: "`\(announcement)` and `\(found.other)` contradict each other about "
              + "`\(metric.name)` of `\(device.id)`: \(found.reason). Delete the retained message of "
              + "the one that is wrong, or add a route for the topic in devices/*.yaml."))
      }
      if !gone.isEmpty { devices[position].leaveOut(gone) }
    }
    return refusals
  }

  private func contradiction(
    of metric: AnnouncedMetric, _ key: MetricKey, _ claimed: [Place]
  ) -> (other: String, reason: String)? {
    for other in metrics[key] ?? [] {
      if let reason = metric.contradiction(of: other.metric) { return (other.announcement, reason) }
    }
    for place in claimed {
      let others = places[place] ?? []
      if place.path == "\u{0}" { continue }
      for other in others {
        if let reason = metric.contradiction(of: other.metric) {
          return (other.announcement, "at `\(place.path)` of `\(place.topic)` \(reason)")
        }
      }
      if others.count >= AnnouncementIndex.claimsMax {
        return (others[0].announcement, "\(others.count) announcements claim the same place")
      }
      let opposite =
        place.path.isEmpty ? Place.document(place.topic) : Place(topic: place.topic, path: "")
      if let other = places[opposite]?.first {
        return (
          other.announcement,
          "one reads the whole payload of `\(place.topic)`, the other a member of it"
        )
      }
    }
    return nil
  }

  /// Where the values of a device's metrics stand, as far as its topics tell.
  private static func places(of device: AnnouncedDevice) -> (String) -> [Place] {
    var known: [String: [Place]] = [:]
    var open: [String] = []
    for topic in device.topics {
      switch topic.content {
      case .scalar(let metric):
        known[metric, default: []].append(Place(topic: topic.topic, path: ""))
      case .values(let mapping):
        for metric in mapping.metrics {
          let name = metric.name.isEmpty ? metric.path : metric.name
          known[name, default: []] += [
            Place(topic: topic.topic, path: metric.path), .document(topic.topic),
          ]
        }
        if mapping.metrics.isEmpty, mapping.rest == .take { open.append(topic.topic) }
      case .availability, .ignored: break
      }
    }
    return { name in
      known[name] ?? open.flatMap { [Place(topic: $0, path: name), .document($0)] }
    }
  }
}

extension AnnouncedDevice {
  /// Without some of its metrics: they are not read from its topics either.
  mutating func leaveOut(_ names: Set<String>) {
    metrics.removeAll { names.contains($0.name) }
    topics = topics.compactMap { topic in
      switch topic.content {
      case .scalar(let metric): return names.contains(metric) ? nil : topic
      case .values(var mapping):
        let isExplicit = !mapping.metrics.isEmpty
        mapping.metrics.removeAll { names.contains($0.name.isEmpty ? $0.path : $0.name) }
        if isExplicit, mapping.metrics.isEmpty, mapping.rest == .ignore { return nil }
        if mapping.rest == .take { mapping.ignore += names.sorted() }
        return AnnouncedTopic(topic.topic, .values(mapping))
      case .availability, .ignored: return topic
      }
    }
  }
}
