import Gateway
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again at each SIGHUP.
struct ReloadService: Service {
  let gateway: Gateway
  /// Who is told that a reload begins and ends; `nil` outside of a service manager.
  let manager: ServiceManager?
  let logger: Logger

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sighup)
    for await _ in signals.cancelOnGracefulShutdown() {
      manager?.tellReloading()
      await reload()
      try await manager?.tellReady()
    }
  }

  private func reload() async {
    let diagnostics = await gateway.reload()
    // Errors were logged by the gateway, which then kept what it had.
    if diagnostics.contains(where: { $0.severity == .error }) { return }
    for diagnostic in diagnostics { logger.warning("\(diagnostic)") }
    logger.notice("the configuration was read again and is in force")
  }
}
