import Synchronization

/// The trace that the ingest thread leaves at each turn of its loop, for a watcher on another thread.
///
/// Three words, written without a lock and read one by one: a watcher may see them a turn apart.
final class Pulse: Sendable {
  private static let never = Int64.min

  private let turns = Atomic<UInt64>(0)
  private let batchStarted = Atomic<Int64>(never)
  private let lastCommit = Atomic<Int64>(never)

  /// - Parameters: monotonic microseconds; `batchStarted` is `nil` while nothing waits for a commit.
  func turn(batchStarted started: Int64?, lastCommit committed: Int64) {
    batchStarted.store(started ?? Self.never, ordering: .relaxed)
    lastCommit.store(committed, ordering: .relaxed)
    turns.wrappingAdd(1, ordering: .releasing)
  }

  func read(into state: inout PipelineState) {
    state.turns = turns.load(ordering: .acquiring)
    state.batchStarted = Self.known(batchStarted.load(ordering: .relaxed))
    state.lastCommit = Self.known(lastCommit.load(ordering: .relaxed))
  }

  private static func known(_ time: Int64) -> Int64? { time == never ? nil : time }
}
