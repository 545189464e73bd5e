import Gateway
import NIOCore
import Storage
import Synchronization
import Telemetry

/// First answers to `Idempotency-Key`s: the same key gets the same answer for seven days.
///
/// This part lives in memory, bounded by count and by bytes, oldest first. What was ingested with a key is
/// also in the journal, so that a restart does not ingest it again.
final class AnswerMemory: Sendable {
  static let answersMax = AnswerTable.rowsMax
  static let bytesMax = 32 << 20
  static let keyBytesMax = 255
  static let lifeMicroseconds = AnswerTable.lifeMicroseconds

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

  /// The caller's key made unique for caller and path.
  static func key(
    _ key: String, caller: String, path: String, body: [UInt8]
  ) throws(Problem) -> Submission.Key {
    guard (1...keyBytesMax).contains(key.utf8.count) else {
      throw Problem(
        status: .badRequest, slug: "bad-idempotency-key",
        title: "The Idempotency-Key is not usable",
        detail: "a key has 1 to \(keyBytesMax) characters")
    }
    return Submission.Key(name: "\(caller)\n\(path)\n\(key)", fingerprint: Hash64.hash(body))
  }

  /// Runs `first` for a new key, else repeats what it answered.
  ///
  /// Answers that may turn out otherwise the next time (429, 5xx) are not kept.
  func answer(key: Submission.Key, first: () async throws -> Reply) async throws -> Reply {
    let name = key.name
    switch begin(name, fingerprint: key.fingerprint) {
    case .known(var reply):
      reply.headers[.idempotencyReplayed] = "true"
      return reply
    case .inProgress:
      throw Problem.conflict("the first request with this Idempotency-Key is still being answered")
    case .differs:
      throw Problem.keyReused
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

extension Problem {
  static let keyReused = Problem(
    status: .unprocessableContent, slug: "idempotency-key-reused",
    title: "The Idempotency-Key belongs to another request",
    detail: "the same key came with another body before; use a new key for a new request")
}

extension Reply {
  /// Says so when this is the answer to an earlier submission with the same key.
  func marked(_ result: SubmissionResult) -> Reply {
    guard result.isRepeated else { return self }
    var reply = self
    reply.headers[.idempotencyReplayed] = "true"
    return reply
  }
}
