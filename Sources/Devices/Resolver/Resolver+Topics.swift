import Payloads
import Telemetry

extension Resolver {
  /// Longer topics are planned each time and not remembered.
  private static let cachedTopicBytesMax = 1_024

  /// The position in `plans` of what the topic says; at most 65,536 topics are remembered.
  @inline(__always)
  mutating func planPosition(of topic: UnsafeRawBufferPointer) -> Int {
    topics.value(topic) ?? makePlan(of: topic)
  }

  @inline(never)
  private mutating func makePlan(of topic: UnsafeRawBufferPointer) -> Int {
    let isCached = topic.count <= Resolver.cachedTopicBytesMax
    if topics.isFull(for: topic) || (!isCached && plans.count > topics.count + 64) {
      topics.removeAll()
      plans.removeAll()
    }
    let made = TopicPlan.plans(
      of: String(decoding: topic, as: UTF8.self), configuration: configuration, table: routes,
      book: announcements)
    let first = plans.count
    plans += made
    plans[first].also = Array(first + 1..<plans.count)
    if isCached { topics.insert(topic, value: first) }
    return first
  }

  /// The caller's wish, the route, the content type, the look of the bytes: the first that says.
  func format(of message: IncomingMessage, plan: Int) -> PayloadFormat {
    if let forced = message.forcedFormat ?? plans[plan].format { return forced }
    let sniffed = PayloadFormat.sniff(message.payload)
    guard !message.contentType.isEmpty,
      let stated = PayloadFormat(contentType: String(decoding: message.contentType, as: UTF8.self))
    else { return sniffed }
    // `application/json` leaves open whether it has the shape of the device format or of SenML.
    return stated == .json && (sniffed == .device || sniffed == .senml) ? sniffed : stated
  }

  /// The precision that the caller or the content type states; `nil`: the route's.
  func precision(of message: IncomingMessage, format: PayloadFormat) -> TimePrecision? {
    if let forced = message.linePrecision { return forced }
    guard format == .line, !message.contentType.isEmpty else { return nil }
    return TimePrecision(contentType: String(decoding: message.contentType, as: UTF8.self))
  }

  mutating func decoderPosition(
    format: PayloadFormat, precision: TimePrecision?, plan: Int
  ) -> Int {
    let precision = precision ?? plans[plan].linePrecision
    let cached = plans[plan].decoder
    if cached.position >= 0, cached.format == format, cached.precision == precision {
      return cached.position
    }
    let key = DecoderKey(
      route: plans[plan].route, mapping: plans[plan].mapping, format: format, precision: precision)
    let position = decoderPositions[key] ?? makeDecoder(key)
    plans[plan].decoder = TopicPlan.CachedDecoder(
      position: position, format: format, precision: precision)
    return position
  }

  private mutating func makeDecoder(_ key: DecoderKey) -> Int {
    let routed = key.route >= 0 ? configuration.routes[key.route].mapping : .standard
    let mapping = key.mapping ?? routed
    decoders.append(
      CompiledDecoder(
        PayloadDecoder(format: key.format, mapping: mapping, linePrecision: key.precision)))
    decoderPositions[key] = decoders.count - 1
    return decoders.count - 1
  }
}
