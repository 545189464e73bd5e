import Gateway
import Synchronization

/// Counts requests by method, route and status, and how long they took until their answer began.
final class RequestMeter: Sendable {
  struct Key: Hashable, Comparable {
    var method: String
    /// As declared, with `{id}`; `unmatched` for paths that no route has, so that callers cannot make labels.
    var route: String
    var status: Int

    static func < (a: Key, b: Key) -> Bool {
      (a.route, a.method, a.status) < (b.route, b.method, b.status)
    }
  }

  struct Figures {
    var counts: [Key: UInt64] = [:]
    var durations: [String: Histogram] = [:]
    var inFlight = 0
  }

  private let state = Mutex(Figures())
  static let secondsBounds = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  var figures: Figures { state.withLock { $0 } }

  func begin() { state.withLock { $0.inFlight += 1 } }

  func end(_ key: Key, seconds: Double) {
    state.withLock { figures in
      figures.inFlight -= 1
      figures.counts[key, default: 0] += 1
      figures.durations[key.route, default: Histogram(bounds: Self.secondsBounds)].observe(seconds)
    }
  }
}
