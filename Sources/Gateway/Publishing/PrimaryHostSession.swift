import Glibc
import Logging
import MQTT
import Payloads
import Telemetry

/// One connection of the primary host; each gets a client of its own, so that neither a birth nor a death of
/// the one before can leave late.
///
/// Driven by one thread; not thread-safe.
final class PrimaryHostSession {
  private(set) var presence: SparkplugHostPresence
  private(set) var isOpen = false

  private let clock: ClockSource
  private let logger: Logger
  private var subscriber: Subscriber!  // Made at the end of init: its callbacks need us.
  /// Actions that callbacks asked for; carried out when libmosquitto has returned.
  private var actions: [SparkplugHostPresence.Action] = []
  private var isRefused = false
  private var lastKeepAlive: Int64 = 0

  /// - Throws: `MQTTError` when a client cannot be made of the settings.
  init(
    settings: MQTTSettings, presence: SparkplugHostPresence, clock: ClockSource, logger: Logger
  ) throws {
    self.presence = presence
    self.clock = clock
    self.logger = logger
    let will = self.presence.willConnect(
      now: Timestamp(microseconds: clock.read().wallMicroseconds))
    var settings = settings
    settings.clientID += "-host"
    // tck-id-message-flow-phid-sparkplug-clean-session-50: clean start, expiry 0.
    settings.sessionExpirySeconds = 0
    settings.will = MQTTSettings.Will(topic: presence.topic, payload: will)
    // Our own Will, published late for a connection that was taken over, must reach us.
    settings.subscriptions = [
      MQTTSettings.Subscription(filter: presence.topic, qos: 1, includesOwn: true)
    ]
    subscriber = try Subscriber(
      settings: settings, keepsSession: false, onPublish: { [unowned self] in received($0) },
      onEvent: { [unowned self] in happened($0) })
  }

  /// Opens the connection. Blocks for name resolution and TCP.
  func connect() throws {
    try subscriber.connect()
    isOpen = true
  }

  /// Waits for the broker, for `wake` or half a second, and does what there is to do.
  func turn(waiting wake: Int32) {
    var polled = [
      pollfd(fd: subscriber.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
    ]
    if subscriber.wantsWrite { polled[0].events |= Int16(POLLOUT) }
    _ = poll(&polled, 2, 500)
    if subscriber.readAvailable(limit: 1_000) == .closed { return close() }
    perform()
    guard isOpen else { return }
    let now = clock.readMonotonicMicroseconds()
    if now - lastKeepAlive >= 1_000_000 {
      lastKeepAlive = now
      if !subscriber.keepAlive() { return close() }
    }
    if isRefused || !subscriber.writeQueued() { close() }
  }

  /// Tells the nodes that we go, and goes.
  func leave() {
    guard isOpen else { return }
    actions += presence.leave(now: Timestamp(microseconds: clock.read().wallMicroseconds))
    perform()
  }

  private func close() {
    subscriber.abandon()
    presence.closed()
    isOpen = false
  }

  private func perform() {
    let due = actions
    actions = []
    for action in due where isOpen {
      switch action {
      case .publish(let payload):
        if !subscriber.publishRetained(topic: presence.topic, payload: payload) { close() }
      case .disconnect:
        subscriber.disconnectGently()
        isOpen = false
      case .warnOfNamesake(let timestamp):
        logger.warning(
          "another Sparkplug host is online under our id; nodes cannot tell the two apart",
          metadata: ["topic": "\(presence.topic)", "timestamp": "\(timestamp)"])
      case .giveUp:
        logger.error(
          "the broker refuses the subscription to our own STATE",
          metadata: ["topic": "\(presence.topic)"])
        close()
      }
    }
  }

  // MARK: - Callbacks

  private func received(_ publish: IncomingPublish) {
    actions += presence.received(publish.payload, isRetained: publish.isRetained)
  }

  private func happened(_ event: ConnectionEvent) {
    switch event {
    case .subscribed(_, let granted): actions += presence.subscribed(isGranted: granted < 128)
    case .refused(let reason):
      isRefused = true
      logger.error("the broker refused the Sparkplug host", metadata: ["reason": "\(reason)"])
    case .connected, .disconnected: break
    }
  }
}
