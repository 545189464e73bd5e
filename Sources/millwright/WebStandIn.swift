import Gateway
import Logging
import ServiceLifecycle

struct WebServer: Service {
  var gateway: Gateway
  var settings: HTTPSettings
  var logger: Logger

  func run() async throws { try await gracefulShutdown() }
}
