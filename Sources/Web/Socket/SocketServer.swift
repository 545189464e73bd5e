import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket
import ServiceLifecycle
import Telemetry

/// Serves `/ws`: who may come in, and one conversation per connection.
struct SocketServer: Sendable {
  let gateway: Gateway
  let gate: Gate
  let origins: OriginPolicy

  static let path = "/ws"
  static let pingSeconds: Int64 = 30

  /// Whether this first request of a connection becomes a WebSocket; a refused one goes to the router, which
  /// says why.
  ///
  /// Browsers cannot set headers: without any key the handshake is taken, and the first message must be `Auth`.
  func accepts(_ head: HTTPRequestHead) -> Bool {
    guard head.method == .GET, head.uri.split(separator: "?").first.map(String.init) == Self.path,
      head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
      head.headers["sec-websocket-version"] == ["13"],
      head.headers["sec-websocket-key"].count == 1,
      head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" })
    else { return false }
    guard
      origins.admits(
        host: head.headers.first(name: "host") ?? "",
        origin: head.headers.first(name: "origin"))
    else { return false }
    return gate.admission(fields(of: head)) != .refused
  }

  private func fields(of head: HTTPRequestHead) -> HTTPFields {
    var fields: HTTPFields = [:]
    for name in [HTTPField.Name.apiKey, .authorization] {
      fields[name] = head.headers.first(name: name.rawName)
    }
    return fields
  }

  func serve(_ io: SocketChannel.SocketIO, _ head: HTTPRequestHead, _ logger: Logger) async {
    let caller: Caller? =
      if case .caller(let known) = gate.admission(fields(of: head)) { known } else { nil }
    do {
      try await io.executeThenClose { inbound, outbound in
        let conversation = SocketConversation(
          session: SocketSession(
            caller: caller, identify: { [gate] in gate.caller(presenting: $0) }),
          outbound: outbound, gateway: gateway)
        try await cancelWhenGracefulShutdown {
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await conversation.read(inbound) }
            group.addTask { try await conversation.show(gateway.live.watch()) }
            group.addTask { try await conversation.keepAlive() }
            // Whichever ends first ends the others.
            try await group.next()
            group.cancelAll()
          }
        }
        await conversation.sayGoodbye()
      }
    } catch {
      logger.debug("a WebSocket ended", metadata: ["error": "\(error)"])
    }
  }
}

/// One connection: reads, shows what happens, and keeps alive; the session decides what is said.
private actor SocketConversation {
  private var session: SocketSession
  private let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
  private let gateway: Gateway
  /// Since the last frame of the client: pings that it did not answer.
  private var unanswered = 0
  private var isClosed = false

  init(
    session: SocketSession, outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>,
    gateway: Gateway
  ) {
    self.session = session
    self.outbound = outbound
    self.gateway = gateway
  }

  func read(_ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>) async throws {
    for try await frame in inbound {
      unanswered = 0
      switch frame.opcode {
      case .text:
        guard let text = String(validating: frame.unmaskedData.readableBytesView, as: UTF8.self)
        else { return try await close(.dataInconsistentWithMessage, "not UTF-8") }
        for action in session.received(text) { try await perform(action) }
      case .ping: try await write(.pong, frame.unmaskedData)
      case .pong: break
      case .connectionClose: return
      default: return try await close(.unacceptableData, "only text is understood")
      }
      if isClosed { return }
    }
  }

  private func perform(_ action: SocketSession.Action) async throws {
    switch action {
    case .send(let text): try await send(text)
    case .resume(let sequence): try await resume(after: sequence)
    case .activate: session.activate()
    case .close(let reason): try await close(.policyViolation, reason)
    }
  }

  /// Sends what the log holds after `sequence`, until nothing that was shown meanwhile is missing.
  private func resume(after sequence: UInt64) async throws {
    var last = Int64(clamping: sequence &+ 1) << 20 &- 1
    repeat {
      await gateway.flush()
      let page = try await gateway.queries.fetchEvents(after: last, limit: 500)
      for row in page.rows {
        last = row.id
        for text in session.messages(for: row) { try await send(text) }
      }
      if !page.isPartial, page.through >= session.shownThrough { return }
    } while true
  }

  func show(_ watch: LiveWatch) async throws {
    for await update in watch.updates {
      let skipped = watch.takeSkipped()
      if skipped > 0 { try await send(SocketSession.lagged(skipped)) }
      for text in session.messages(for: update) { try await send(text) }
    }
  }

  func keepAlive() async throws {
    while !isClosed {
      try await Task.sleep(for: .seconds(SocketServer.pingSeconds))
      unanswered += 1
      guard unanswered <= 2 else { return }
      try await write(.ping, ByteBuffer())
    }
  }

  func sayGoodbye() async {
    // The peer may be gone already.
    if !isClosed { try? await close(.goingAway, "") }
  }

  private func close(_ code: WebSocketErrorCode, _ reason: String) async throws {
    guard !isClosed else { return }
    isClosed = true
    var bytes = ByteBuffer()
    bytes.write(webSocketErrorCode: code)
    bytes.writeString(reason)
    try await write(.connectionClose, bytes)
  }

  private func send(_ text: String) async throws {
    guard !isClosed else { return }
    try await write(.text, ByteBuffer(string: text))
  }

  private func write(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer) async throws {
    try await outbound.write(WebSocketFrame(fin: true, opcode: opcode, data: bytes))
  }
}
