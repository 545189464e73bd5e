import Foundation
import Synchronization

/// Tries until it succeeds once, on this thread the first time and then on one of its own.
final class FirstConnection: Sendable {
  private struct State {
    var isMade = false
    var isTrying = false
  }

  private let state = Mutex(State())
  private let bell = DispatchSemaphore(value: 0)
  private let finished = DispatchSemaphore(value: 0)

  /// - Parameter attempt: returns whether it succeeded.
  func start(_ attempt: @escaping @Sendable () -> Bool) {
    let isMade = attempt()
    state.withLock { $0 = State(isMade: isMade, isTrying: !isMade) }
    guard !isMade else { return }
    let thread = Thread { [self] in
      var backoff = Backoff()
      while true {
        let seconds = backoff.nextDelaySeconds(share: .random(in: 0.5..<1))
        if bell.wait(timeout: .now() + seconds) == .success { break }
        if attempt() {
          state.withLock { $0.isMade = true }
          break
        }
      }
      finished.signal()
    }
    thread.name = "mqtt-connect"
    thread.stackSize = 1 << 20
    thread.start()
  }

  /// Ends the attempts. Blocks for one that is under way.
  /// - Returns: whether one has succeeded.
  func stop() -> Bool {
    if state.withLock({ $0.isTrying }) {
      bell.signal()
      finished.wait()
    }
    return state.withLock { state in
      state.isTrying = false
      return state.isMade
    }
  }
}
