import HTTPTypes

extension RouteTable {
  /// What a request for `/ws` gets that is no handshake, or whose key was refused.
  var socketRoutes: [Route] {
    [
      Route(.get, SocketServer.path, scope: .read) { _ in
        throw Problem.upgradeRequired
      }
    ]
  }
}

extension Problem {
  static let upgradeRequired = Problem(
    status: .upgradeRequired, slug: "upgrade-required", title: "This is a WebSocket",
    detail: "open it with a WebSocket client (RFC 6455, version 13); see /docs",
    headers: [.upgrade: "websocket", .connection: "Upgrade"])
}
