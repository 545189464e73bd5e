import Glibc

/// Hears what passes on a broker, for commands that only look on: acknowledged at once, no session kept.
///
/// Driven by the thread that calls `run`; not thread-safe.
public final class Listener {
  private let subscriber: Subscriber
  private let state: State

  /// What the callbacks note down.
  private final class State {
    var refusal: String?
    var awaited: Int
    var disconnects = 0

    init(awaited: Int) { self.awaited = awaited }
  }

  /// - Parameters:
  ///   - settings: the broker; its client id and session are not used.
  ///   - clientID: one that nobody else uses, or the broker would end the other connection.
  ///   - onMessage: called inside `run`, once a message; its bytes are lent for the call.
  public init(
    settings: MQTTSettings, clientID: String, filters: [String],
    onMessage: @escaping (IncomingPublish) -> Void
  ) throws {
    var settings = settings
    settings.clientID = clientID
    settings.sessionExpirySeconds = 0
    settings.subscriptions = filters.map { MQTTSettings.Subscription(filter: $0, qos: 1) }
    let state = State(awaited: filters.count)
    self.state = state
    subscriber = try Subscriber(
      settings: settings, keepsSession: false, onPublish: onMessage,
      onEvent: { event in
        switch event {
        case .refused(let reason): state.refusal = reason
        case .subscribed(let filter, let granted):
          state.awaited -= 1
          if granted >= 128 { state.refusal = "the subscription to '\(filter)' was refused" }
        case .connected: state.awaited = filters.count
        case .disconnected: break
        }
      })
  }

  /// The broker has answered all subscriptions.
  public var isListening: Bool { state.awaited <= 0 }

  /// Times the connection was lost and made again.
  public var disconnects: Int { state.disconnects }

  /// Connects and hands messages over until `isDone` says so; asked at least ten times a second.
  ///
  /// - Throws: `MQTTError` when the broker cannot be reached at first or refuses us.
  public func run(until isDone: () -> Bool) throws {
    try subscriber.connect()
    defer { subscriber.disconnect() }
    var lastKeepAlive = monotonicSeconds()
    while !isDone() {
      var polled = pollfd(fd: subscriber.descriptor, events: Int16(POLLIN), revents: 0)
      if subscriber.wantsWrite { polled.events |= Int16(POLLOUT) }
      _ = poll(&polled, 1, 100)
      var isOpen = subscriber.readAvailable(limit: 1_000) != .closed
      if isOpen, subscriber.wantsWrite { isOpen = subscriber.writeQueued() }
      if isOpen, monotonicSeconds() - lastKeepAlive >= 1 {
        lastKeepAlive = monotonicSeconds()
        isOpen = subscriber.keepAlive()
      }
      if let refusal = state.refusal { throw MQTTError(refusal) }
      if !isOpen { reconnect(until: isDone) }
    }
  }

  private func reconnect(until isDone: () -> Bool) {
    state.disconnects += 1
    while !isDone() {
      usleep(500_000)
      // Until the broker is back; whoever waits sees the count of what was lost.
      if (try? subscriber.connect()) != nil { return }
    }
  }

  private func monotonicSeconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec
  }
}
