import Foundation
import Glibc
import Logging
import MQTT
import Payloads
import Synchronization
import Telemetry

/// Keeps us online as a Sparkplug primary host: one thread with a connection of its own, owned by the gateway.
///
/// What is said and when, `SparkplugHostPresence` decides. The connection is a clean one, as the
/// specification wants it, while telemetry keeps its session; therefore it exists only as long as telemetry
/// is heard and can be stored. Nodes keep back what they have while we are offline.
final class PrimaryHost: Sendable {
  private let settings: MQTTSettings
  private let id: String
  /// Whether what nodes send now would be stored.
  private let isHearing: @Sendable () -> Bool
  private let clock: ClockSource
  private let logger: Logger
  private let wake = EventDescriptor()
  private let isStopping = Mutex(false)
  private let isStarted = Mutex(false)
  private let online = Mutex(false)
  private let finished = DispatchSemaphore(value: 0)

  init(
    settings: MQTTSettings, id: String, clock: ClockSource, logger: Logger,
    isHearing: @escaping @Sendable () -> Bool
  ) {
    self.settings = settings
    self.id = id
    self.clock = clock
    self.logger = logger
    self.isHearing = isHearing
  }

  var isOnline: Bool { online.withLock { $0 } }

  func start() {
    isStarted.withLock { $0 = true }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "sparkplug-host"
    thread.stackSize = 1 << 20
    thread.start()
  }

  /// Tells the nodes and waits until the thread has ended. Blocks.
  func stop() {
    isStopping.withLock { $0 = true }
    wake.signal()
    if isStarted.withLock({ $0 }) { finished.wait() }
  }

  // MARK: - The thread

  private var shouldStop: Bool { isStopping.withLock { $0 } }

  private func run() {
    var presence = SparkplugHostPresence(id: id)
    var backoff = Backoff()
    while !shouldStop {
      if isHearing() {
        serve(&presence, &backoff)
        pause(milliseconds: Int32(backoff.nextDelaySeconds(share: .random(in: 0..<1)) * 1_000))
      } else {
        pause(milliseconds: 500)
      }
    }
  }

  private func pause(milliseconds: Int32) {
    guard !shouldStop else { return }
    var polled = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
    _ = poll(&polled, 1, milliseconds)
  }

  /// One connection, from its Will to its end.
  private func serve(_ presence: inout SparkplugHostPresence, _ backoff: inout Backoff) {
    let session: PrimaryHostSession
    do {
      session = try PrimaryHostSession(
        settings: settings, presence: presence, clock: clock, logger: logger)
      try session.connect()
    } catch {
      logger.warning("no connection as Sparkplug host", metadata: ["reason": "\(error)"])
      return
    }
    while session.isOpen {
      session.turn(waiting: wake.descriptor)
      if session.presence.isOnline, !isOnline {
        backoff.reset()
        online.withLock { $0 = true }
        logger.info("online as Sparkplug primary host", metadata: ["host": "\(id)"])
      }
      if shouldStop || !isHearing() { session.leave() }
    }
    online.withLock { $0 = false }
    presence = session.presence
    logger.notice("offline as Sparkplug primary host", metadata: ["host": "\(id)"])
  }
}
