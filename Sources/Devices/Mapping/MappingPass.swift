import Payloads
import Telemetry

/// Messages resolved under one configuration, and what was seen on the way.
struct MappingPass {
  /// Per topic with values: the names of its metrics, joined; `nil` for a bare value.
  private(set) var shapes: [String: String?] = [:]
  private(set) var origins: [String: TopicOrigin] = [:]
  /// Devices met on a topic.
  private(set) var devices: [String: Set<String>] = [:]
  /// Devices of topics that something is known of.
  private(set) var knownDevices: Set<String> = []
  /// Device → metric → what it seems to be.
  private(set) var guesses: [String: [String: MetricGuess]] = [:]
  /// Topics whose payloads name the device themselves: a route would only rename it.
  private(set) var namedByPayload: Set<String> = []
  private(set) var refused: [(topic: String, reason: String)] = []
  private var resolver: Resolver
  private var observations: [UInt32: SeriesObservation] = [:]
  private var metricsOfTopics: [String: Set<String>] = [:]

  init(
    _ messages: [ObservedMessage], configuration: DeviceConfiguration,
    memory: [(name: String, content: [UInt8])]
  ) {
    var configuration = configuration
    // Nobody asks anybody here, and no refusal may say so.
    configuration.settings.sparkplug.asksForRebirth = false
    resolver = Resolver(configuration: configuration)
    resolver.restore(memory: memory)
    _ = resolver.reconfigure(configuration)
    // Announcements first, as a broker's retained messages would come.
    let ordered =
      messages.filter { resolver.announces($0.topic) }
      + messages.filter { !resolver.announces($0.topic) }
    for message in ordered { take(message) }
    for (series, seen) in observations {
      let definition = resolver.registry.series[Int(series)]
      let device = resolver.registry.devices[Int(definition.device)].id
      var guess = MetricGuess(
        definition.metric, seen, unit: definition.unit,
        kind: resolver.metricProfile(of: series)?.kind)
      guess.isAsStored = guess.kind == definition.kind && guess.unit == definition.unit
      guesses[device, default: [:]][definition.metric] = guess
    }
    for (topic, metrics) in metricsOfTopics where !metrics.isEmpty {
      shapes[topic] = .some(
        resolver.isScalar(topic) ? nil : metrics.sorted().joined(separator: ","))
    }
    for (topic, found) in devices {
      let levels = topic.split(separator: "/")
      let byTopic = [levels, levels.dropLast()].map { $0.joined(separator: ".") }
      if found.isDisjoint(with: byTopic) { namedByPayload.insert(topic) }
      if origins[topic] != TopicOrigin.none { knownDevices.formUnion(found) }
    }
  }

  private mutating func take(_ message: ObservedMessage) {
    var batch = Batch()
    var (topic, contentType) = (message.topic, message.contentType)
    let outcome = topic.withUTF8 { topic in
      contentType.withUTF8 { contentType in
        message.payload.withUnsafeBytes { payload in
          resolver.resolve(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic),
              contentType: UnsafeRawBufferPointer(contentType), payload: payload,
              received: message.received), into: &batch)
        }
      }
    }
    origins[message.topic] = resolver.origin(of: message.topic)
    if let first = outcome.refusals.first, refused.count < 100,
      !refused.contains(where: { $0.topic == message.topic && $0.reason == first.detail })
    {
      refused.append((message.topic, first.detail))
    }
    for sample in batch.samples {
      let definition = resolver.registry.series[Int(sample.series)]
      observations[sample.series, default: SeriesObservation()]
        .observe(resolver.registry.value(of: sample))
      metricsOfTopics[message.topic, default: []].insert(definition.metric)
      devices[message.topic, default: []]
        .insert(resolver.registry.devices[Int(definition.device)].id)
    }
  }
}
