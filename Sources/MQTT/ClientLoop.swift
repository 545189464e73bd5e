import CMosquitto
import Foundation
import Synchronization

/// The thread that connects one client, again and again, and moves its packets.
///
/// libmosquitto brings such a loop, but waits in it with `select`: it fails for every descriptor from 1,024 on,
/// which a gateway with many WebSocket clients and files reaches, and it never starts when the first
/// connection is refused.
final class ClientLoop: @unchecked Sendable {  // libmosquitto locks inside; the rest is fixed or locked.
  private enum Phase {
    case idle
    case running
    case stopping
  }

  private let client: Client
  private let bell = EventDescriptor()
  private let phase = Mutex(Phase.idle)
  private let finished = DispatchSemaphore(value: 0)

  /// How long a stop waits for a thread that hangs in a connect; it ends by itself when that returns.
  private static let patienceSeconds = 5.0
  /// A connection that lasted so long was taken.
  private static let heldSeconds = 5.0
  private static let keepAliveEveryMilliseconds: Int32 = 1_000
  private static let packetsPerRound = 1_000

  init(client: Client) {
    self.client = client
    // Packets of other threads are queued for this one.
    mosquitto_threaded_set(client.handle, true)
  }

  /// - Parameter owner: whom the client's callbacks go to; it lives at least as long as the thread.
  func start(for owner: any AnyObject & Sendable) {
    phase.withLock { $0 = .running }
    let thread = Thread { [self] in
      withExtendedLifetime(owner) { run() }
      finished.signal()
    }
    thread.name = "mqtt-publish"
    thread.stackSize = 1 << 20
    thread.start()
  }

  /// There is something to write.
  func wake() { bell.signal() }

  /// Writes what is queued, says goodbye and ends the thread.
  func stop() {
    let wasRunning = phase.withLock { phase in
      defer { phase = .stopping }
      return phase == .running
    }
    guard wasRunning else { return }
    bell.signal()
    _ = finished.wait(timeout: .now() + ClientLoop.patienceSeconds)
  }

  private var isStopping: Bool { phase.withLock { $0 == .stopping } }

  // MARK: - The thread

  private func run() {
    var backoff = Backoff(baseSeconds: 1)
    var knowsPlace = false
    while !isStopping {
      if connect(again: knowsPlace), !isStopping {
        let began = DispatchTime.now()
        converse()
        // A broker that refuses us takes the connection, too.
        if DispatchTime.now() > began + ClientLoop.heldSeconds { backoff.reset() }
      }
      knowsPlace = true
      pause(seconds: backoff.nextDelaySeconds(share: .random(in: 0.5..<1)))
    }
  }

  private func connect(again: Bool) -> Bool {
    let settings = client.settings
    let code =
      again
      ? mosquitto_reconnect(client.handle)
      : mosquitto_connect(
        client.handle, settings.host, settings.port, settings.keepAliveSeconds)
    return code == MOSQ_ERR_SUCCESS.rawValueAsInt32
  }

  /// Until the connection is gone, or the goodbye is written.
  private func converse() {
    var saidGoodbye = false
    while true {
      if isStopping, !saidGoodbye {
        saidGoodbye = true
        mosquitto_disconnect(client.handle)
      }
      if mosquitto_want_write(client.handle),
        mosquitto_loop_write(client.handle, 1) != MOSQ_ERR_SUCCESS.rawValueAsInt32
      {
        return
      }
      let socket = mosquitto_socket(client.handle)
      guard socket >= 0 else { return }
      let wantsWrite = mosquitto_want_write(client.handle)
      var polled = [
        pollfd(fd: socket, events: Int16(wantsWrite ? POLLIN | POLLOUT : POLLIN), revents: 0),
        pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      poll(&polled, 2, ClientLoop.keepAliveEveryMilliseconds)
      if polled[1].revents != 0 { bell.clear() }
      var packets = 0
      let result = client.read {
        packets += 1
        return packets > ClientLoop.packetsPerRound
      }
      guard result != .closed else { return }
      // Sends the pings and notices that their answers are missing.
      guard mosquitto_loop_misc(client.handle) == MOSQ_ERR_SUCCESS.rawValueAsInt32 else { return }
    }
  }

  private func pause(seconds: Double) {
    guard !isStopping else { return }
    var polled = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
    let end = DispatchTime.now() + seconds
    while !isStopping, DispatchTime.now() < end {
      let left = Double(end.uptimeNanoseconds &- DispatchTime.now().uptimeNanoseconds) / 1e6
      poll(&polled, 1, Int32(max(1, min(left, seconds * 1_000))))
      // Messages that are queued meanwhile ring too: they wait for the connection.
      bell.clear()
    }
  }
}
