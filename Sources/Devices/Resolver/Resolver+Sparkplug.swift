import FoundationEssentials
import Payloads
import Telemetry

/// Messages whose meaning depends on what their source said before.
extension Resolver {
  /// Longer data sets, templates and files are refused: an event is no file store.
  static let blobBytesMax = 64 << 10

  /// Reads one Sparkplug message and carries out what the host makes of it.
  mutating func resolveSparkplug(
    _ message: IncomingMessage, _ topic: SparkplugTopic, plan: Int, _ outcome: inout Outcome,
    _ batch: inout Batch
  ) {
    switch topic.kind {
    case .nodeCommand, .deviceCommand, .hostState:
      outcome.isIgnored = true
      return
    default: break
    }
    // Taken out for the length of the call, so that its bytes can be lent while the rest changes.
    var readings = Readings()
    swap(&readings, &self.readings)
    defer { swap(&readings, &self.readings) }
    readings.removeAll()
    do throws(PayloadError) {
      let payload = try SparkplugPayload(reading: message.payload)
      if message.isFromQuarantine {
        try sparkplug.readAgain(topic, payload, into: &readings)
        return take(readings, message, plan: plan, &outcome, &batch)
      }
      var steps: [SparkplugHost.Step] = []
      sparkplug.receive(
        topic, payload, now: message.monotonicMicroseconds, isRetained: message.isRetained,
        held: {
          SparkplugHeld(
            topic: String(decoding: message.topic, as: UTF8.self), received: message.received,
            payload: Array(message.payload))
        }, readings: &readings, into: &steps)
      for step in steps { carryOut(step, message, readings, &outcome, &batch) }
    } catch {
      refuse(message, error, &outcome, &batch)
    }
  }

  /// Carries out what is due by the clock; the caller closes the delivery.
  ///
  /// - Returns: requests that are to be published.
  public mutating func advance(
    to now: Int64, received: Timestamp, into batch: inout Batch
  ) -> (requests: [SparkplugHost.RebirthRequest], outcome: Outcome) {
    var outcome = Outcome()
    var steps: [SparkplugHost.Step] = []
    let requests = sparkplug.advance(to: now, timestamp: received, into: &steps)
    let none = IncomingMessage(
      payload: UnsafeRawBufferPointer(start: nil, count: 0), received: received)
    for step in steps { carryOut(step, none, Readings(), &outcome, &batch) }
    return (requests, outcome)
  }

  /// Whether what a message of this topic means depends on the messages before it.
  public mutating func keepsOrder(of topic: UnsafeRawBufferPointer) -> Bool {
    plans[planPosition(of: topic)].sparkplug != nil
  }

  /// The earliest moment at which `advance` has something to do.
  public var nextDeadline: Int64? { sparkplug.nextDeadline }

  private mutating func carryOut(
    _ step: SparkplugHost.Step, _ message: IncomingMessage, _ readings: borrowing Readings,
    _ outcome: inout Outcome, _ batch: inout Batch
  ) {
    switch step {
    case .take:
      // A step before may have made plans, and the table forgets all of them when it is full.
      let plan = planPosition(of: message.topic)
      take(readings, message, plan: plan, &outcome, &batch)
    case .refuse(let error): refuse(message, error, &outcome, &batch)
    case .takeHeld(let held, let readings):
      lend(held) { resolver, message in
        let plan = resolver.planPosition(of: message.topic)
        resolver.take(readings, message, plan: plan, &outcome, &batch)
      }
    case .refuseHeld(let held, let error):
      lend(held) { resolver, message in resolver.refuse(message, error, &outcome, &batch) }
    case .wentStale(let topic, let time):
      markStale(topic, believable(time ?? message.received, message), &outcome, &batch)
    case .remember(let name, let content):
      batch.items.append(.remembered(name: name, content: content))
    }
  }

  private mutating func lend(
    _ held: SparkplugHeld, _ body: (inout Resolver, IncomingMessage) -> Void
  ) {
    var topic = held.topic
    topic.withUTF8 { topic in
      held.payload.withUnsafeBytes { payload in
        body(
          &self,
          IncomingMessage(
            topic: UnsafeRawBufferPointer(topic), payload: payload, received: held.received))
      }
    }
  }

  /// A payload that no part of can be used is set aside whole.
  mutating func refuse(
    _ message: IncomingMessage, _ error: PayloadError, _ outcome: inout Outcome,
    _ batch: inout Batch
  ) {
    outcome.refuse(Refusal(place: "", code: error.code, detail: error.description))
    quarantine(message, .malformed, device: "", reason: error.description, &outcome, &batch)
  }

  /// Points, and what Sparkplug alone has: metrics without a value and values without a form.
  private mutating func take(
    _ readings: borrowing Readings, _ message: IncomingMessage, plan: Int, _ outcome: inout Outcome,
    _ batch: inout Batch
  ) {
    takePoints(readings, message, plan: plan, isScalar: false, &outcome, &batch)
    outcome.transient += readings.transient
    guard !readings.absent.isEmpty || !readings.blobs.isEmpty else { return }
    let id = plans[plan].device.id.replacingSlashes
    guard let device = registry.deviceIndex(id) else { return }
    let pointTime = readings.points.first?.time ?? message.received
    for absent in readings.absent {
      let metric = readings.text(absent.name, payload: message.payload)
      // What never had a value has none to lose.
      guard let series = registry.seriesIndex(device: device, metric: metric) else { continue }
      batch.items.append(
        .wentStale(
          Staleness(
            device: device, series: [series], time: believable(absent.time ?? pointTime, message),
            quality: .bad)))
    }
    for blob in readings.blobs { take(blob, readings, id, pointTime, message, &outcome, &batch) }
  }

  /// Keeps a value without a form as an event `MetricBlob`; its id is a function of what it says.
  private mutating func take(
    _ blob: BlobField, _ readings: borrowing Readings, _ device: String, _ pointTime: Timestamp,
    _ message: IncomingMessage, _ outcome: inout Outcome, _ batch: inout Batch
  ) {
    let metric = readings.text(blob.name, payload: message.payload)
    guard blob.bytes.count <= Resolver.blobBytesMax else {
      let detail =
        "\(blob.kind) `\(metric)` has \(blob.bytes.count) bytes; at most \(Resolver.blobBytesMax) "
        + "are kept as an event"
      outcome.refuse(Refusal(place: metric, code: "too_large", detail: detail))
      quarantine(
        message, .partlyRefused, device: device, reason: "\(metric): \(detail)", &outcome, &batch)
      return
    }
    let time = believable(blob.time ?? pointTime, message)
    var hash = Hash64.mix(Hash64.hash(device), Hash64.hash(metric))
    hash = Hash64.mix(hash, UInt64(bitPattern: time.microseconds))
    hash = Hash64.mix(hash, Hash64.hash(blob.bytes))
    outcome.blobs += 1
    batch.items.append(
      .event(
        Event(
          id: "blob-" + String(hash, radix: 16), name: "MetricBlob", time: time, device: device,
          properties:
            "{\"metric\":\(JSONText.quoted(metric)),\"form\":\(JSONText.quoted(blob.kind)),"
            + "\"bytes\":\(blob.bytes.count),\"base64\":\"\(Data(blob.bytes).base64EncodedString())\"}"
        )))
  }

  private func believable(_ time: Timestamp, _ message: IncomingMessage) -> Timestamp {
    let isBelieved =
      time <= message.received.advanced(byMicroseconds: farFutureMicroseconds)
      && time >= message.received.advanced(byMicroseconds: -farPastMicroseconds)
    return isBelieved ? time : message.received
  }

  private mutating func markStale(
    _ topic: SparkplugTopic, _ time: Timestamp, _ outcome: inout Outcome, _ batch: inout Batch
  ) {
    // The topic of its data tells which device it is with us, also where a route renames it.
    var dataTopic = topic.dataTopic
    let plan = dataTopic.withUTF8 { planPosition(of: UnsafeRawBufferPointer($0)) }
    guard let device = registry.deviceIndex(plans[plan].device.id.replacingSlashes) else { return }
    outcome.wentStale += 1
    // In a delivery items count before samples: what released messages said comes before the death.
    if batch.samples.count > (batch.deliveries.last?.samplesEnd ?? 0) {
      batch.endDelivery(packetID: 0)
    }
    batch.items.append(.wentStale(Staleness(device: device, time: time)))
  }
}
