import Dispatch
import Synchronization

/// What other threads tell the thread that delivers: that rows have come, and what became of deliveries.
final class EffectSignals: Sendable {
  struct Finished: Sendable {
    var lane: EffectLane
    var key: EffectDelivery.Key
    var outcome: DeliveryOutcome
  }

  struct News: Sendable {
    /// Rows with effects have reached SQLite.
    var hasRows = false
    var shouldStop = false
    var finished: [Finished] = []
  }

  private struct State {
    var news = News()
    var isRung = false
  }

  private let state = Mutex(State())
  private let bell = DispatchSemaphore(value: 0)

  /// Called by the ingest thread after a transaction: costs a lock and at most a wake-up.
  func rowsArrived() { tell { $0.hasRows = true } }

  /// The broker came or went.
  func brokerChanged() { tell { _ in } }

  func stop() { tell { $0.shouldStop = true } }

  func finished(_ finished: Finished) { tell { $0.finished.append(finished) } }

  private func tell(_ change: (inout News) -> Void) {
    let isNew = state.withLock { state in
      change(&state.news)
      defer { state.isRung = true }
      return !state.isRung
    }
    if isNew { bell.signal() }
  }

  /// Waits until there is news, at most so long. Blocks.
  func wait(microseconds: Int64) -> News {
    _ = bell.wait(timeout: .now() + .microseconds(Int(max(0, microseconds))))
    return state.withLock { state in
      defer { state = State() }
      // Rung after the time was over: the next wait returns at once, with nothing.
      return state.news
    }
  }
}
