import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket
import ServiceLifecycle
import Synchronization
import Telemetry

/// Serves `/ws`: who may come in, and one conversation per connection.
final class SocketServer: Sendable {
  let gateway: Gateway
  let gate: Gate
  let origins: OriginPolicy

  static let path = "/ws"
  static let pingSeconds: Int64 = 30
  /// How long a client without a key may take to bring one.
  static let patienceSeconds: Int64 = 10
  static let connectionsMax = 256

  private let connections = Mutex(0)

  init(gateway: Gateway, gate: Gate, origins: OriginPolicy) {
    self.gateway = gateway
    self.gate = gate
    self.origins = origins
  }

  /// Whether this first request of a connection becomes a WebSocket; a refused one goes to the router, which
  /// says why.
  ///
  /// Browsers cannot set headers: without any key the handshake is taken, and the first message must be `Auth`.
  func accepts(_ head: HTTPRequestHead) -> Bool {
    guard head.method == .GET, head.uri.split(separator: "?").first.map(String.init) == Self.path,
      head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
      head.headers["sec-websocket-version"] == ["13"],
      head.headers["sec-websocket-key"].count == 1,
      // A body would have to be read first, and NIO waits for it without end.
      !head.headers.contains(name: "content-length"),
      !head.headers.contains(name: "transfer-encoding"),
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
    let isWithin = connections.withLock { count in
      count += 1
      return count <= Self.connectionsMax
    }
    defer { connections.withLock { $0 -= 1 } }
    do {
      // Guessing keys costs a connection each, and the address pays for it as for a request.
      try gate.admit(address: io.channel.remoteAddress?.ipAddress ?? "")
      try await io.executeThenClose { inbound, outbound in
        let conversation = SocketConversation(
          session: SocketSession(
            caller: caller, identify: { [gate] in gate.caller(presenting: $0) }),
          outbound: outbound, gateway: gateway)
        if isWithin {
          try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
              group.addTask { try await conversation.read(inbound) }
              group.addTask { try await conversation.show() }
              group.addTask { try await conversation.keepAlive() }
              // Whichever ends first ends the others.
              try await group.next()
              group.cancelAll()
            }
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
  /// Since when a write waits for the client to read.
  private var writing: ContinuousClock.Instant?
  private var isClosed = false
  /// Told when something is subscribed for the first time: until then nothing is watched.
  private let activations = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

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
    case .resume(let sequence): try await resume(from: sequence)
    case .activate: activate()
    case .close(let reason): try await close(.policyViolation, reason)
    }
  }

  private func activate(loggedThrough sequence: UInt64 = 0) {
    session.activate(loggedThrough: sequence)
    activations.continuation.yield()
  }

  /// Sends what the log holds from `sequence` on, until nothing that was shown meanwhile is missing.
  private func resume(from sequence: UInt64) async throws {
    var last = (Int64(sequence) << 20) - 1
    var isComplete = false
    while true {
      if !isComplete { await gateway.flush() }
      let page = try await gateway.queries.fetchEvents(after: last, limit: 500)
      for row in page.rows {
        last = row.id
        for text in session.messages(for: row) { try await send(text) }
      }
      // While we send, the client's pongs wait; it reads, or the write would not end.
      unanswered = 0
      isComplete = page.isPartial
      if !page.isPartial, page.through >= session.shownThrough {
        return activate(loggedThrough: page.through)
      }
    }
  }

  func show() async throws {
    for await _ in activations.stream { break }
    let watch = gateway.live.watch()
    for await update in watch.updates {
      let skipped = watch.takeSkipped()
      if skipped > 0 { try await send(SocketSession.lagged(skipped)) }
      for text in session.messages(for: update) { try await send(text) }
    }
  }

  /// Ends when nobody authenticates, reads or answers.
  func keepAlive() async throws {
    try await Task.sleep(for: .seconds(SocketServer.patienceSeconds))
    guard session.caller != nil else { return try await close(.policyViolation, "unauthorized") }
    while !isClosed {
      try await Task.sleep(for: .seconds(SocketServer.pingSeconds))
      if let writing {
        // A client that reads nothing would hold what waits for it for ever.
        if ContinuousClock.now - writing > .seconds(2 * SocketServer.pingSeconds) { return }
        continue
      }
      unanswered += 1
      guard unanswered <= 2 else { return }
      try await write(.ping, ByteBuffer())
    }
  }

  /// A last word, if the client still reads: for a second at most.
  func sayGoodbye() async {
    guard !isClosed else { return }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await self.close(.goingAway, "") }  // The peer may be gone already.
      group.addTask { try? await Task.sleep(for: .seconds(1)) }  // Ends early only by cancellation.
      await group.next()
      group.cancelAll()
    }
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
    if writing == nil { writing = .now }
    try await outbound.write(WebSocketFrame(fin: true, opcode: opcode, data: bytes))
    writing = nil
  }
}
