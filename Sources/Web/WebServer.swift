import Foundation
import Gateway
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The HTTP side of a gateway as a service; see docs/http.md for what callers see.
///
/// It ends after a graceful shutdown, when the requests in flight are answered.
public final class WebServer: Service {
  /// The settings would let anybody on the network do everything.
  public struct OpenToNetwork: Error, CustomStringConvertible {
    public let host: String

    public var description: String {
      "the API has no keys and would listen on `\(host)` for the whole network: configure http.keys "
        + "(or API_KEYS), or listen on 127.0.0.1"
    }
  }

  private let gateway: Gateway
  private let settings: HTTPSettings
  private let clock: ClockSource
  private let logger: Logger
  private let token = LocalToken.makeToken()
  private let gate: Gate
  private let site: Site
  private let ports = PortAnnouncement()

  /// - Parameters:
  ///   - resources: directory of the dashboard, docs and OpenAPI files; `nil`: beside the executable.
  /// - Throws: `OpenToNetwork`.
  public init(
    gateway: Gateway, settings: HTTPSettings, logger: Logger, resources: String? = nil,
    clock: ClockSource = .system()
  ) throws {
    guard !settings.keys.isEmpty || Loopback.isLoopback(settings.host) else {
      throw OpenToNetwork(host: settings.host)
    }
    self.gateway = gateway
    self.settings = settings
    self.logger = logger
    self.clock = clock
    gate = Gate(settings: settings, localToken: token, clock: clock)
    site = Site(directory: resources ?? Site.standardDirectory)
  }

  /// The port it listens on, once it does; `nil` when it ended without.
  public var port: Int? { get async { await ports.port } }

  public func run() async throws {
    defer { ports.announce(nil) }
    let directory = gateway.configuration.store.directory
    let announced = Mutex<LocalToken?>(nil)
    defer { announced.withLock { $0 }?.remove(directory: directory) }
    let application = makeApplication { [self] port in
      let note = LocalToken(url: "http://\(reachableHost):\(port)", token: token)
      do {
        try note.write(directory: directory)
        announced.withLock { $0 = note }
      } catch {
        logger.warning(
          "the command line will not find this gateway", metadata: ["error": "\(error)"])
      }
      ports.announce(port)
    }
    try await application.run()
  }

  private var reachableHost: String {
    switch settings.host {
    case "0.0.0.0", "::", "[::]": "127.0.0.1"
    case let host where host.contains(":") && !host.hasPrefix("["): "[\(host)]"
    default: settings.host
    }
  }

  func makeApplication(
    onPort: @escaping @Sendable (Int) -> Void = { _ in }
  ) -> Application<Edge> {
    Application(
      responder: makeEdge(),
      server: HTTPServerBuilder { [self] responder in makeChannel(responder) },
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port), serverName: "millwright"),
      onServerRunning: { channel in
        if let port = channel.localAddress?.port { onPort(port) }
      },
      logger: logger)
  }

  private func makeChannel(_ responder: @escaping HTTPChannelHandler.Responder) -> SocketChannel {
    let sockets = SocketServer(gateway: gateway, gate: gate, origins: OriginPolicy(settings))
    let http = HTTP1Channel(
      responder: responder,
      configuration: .init(
        idleTimeout: .seconds(60),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
    return SocketChannel(
      http: http, accepts: { sockets.accepts($0) }, serve: { await sockets.serve($0, $1, $2) })
  }

  /// Every route, for the test that compares them with the OpenAPI file.
  var routes: [Route] { table(meter: RequestMeter(), gate: gate).routes }

  private func table(meter: RequestMeter, gate: Gate) -> RouteTable {
    RouteTable(
      gateway: gateway, settings: settings, site: site, meter: meter, gate: gate, clock: clock)
  }

  private func makeEdge() -> Edge {
    let meter = RequestMeter()
    let runner = RouteRunner(
      gate: gate, bodies: BodyReader(settings), answers: AnswerMemory(clock: clock))
    return Edge(
      router: runner.router(for: table(meter: meter, gate: gate).routes).buildResponder(),
      gate: gate,
      origins: OriginPolicy(settings), meter: meter, clock: clock)
  }
}

/// Tells the bound port to whoever waits for it.
private final class PortAnnouncement: Sendable {
  private enum State {
    case waiting([CheckedContinuation<Int?, Never>])
    case known(Int?)
  }

  private let state = Mutex(State.waiting([]))

  var port: Int? {
    get async {
      await withCheckedContinuation { continuation in
        let known: Int?? = state.withLock { state in
          switch state {
          case .known(let port): return .some(port)
          case .waiting(let others):
            state = .waiting(others + [continuation])
            return .none
          }
        }
        if let known { continuation.resume(returning: known) }
      }
    }
  }

  /// The first announcement counts.
  func announce(_ port: Int?) {
    let waiting: [CheckedContinuation<Int?, Never>] = state.withLock { state in
      guard case .waiting(let waiting) = state else { return [] }
      state = .known(port)
      return waiting
    }
    for continuation in waiting { continuation.resume(returning: port) }
  }
}
