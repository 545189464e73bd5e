import NIOCore
import NIOHTTP1

/// Lets a WebSocket handshake through and takes any other wish to upgrade out of its request.
///
/// NIO's upgrade handler drops a request whose `Upgrade` nobody accepts, and the parser reads no further
/// on that connection; curl and Java's client ask so for HTTP/2 on ordinary requests. Without the header
/// the router answers them, and the connection closes after it. Once a handshake went through, what follows
/// is no HTTP any more and passes untouched.
final class UpgradeFilter: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  /// Whether this request becomes a WebSocket.
  private let accepts: @Sendable (HTTPRequestHead) -> Bool
  private let patience: TimeAmount
  private var isFirst = true
  private var isPassing = false
  private var deadline: Scheduled<Void>?

  /// - Parameter patience: how long a connection may say nothing at all.
  init(patience: TimeAmount, accepts: @escaping @Sendable (HTTPRequestHead) -> Bool) {
    self.patience = patience
    self.accepts = accepts
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isPassing else { return context.fireChannelRead(data) }
    guard case .head(var head) = unwrapInboundIn(data) else {
      return context.fireChannelRead(data)
    }
    deadline?.cancel()
    defer { isFirst = false }
    guard head.headers.contains(name: "upgrade") else { return context.fireChannelRead(data) }
    // NIO looks for an upgrade on the first request of a connection alone.
    if isFirst, accepts(head) {
      isPassing = true
      return context.fireChannelRead(data)
    }
    head.headers.remove(name: "upgrade")
    head.headers.replaceOrAdd(name: "connection", value: "close")
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }
}
