import Glibc

/// Tells the service manager, usually systemd, how the gateway is; the protocol of sd_notify(3).
///
/// A notice is lost when the manager has no room for it: all but `ready` are repeated by their sender.
struct ServiceManager: Sendable {
  enum Notice: Sendable, Hashable {
    case ready
    case reloading(monotonicMicroseconds: Int64)
    case stopping
    /// The service is alive: not needed until the watchdog's period has passed again.
    case watchdog
    /// One line for people.
    case status(String)
  }

  /// A restart follows when no `watchdog` notice comes for that long; `nil`: nobody watches.
  let watchdogMicroseconds: Int64?
  private let socket: DatagramSocket

  /// - Returns: `nil` when nobody wants to be told: not started as a service.
  init?(environment: [String: String], processID: Int32 = getpid()) {
    guard let address = environment["NOTIFY_SOCKET"], let socket = DatagramSocket(address: address)
    else { return nil }
    self.socket = socket
    let watched = environment["WATCHDOG_PID"].map { $0 == "\(processID)" } ?? true
    let period = environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0
    watchdogMicroseconds = watched && period > 0 ? period : nil
  }

  func tell(_ notices: [Notice]) {
    guard !notices.isEmpty else { return }
    _ = socket.send(Array(Self.text(notices).utf8))
  }

  func tellReloading() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    tell([.reloading(monotonicMicroseconds: microseconds)])
  }

  /// Repeats until it is taken: without this notice a start or a reload would never end for the manager.
  func tellReady() async throws {
    let bytes = Array(Self.text([.ready]).utf8)
    while [EAGAIN, ENOBUFS].contains(socket.send(bytes)) {
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// One assignment a line.
  static func text(_ notices: [Notice]) -> String {
    notices.map(line).joined(separator: "\n")
  }

  private static func line(_ notice: Notice) -> String {
    switch notice {
    case .ready: "READY=1"
    case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)"
    case .stopping: "STOPPING=1"
    case .watchdog: "WATCHDOG=1"
    // What came from outside, such as a broker's reason, may not begin an assignment of its own.
    case .status(let text): "STATUS=" + text.map { $0.isNewline ? " " : String($0) }.joined()
    }
  }
}
