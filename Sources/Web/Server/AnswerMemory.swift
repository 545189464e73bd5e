import Gateway
import NIOCore
import Synchronization
import Telemetry

/// First answers to `Idempotency-Key`s: the same key gets the same answer for seven days.
///
/// It lives in memory and is bounded by count and by bytes, oldest first; a restart forgets it. What is
/// ingested stays safe across restarts by the ids of events and the times of samples.
final class AnswerMemory: Sendable {
  static let answersMax = 10_000
  static let bytesMax = 32 << 20
  static let keyBytesMax = 255
  static let lifeMicroseconds: Int64 = 7 * 86_400 * 1_000_000

  private struct Answer {
    /// `nil` while the first request is still being answered.
    var reply: Reply?
    var fingerprint: UInt64
    var bytes: Int
    var time: Int64
    var number: UInt64
  }

  private struct State {
    var answers: [String: Answer] = [:]
    /// Keys in the order of their first request, with the number that tells one life from the next.
    var order: [(key: String, number: UInt64)] = []
    var head = 0
    var bytes = 0
    var numbers: UInt64 = 0
  }

  private enum Find {
    case fresh
    case known(Reply)
    case inProgress
    case differs
  }

  private let state = Mutex(State())
  private let clock: ClockSource

  init(clock: ClockSource) { self.clock = clock }

  /// Runs `first` for a new key, else repeats what it answered.
  ///
  /// Answers that may turn out otherwise the next time (429, 5xx) are not kept.
  func answer(
    key: String, caller: String, path: String, body: [UInt8],
    first: () async throws -> Reply
  ) async throws -> Reply {
    guard (1...Self.keyBytesMax).contains(key.utf8.count) else {
      throw Problem(
        status: .badRequest, slug: "bad-idempotency-key",
        title: "The Idempotency-Key is not usable",
        detail: "a key has 1 to \(Self.keyBytesMax) characters")
    }
    let name = "\(caller)\n\(path)\n\(key)"
    let fingerprint = Hash64.hash(body)
    switch begin(name, fingerprint: fingerprint) {
    case .known(var reply):
      reply.headers[.idempotencyReplayed] = "true"
      return reply
    case .inProgress:
      throw Problem.conflict("the first request with this Idempotency-Key is still being answered")
    case .differs:
      throw Problem(
        status: .unprocessableContent, slug: "idempotency-key-reused",
        title: "The Idempotency-Key belongs to another request",
        detail: "the same key came with another body before; use a new key for a new request")
    case .fresh: break
    }
    do {
      let reply = try await first()
      finish(name, reply)
      return reply
    } catch {
      finish(name, nil)
      throw error
    }
  }

  private func begin(_ name: String, fingerprint: UInt64) -> Find {
    let now = clock.read().monotonicMicroseconds
    return state.withLock { state in
      if let known = state.answers[name], now - known.time < Self.lifeMicroseconds {
        guard known.fingerprint == fingerprint else { return .differs }
        return known.reply.map(Find.known) ?? .inProgress
      }
      state.bytes -= state.answers[name]?.bytes ?? 0
      state.numbers += 1
      state.answers[name] = Answer(
        reply: nil, fingerprint: fingerprint, bytes: 0, time: now, number: state.numbers)
      state.order.append((name, state.numbers))
      trim(&state)
      return .fresh
    }
  }

  private func finish(_ name: String, _ reply: Reply?) {
    state.withLock { state in
      guard let reply, reply.status.code < 500, reply.status.code != 429,
        case .buffer(let buffer) = reply.body
      else {
        state.answers[name] = nil
        return
      }
      state.answers[name]?.reply = reply
      state.answers[name]?.bytes = buffer.readableBytes + name.utf8.count
      state.bytes += buffer.readableBytes + name.utf8.count
      trim(&state)
    }
  }

  private func trim(_ state: inout State) {
    while state.answers.count > Self.answersMax || state.bytes > Self.bytesMax {
      guard state.head < state.order.count else { break }
      let (key, number) = state.order[state.head]
      state.head += 1
      guard let answer = state.answers[key], answer.number == number else { continue }
      state.bytes -= answer.bytes
      state.answers[key] = nil
    }
    if state.head > Self.answersMax {
      state.order.removeFirst(state.head)
      state.head = 0
    }
  }
}
