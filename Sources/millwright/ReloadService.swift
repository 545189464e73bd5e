import Gateway
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again at each SIGHUP.
struct ReloadService: Service {
  let gateway: Gateway
  let logger: Logger

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sighup)
    for await _ in signals.cancelOnGracefulShutdown() {
      let diagnostics = await gateway.reload()
      // Errors were logged by the gateway, which then kept what it had.
      if diagnostics.contains(where: { $0.severity == .error }) { continue }
      for diagnostic in diagnostics { logger.warning("\(diagnostic)") }
      logger.notice("the configuration was read again and is in force")
    }
  }
}
