import Gateway
import Logging
import ServiceLifecycle
import Web

/// Keeps the service manager informed from the moment that all is up until the stop begins.
///
/// It stands last in the service group, so that a stop is told before anything is taken down.
struct ServiceReporter: Service {
  let manager: ServiceManager
  let gateway: Gateway
  let web: WebServer
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      // Ends only by cancellation: a service that returns would end the group.
      try? await report()
    }
    manager.tell([.stopping, .status("sealing the store")])
  }

  private func report() async throws {
    try await waitUntilUp()
    try await manager.tellReady()
    var report = ServiceReport(watchdogMicroseconds: manager.watchdogMicroseconds)
    while true {
      let turn = report.turn(gateway.figures, gateway.pipeline)
      manager.tell(turn.notices)
      log(turn)
      try await Task.sleep(for: .microseconds(report.pauseMicroseconds))
    }
  }

  /// Until the port listens and the ingest thread runs.
  private func waitUntilUp() async throws {
    // Without a port the web server has failed, and takes the group with it.
    if await web.port == nil { try await Task.sleep(for: .seconds(3_600)) }
    while gateway.pipeline.turns == 0 { try await Task.sleep(for: .milliseconds(5)) }
  }

  private func log(_ turn: ServiceReport.Turn) {
    if let standstill = turn.began {
      logger.critical(
        "the pipeline stands still; the watchdog is not fed until it moves",
        metadata: ["reason": "\(standstill)"])
    }
    if turn.ended { logger.notice("the pipeline moves again") }
  }
}
