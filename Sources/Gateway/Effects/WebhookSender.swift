import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import Telemetry

/// POSTs webhooks. The client and its connections are made with the first one.
final class WebhookSender: Sendable {
  /// From the connection to the end of the answer.
  private static let secondsMax: Int64 = 30
  /// Of an answer so much is read; nobody looks at it.
  static let answerBytesMax = 64 << 10

  private let settings: EffectSettings
  private let credentials: Credentials
  private let client = Mutex<HTTPClient?>(nil)
  private let isStopped = Mutex(false)

  init(settings: EffectSettings, credentials: Credentials) {
    self.settings = settings
    self.credentials = credentials
  }

  /// Sends once and tells what became of it, once, on a thread of the client's or on this one.
  func send(
    _ webhook: WebhookEffect, id: String, now: Timestamp,
    whenDone: @escaping @Sendable (DeliveryOutcome) -> Void
  ) {
    guard settings.allows(webhook.target) else {
      return whenDone(.refused("`\(webhook.target)` is not among `effects.webhook_hosts`"))
    }
    let request: HTTPClient.Request
    do {
      request = try self.request(webhook, id: id, now: now)
    } catch let refusal as EffectRefusal {
      // A credential may be put there while we wait.
      return whenDone(.failed(refusal.detail))
    } catch {
      return whenDone(.refused("\(error)"))
    }
    guard let client = madeClient() else { return whenDone(.lost) }
    let answer = WebhookAnswerReader()
    client.execute(
      request: request, delegate: answer, deadline: .now() + .seconds(Self.secondsMax)
    ).futureResult.whenComplete { result in
      // With a status the rest of the answer does not matter, even when it broke off.
      if let head = answer.head {
        let retryAfter = head.headers.first(name: "retry-after")
        return whenDone(
          WebhookAnswer.outcome(
            status: Int(head.status.code), retryAfter: retryAfter, now: .now))
      }
      if case .failure(let error) = result { return whenDone(.failed("\(error)")) }
      whenDone(.failed("the server did not answer"))
    }
  }

  private func request(
    _ webhook: WebhookEffect, id: String, now: Timestamp
  ) throws -> HTTPClient.Request {
    let timestamp = now.microseconds / 1_000_000
    var headers = HTTPHeaders([
      ("Content-Type", "application/json"), ("User-Agent", "Millwright/\(ProductVersion.text)"),
      ("X-Millwright-Delivery", id), ("X-Millwright-Timestamp", "\(timestamp)"),
    ])
    if let name = webhook.credential {
      guard let secret = credentials.secret(named: name) else {
        throw EffectRefusal("the credential `\(name)` cannot be read")
      }
      headers.add(
        name: "X-Millwright-Signature",
        value: WebhookSignature.sign(body: webhook.body, timestamp: timestamp, secret: secret))
    }
    return try HTTPClient.Request(
      url: webhook.url, method: .POST, headers: headers, body: .string(webhook.body))
  }

  private func madeClient() -> HTTPClient? {
    client.withLock { client in
      if isStopped.withLock({ $0 }) { return nil }
      if let client { return client }
      var configuration = HTTPClient.Configuration(
        redirectConfiguration: .disallow,
        timeout: .init(connect: .seconds(10), read: .seconds(20)), decompression: .disabled)
      configuration.httpVersion = .http1Only
      configuration.connectionPool.idleTimeout = .seconds(30)
      let made = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: configuration)
      client = made
      return made
    }
  }

  /// What is under way is cut off; it is sent again after the next start. Blocks.
  func stop() {
    isStopped.withLock { $0 = true }
    let client = client.withLock { client in
      defer { client = nil }
      return client
    }
    // Requests that are cut off are no news.
    try? client?.syncShutdown()
  }
}

/// Keeps the head of an answer and reads a little of the rest.
private final class WebhookAnswerReader: HTTPClientResponseDelegate {
  private struct State {
    var head: HTTPResponseHead?
    var bytes = 0
  }

  private struct TooLong: Error {}

  private let state = Mutex(State())

  var head: HTTPResponseHead? { state.withLock { $0.head } }

  func didReceiveHead(
    task: HTTPClient.Task<Void>, _ head: HTTPResponseHead
  ) -> EventLoopFuture<Void> {
    state.withLock { $0.head = head }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(
    task: HTTPClient.Task<Void>, _ buffer: ByteBuffer
  ) -> EventLoopFuture<Void> {
    let total = state.withLock { state in
      state.bytes += buffer.readableBytes
      return state.bytes
    }
    return total > WebhookSender.answerBytesMax
      ? task.eventLoop.makeFailedFuture(TooLong()) : task.eventLoop.makeSucceededVoidFuture()
  }

  func didFinishRequest(task: HTTPClient.Task<Void>) throws {}
}
