import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// HTTP and WebSocket on one port: a connection is HTTP unless its first request is a handshake for `/ws`.
struct SocketChannel: ServerChildChannel {
  typealias SocketIO = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

  enum Connection: Sendable {
    case http(HTTP1Channel.Value)
    case socket(SocketIO, HTTPRequestHead)
  }

  struct Value: ServerChildChannelValue {
    let upgrade: EventLoopFuture<Connection>
    let channel: any Channel
  }

  /// Bytes of one message from a client, also when it comes in fragments.
  static let messageBytesMax = 64 << 10

  let http: HTTP1Channel
  let accepts: @Sendable (HTTPRequestHead) -> Bool
  let serve: @Sendable (SocketIO, HTTPRequestHead, Logger) async -> Void

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let upgrader = NIOTypedWebSocketServerUpgrader<Connection>(
        maxFrameSize: Self.messageBytesMax,
        shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
        upgradePipelineHandler: { channel, head in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 64,
                maxAccumulatedFrameSize: Self.messageBytesMax))
            return .socket(try SocketIO(wrappingChannelSynchronously: channel), head)
          }
        })
      let configuration = NIOTypedHTTPServerUpgradeConfiguration<Connection>(
        upgraders: [upgrader], notUpgradingCompletionHandler: { addHTTP(to: $0, logger: logger) })
      let upgrade = try addPipeline(to: channel, configuration)
      return Value(upgrade: upgrade, channel: channel)
    }
  }

  /// As NIO's own pipeline for upgrades, with the filter before the handler that would drop requests.
  private func addPipeline(
    to channel: any Channel, _ configuration: NIOTypedHTTPServerUpgradeConfiguration<Connection>
  ) throws -> EventLoopFuture<Connection> {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = http.configuration.httpDecoder.maxHeaderFieldSize
    limits.maxHeaderListSize = http.configuration.httpDecoder.maxHeaderListSize
    limits.maxHeaderFieldCount = http.configuration.httpDecoder.maxHeaderFieldCount
    let encoder = HTTPResponseEncoder()
    let decoder = ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
    let filter = UpgradeFilter(
      patience: http.configuration.idleTimeout ?? .seconds(60), accepts: accepts)
    let handler = NIOTypedHTTPServerUpgradeHandler(
      httpEncoder: encoder, extraHTTPHandlers: [decoder, filter],
      upgradeConfiguration: configuration)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(encoder)
    try pipeline.addHandler(decoder)
    try pipeline.addHandler(filter)
    try pipeline.addHandler(handler)
    return handler.upgradeResultFuture
  }

  private func addHTTP(
    to channel: any Channel, logger: Logger
  ) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      try pipeline.addHandlers(http.configuration.additionalChannelHandlers())
      try pipeline.addHandler(
        HTTPConnectionStateHandler(
          idleTimeout: http.configuration.idleTimeout.map { .init($0) }, logger: logger))
      return .http(
        try NIOAsyncChannel(
          wrappingChannelSynchronously: channel,
          configuration: .init(isOutboundHalfClosureEnabled: true)))
    }
  }

  func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.upgrade.get() {
      case .http(let io): await http.handle(value: io, logger: logger)
      case .socket(let io, let head): await serve(io, head, logger)
      }
    } catch {
      logger.trace("a connection ended before its first request", metadata: ["error": "\(error)"])
    }
  }
}
