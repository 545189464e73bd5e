import Dispatch
import Foundation
import GRDB
import Storage
import Synchronization
import Telemetry

/// The read side for REST, dashboard and export: what the store holds, without touching the ingest thread
/// for longer than a copy of open chunks.
///
/// Blocking reads run on threads of their own, a few at a time, never on Swift's cooperative pool.
public final class Queries: Sendable {
  public let reader: StoreReader
  private let mailbox: Mailbox
  private let queue = DispatchQueue(
    label: "queries", qos: .userInitiated, attributes: .concurrent)
  /// SQLite readers and decoding are bounded; more callers wait.
  private static let concurrentMax = 3
  private let slots = DispatchSemaphore(value: Queries.concurrentMax)

  init(reader: StoreReader, mailbox: Mailbox) {
    self.reader = reader
    self.mailbox = mailbox
  }

  /// Devices, series and words as of now, new ones included.
  public func fetchCatalog() async -> Catalog {
    await withCheckedContinuation { continuation in
      if !mailbox.post(.catalog { continuation.resume(returning: $0) }) {
        continuation.resume(returning: Catalog())
      }
    }
  }

  /// Newest sample of each series, in the order asked; `nil` where there is none.
  public func fetchLatest(_ series: [UInt32]) async -> [StoredSample?] {
    await withCheckedContinuation { continuation in
      if !mailbox.post(.latest(series) { continuation.resume(returning: $0) }) {
        continuation.resume(returning: series.map { _ in nil })
      }
    }
  }

  /// Runs a blocking read off the cooperative pool.
  public func fetch<Result: Sendable>(
    _ body: @escaping @Sendable (StoreReader) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in
        slots.wait()
        defer { slots.signal() }
        continuation.resume(with: Swift.Result { try body(reader) })
      }
    }
  }
}

/// Asks the ingest thread and waits for the answer; for threads that may block.
enum OpenRequest {
  static func fetch(_ series: [UInt32], from mailbox: Mailbox) -> [OpenPart] {
    wait(otherwise: []) { reply in mailbox.post(.openParts(series, reply)) }
  }

  static func fetchCatalog(from mailbox: Mailbox) -> Catalog {
    wait(otherwise: Catalog()) { reply in mailbox.post(.catalog(reply)) }
  }

  private static func wait<Value: Sendable>(
    otherwise fallback: Value, _ post: (@escaping @Sendable (Value) -> Void) -> Bool
  ) -> Value {
    let answer = Answer(fallback)
    guard post({ answer.give($0) }) else { return fallback }
    answer.done.wait()
    return answer.value.withLock { $0 }
  }

  private final class Answer<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    let done = DispatchSemaphore(value: 0)

    init(_ initial: Value) { value = Mutex(initial) }

    func give(_ given: Value) {
      value.withLock { $0 = given }
      done.signal()
    }
  }
}
