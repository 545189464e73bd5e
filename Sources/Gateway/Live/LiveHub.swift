import Synchronization
import Telemetry

/// Hands each committed record to whoever watches, and never waits for anybody.
///
/// A watcher has a queue of its own that keeps the newest updates; what did not fit is counted and told to
/// it. Without watchers a record costs one look at a flag.
public final class LiveHub: Sendable {
  /// Updates that may wait for one watcher: some seconds at full load.
  static let updatesMax = 512

  private struct Watcher {
    var continuation: AsyncStream<LiveUpdate>.Continuation
    var skipped: SkippedCount
  }

  private struct State {
    var watchers: [UInt64: Watcher] = [:]
    var nextID: UInt64 = 0
    var isFinished = false
  }

  private let state = Mutex(State())
  private let watched = Atomic(false)

  init() {}

  /// Whether anybody watches; cheap, for the ingest thread.
  var isWatched: Bool { watched.load(ordering: .relaxed) }

  /// Watchers now.
  public var count: Int { state.withLock { $0.watchers.count } }

  /// Begins to watch; ends when the subscription is released or its iteration is cancelled.
  public func watch() -> LiveWatch {
    let skipped = SkippedCount()
    let (stream, continuation) = AsyncStream.makeStream(
      of: LiveUpdate.self, bufferingPolicy: .bufferingNewest(Self.updatesMax))
    let id = state.withLock { state in
      if state.isFinished { continuation.finish() }
      state.nextID += 1
      state.watchers[state.nextID] = Watcher(continuation: continuation, skipped: skipped)
      watched.store(true, ordering: .relaxed)
      return state.nextID
    }
    continuation.onTermination = { [weak self] _ in self?.forget(id) }
    return LiveWatch(updates: stream, skipped: skipped)
  }

  private func forget(_ id: UInt64) {
    state.withLock { state in
      state.watchers[id] = nil
      watched.store(!state.watchers.isEmpty, ordering: .relaxed)
    }
  }

  func publish(_ update: LiveUpdate) {
    state.withLock { state in
      // In any order: each has a queue of its own.
      for watcher in state.watchers.values {
        if case .dropped = watcher.continuation.yield(update) { watcher.skipped.add() }
      }
    }
  }

  /// Ends all watches: the gateway stops.
  func finish() {
    let watchers = state.withLock { state in
      state.isFinished = true
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.continuation.finish() }
  }
}

/// One watcher's view of the hub.
public struct LiveWatch: Sendable {
  public let updates: AsyncStream<LiveUpdate>
  private let skipped: SkippedCount

  init(updates: AsyncStream<LiveUpdate>, skipped: SkippedCount) {
    self.updates = updates
    self.skipped = skipped
  }

  /// Updates that did not fit since this was last asked.
  public func takeSkipped() -> Int { skipped.take() }
}

/// Counts on the ingest thread what a watcher reads on its own.
final class SkippedCount: Sendable {
  private let count = Atomic(0)

  func add() { count.add(1, ordering: .relaxed) }

  func take() -> Int { count.exchange(0, ordering: .relaxed) }
}
