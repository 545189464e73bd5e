import Payloads
import Telemetry

/// What would become of a message, and why: for people who look for a mistake in their configuration.
public struct Explanation: Sendable {
  public struct Metric: Hashable, Sendable {
    public var device: String
    public var metric: String
    public var value: String
    public var type: ValueType
    public var kind: MetricKind
    public var unit: String
    public var quality: Quality
    /// `profile press`, `announced`, `first value`.
    public var reason: String
  }

  public var origin: TopicOrigin
  /// `json`, and what chose it.
  public var format: String
  public var device: String
  public var deviceReason: String
  public var profile: String
  public var asset: String
  public var metrics: [Metric] = []
  public var refusals: [Refusal] = []
  public var isQuarantined = false
}

extension Resolver {
  /// Tells how a message of `topic` is read; without a payload what the topic alone decides.
  ///
  /// Works on a copy: nothing is defined and no session moves.
  public func explain(_ message: IncomingMessage) -> Explanation {
    var copy = self
    return copy.explaining(message)
  }

  private mutating func explaining(_ message: IncomingMessage) -> Explanation {
    let topic = String(decoding: message.topic, as: UTF8.self)
    let origin = origin(of: topic)
    var plan = plans[planPosition(of: message.topic)]
    var batch = Batch()
    var outcome = Outcome()
    if message.payload.count > 0 {
      outcome = resolve(message, into: &batch)
      plan = plans[planPosition(of: message.topic)]
    }
    var explanation = Explanation(
      origin: origin, format: formatReason(message, plan), device: plan.device.id,
      deviceReason: "by the topic", profile: plan.profile, asset: plan.asset)
    describe(batch, plan, &explanation)
    explanation.refusals = outcome.refusals
    explanation.isQuarantined = outcome.isQuarantined
    return explanation
  }

  private func formatReason(_ message: IncomingMessage, _ plan: TopicPlan) -> String {
    if plan.sparkplug != nil { return "sparkplug, by the topic" }
    if plan.isAnnouncement { return "a description of other topics" }
    if let format = plan.format {
      return "\(format.rawValue), by the \(plan.route >= 0 ? "route" : "announcement")"
    }
    guard message.payload.count > 0 else {
      return "told by the content type, else by the first bytes"
    }
    let format = plan.decoder.format.rawValue
    return message.contentType.isEmpty
      ? "\(format), by its first bytes"
      : "\(format), by content type `\(String(decoding: message.contentType, as: UTF8.self))`"
  }

  private func describe(_ batch: Batch, _ plan: TopicPlan, _ explanation: inout Explanation) {
    for sample in batch.samples {
      let definition = registry.series[Int(sample.series)]
      let device = registry.devices[Int(definition.device)]
      let value: String =
        switch registry.value(of: sample) {
        case .number(let number): shortestText(number)
        case .boolean(let flag): "\(flag)"
        case .text(let text): text
        }
      explanation.metrics.append(
        Explanation.Metric(
          device: device.id, metric: definition.metric, value: value, type: definition.type,
          kind: definition.kind, unit: definition.unit, quality: sample.quality,
          reason: reason(definition, device)))
    }
    guard let first = batch.samples.first else { return }
    let definition = registry.series[Int(first.series)]
    let device = registry.devices[Int(definition.device)]
    if device.id != explanation.device.replacingSlashes {
      explanation.deviceReason = "by the payload"
      explanation.device = device.id
    }
    explanation.profile = device.profile
    explanation.asset = device.asset
  }

  private func reason(_ definition: SeriesDefinition, _ device: DeviceDefinition) -> String {
    guard metricProfile(definition.metric, of: definition.device) != nil else {
      return definition.unit.isEmpty ? "guessed from its first value" : "unit as sent"
    }
    let isProfiled = profileIndexes[device.profile].flatMap {
      configuration.profiles[$0].metric(definition.metric)
    }
    return isProfiled == nil ? "announced by the device" : "profile `\(device.profile)`"
  }
}
