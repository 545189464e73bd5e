import Synchronization

/// Which job runs, and when it last made a step.
final class JobWatch: Sendable {
  private let monotonicNow: @Sendable () -> Int64
  private let current = Mutex<PipelineState.Job?>(nil)

  init(clock: ClockSource) { monotonicNow = clock.readMonotonicMicroseconds }

  var job: PipelineState.Job? { current.withLock { $0 } }

  func begin(_ name: String) {
    let now = monotonicNow()
    current.withLock { $0 = PipelineState.Job(name: name, lastStep: now) }
  }

  /// A piece of the job in hand is done: a series, a write set.
  func step() {
    let now = monotonicNow()
    current.withLock { $0?.lastStep = now }
  }

  func end() { current.withLock { $0 = nil } }
}
