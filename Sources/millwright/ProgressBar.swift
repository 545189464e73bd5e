import Foundation
import Synchronization

/// How far long work has come, on standard error and only when that is a terminal.
final class ProgressBar: Sendable {
  private struct State {
    var shown = ContinuousClock.Instant.now - .seconds(1)
    var isShown = false
    var total: Int?
  }

  private let title: String
  private let unit: String
  private let isActive: Bool
  private let began = ContinuousClock.now
  private let state: Mutex<State>

  /// - Parameter total: `nil` when nobody knows how much there is.
  init(
    _ title: String, total: Int?, unit: String = "", isActive: Bool = StandardError.isTerminal
  ) {
    self.title = title
    self.unit = unit
    self.isActive = isActive
    state = Mutex(State(total: total))
  }

  /// Redraws at most ten times a second.
  func update(to count: Int) {
    guard isActive else { return }
    state.withLock { state in
      guard ContinuousClock.now - state.shown >= .milliseconds(100) else { return }
      state.shown = .now
      state.isShown = true
      FileHandle.standardError.write(Data(("\r" + line(count, state.total) + "\u{1B}[K").utf8))
    }
  }

  /// Clears the line for what is said afterwards.
  func finish() {
    state.withLock { state in
      if state.isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
      state.isShown = false
    }
  }

  private func line(_ count: Int, _ total: Int?) -> String {
    let seconds = max(0.001, (ContinuousClock.now - began) / .seconds(1))
    let rate = Double(count) / seconds
    let pace = "\(Number.text(rate, decimals: 0))\(unit.isEmpty ? "" : " " + unit)/s"
    guard let total, total > 0 else {
      return "\(title) \(count)\(unit.isEmpty ? "" : " " + unit) \(pace)"
    }
    let share = min(1, Double(count) / Double(total))
    let filled = Int(share * 24)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
    let left = rate > 0 ? Double(total - count) / rate : 0
    return "\(title) \(bar) \(Int(share * 100)) % \(pace), \(Number.text(left, decimals: 0)) s left"
  }
}
