import Devices
import Glibc
import MQTT
import Storage
import Telemetry

/// Where the telemetry connection stands; attempts are made on a thread of their own, since name
/// resolution and TCP may block.
struct Connection {
  enum State: Equatable {
    case none
    case waiting(until: Int64)
    /// The connector thread owns the client.
    case attempting
    /// TCP stands; CONNACK may still be on its way.
    case open
  }

  var state: State
  var backoff = Backoff()
  /// Subscriptions of this connection that the broker has not answered yet.
  var subscriptionsAwaited = 0

  init(isConfigured: Bool) { state = isConfigured ? .waiting(until: 0) : .none }

  var isOpen: Bool { state == .open }

  var nextAttemptAt: Int64? {
    if case .waiting(let until) = state { until } else { nil }
  }
}

extension IngestLoop {
  func openSubscriber() {
    guard let mqtt = settings.mqtt else { return }
    do {
      subscriber = try Subscriber(
        settings: mqtt, onPublish: { [unowned self] in received($0) },
        onEvent: { [unowned self] in happened($0) })
      figures.broker = .connecting
    } catch {
      figures.broker = .refused
      figures.brokerDetail = "\(error)"
      connection.state = .none
      logger.error("MQTT is off", metadata: ["error": "\(error)"])
    }
  }

  func driveConnection() {
    if case .waiting(let until) = connection.state, storageRetryAt == nil,
      now.monotonicMicroseconds >= until
    {
      attemptConnection()
    }
    guard connection.isOpen, let subscriber else { return }
    if now.monotonicMicroseconds - lastKeepAlive >= 1_000_000 {
      lastKeepAlive = now.monotonicMicroseconds
      if !subscriber.keepAlive() { return connectionLost() }
    }
    // CONNECT, SUBSCRIBE and pings may leave at once; acknowledgements wait in the same queue, so only
    // while no batch is open.
    if batch.deliveries.isEmpty, subscriber.wantsWrite, !subscriber.writeQueued() {
      connectionLost()
    }
  }

  private func attemptConnection() {
    guard let subscriber else { return }
    connection.state = .attempting
    figures.broker = .connecting
    let attempt = ConnectionAttempt(subscriber: subscriber, mailbox: mailbox)
    attempt.start()
  }

  func connectFinished(failure: String?) {
    guard case .attempting = connection.state else { return }
    if let failure {
      figures.broker = .disconnected
      figures.brokerDetail = failure
      logger.warning("no connection to the broker", metadata: ["reason": "\(failure)"])
      waitForNextAttempt()
    } else {
      connection.state = .open
      lastKeepAlive = now.monotonicMicroseconds
    }
  }

  func connectionLost() {
    guard connection.isOpen else { return }
    figures.disconnects += 1
    if figures.broker == .connected { figures.broker = .disconnected }
    waitForNextAttempt()
  }

  private func waitForNextAttempt() {
    let seconds = connection.backoff.nextDelaySeconds(share: Double.random(in: 0..<1))
    connection.state = .waiting(until: monotonicNow() + Int64(seconds * 1e6))
  }

  /// After a failed commit: nothing that waits in libmosquitto's queue may leave on this connection.
  func abandonConnection() {
    guard connection.isOpen else { return }
    subscriber?.abandon()
    // Reading the closed socket lets libmosquitto notice and clean up.
    _ = subscriber?.readAvailable(limit: .max)
    connectionLost()
  }

  // MARK: - What arrives

  private func happened(_ event: ConnectionEvent) {
    switch event {
    case .connected(let sessionPresent):
      connection.backoff.reset()
      figures.brokerDetail = ""
      figures.connects += 1
      connection.subscriptionsAwaited = settings.mqtt?.subscriptions.count ?? 0
      if connection.subscriptionsAwaited == 0 { figures.broker = .connected }
      window.connected(sessionPresent: sessionPresent)
      if batch.isEmpty { batchStarted = now.monotonicMicroseconds }
      // Before the deliveries of this connection, so that a replay empties the window at the same place.
      batch.items.append(.connected(sessionPresent: sessionPresent))
      batch.endDelivery(packetID: 0)
      logger.info(
        "connected to the broker", metadata: ["session_present": "\(sessionPresent)"])
    case .refused(let reason):
      figures.broker = .refused
      figures.brokerDetail = reason
      logger.error("the broker refused us", metadata: ["reason": "\(reason)"])
    case .disconnected(let reason):
      if figures.broker == .connected { figures.brokerDetail = reason }
      logger.warning("disconnected from the broker", metadata: ["reason": "\(reason)"])
    case .subscribed(let filter, let granted):
      // Connected is who gets messages: the last subscription is answered.
      connection.subscriptionsAwaited -= 1
      if connection.subscriptionsAwaited == 0 { figures.broker = .connected }
      if granted >= 128 {
        figures.brokerDetail = "subscription '\(filter)' was refused by the broker"
        logger.error("subscription refused", metadata: ["filter": "\(filter)"])
      } else {
        logger.info("subscribed", metadata: ["filter": "\(filter)", "qos": "\(granted)"])
      }
    }
  }

  private func received(_ publish: IncomingPublish) {
    figures.messages += 1
    figures.messageBytes += UInt64(publish.payload.count)
    // They come back when a subscription covers them: No Local is MQTT 5 only, and per connection.
    if settings.own.isOwn(publish) {
      figures.ignoredMessages += 1
      if publish.packetID != 0 { window.passed(packetID: publish.packetID) }
      return
    }
    if batch.isEmpty { batchStarted = now.monotonicMicroseconds }
    if stages.maintenance.hears(publish.topic) {
      if publish.packetID != 0 { window.passed(packetID: publish.packetID) }
      return receiveMaintenance(publish)
    }
    let ordered = orderedFingerprint(publish)
    if let ordered, window.isActive,
      window.isRedelivery(packetID: publish.packetID, fingerprint: ordered)
    {
      // Before the decoder sees it: in its order it has counted already.
      figures.redeliveries += 1
      return
    }
    let samplesBefore = batch.samples.count
    let itemsBefore = batch.items.count
    let outcome = resolver.resolve(
      IncomingMessage(
        topic: publish.topic, contentType: publish.contentType, payload: publish.payload,
        received: now.time, monotonicMicroseconds: now.monotonicMicroseconds,
        isRetained: publish.isRetained),
      into: &batch)
    if let ordered {
      batch.items.append(.delivered(fingerprint: ordered))
    } else if publish.packetID != 0, window.isActive {
      let fingerprint = batch.fingerprint(
        samples: samplesBefore..<batch.samples.count, items: itemsBefore..<batch.items.count)
      if window.isRedelivery(packetID: publish.packetID, fingerprint: fingerprint) {
        figures.redeliveries += 1
        forgetSamples(from: samplesBefore, itemsFrom: itemsBefore)
        return
      }
    }
    count(outcome)
    batchBytes += publish.payload.count + publish.topic.count
    // Also a message without content is a delivery: its acknowledgement waits for the record.
    batch.endDelivery(packetID: publish.packetID)
  }

  /// Of a QoS 1 message that means something else the second time: what it became cannot tell a redelivery.
  private func orderedFingerprint(_ publish: IncomingPublish) -> UInt64? {
    guard publish.packetID != 0, resolver.keepsOrder(of: publish.topic) else { return nil }
    return Hash64.mix(Hash64.hash(publish.topic), Hash64.hash(publish.payload))
  }

  /// Drops what a redelivered message said again; definitions it caused stay, they are harmless.
  private func forgetSamples(from samples: Int, itemsFrom items: Int) {
    batch.samples.removeSubrange(samples...)
    var kept: [Item] = []
    for item in batch.items[items...] {
      switch item {
      case .device, .series, .word: kept.append(item)
      default: break
      }
    }
    batch.items.removeSubrange(items...)
    guard !kept.isEmpty else { return }
    batch.items.append(contentsOf: kept)
    batch.endDelivery(packetID: 0)
  }

  func count(_ outcome: Outcome) {
    figures.samples += UInt64(outcome.samples)
    figures.refusedFields += UInt64(outcome.refusedFields)
    figures.quarantined += outcome.isQuarantined ? 1 : 0
    figures.ignoredMessages += outcome.isIgnored ? 1 : 0
    figures.outOfRange += UInt64(outcome.outOfRange)
    figures.replacedTimes += UInt64(outcome.replacedTimes)
    figures.retainedSkips += UInt64(outcome.retainedSkips)
    figures.unknownUnits += UInt64(outcome.unknownUnits)
    figures.transient += UInt64(outcome.transient)
    figures.blobs += UInt64(outcome.blobs)
    figures.wentStale += UInt64(outcome.wentStale)
  }
}
