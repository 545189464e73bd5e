import Synchronization
import Telemetry

/// Messages that we published outside of our root and that may come back over our own subscription: they are
/// no telemetry, and a rule that fed on what it sends would never end.
///
/// By MQTT 5 they name their origin; this is for MQTT 3.1.1, which cannot. Each is recognised once by topic and
/// content. It remembers the last thousand; what others send on the same topics passes.
final class EchoWindow: Sendable {
  static let capacity = 1_024

  private struct State {
    var ring: [UInt64] = []
    var next = 0
  }

  private let state = Mutex(State())
  /// Costs a word to ask while nothing is awaited.
  private let isEmpty = Atomic(true)

  /// Before the message is handed to the broker.
  func note(_ topic: String, _ payload: String) {
    var topic = topic
    var payload = payload
    let hash = topic.withUTF8 { topic in
      payload.withUTF8 { Self.hash(UnsafeRawBufferPointer(topic), UnsafeRawBufferPointer($0)) }
    }
    state.withLock { state in
      if state.ring.count < Self.capacity {
        state.ring.append(hash)
      } else {
        state.ring[state.next] = hash
        state.next = (state.next + 1) % Self.capacity
      }
    }
    isEmpty.store(false, ordering: .releasing)
  }

  /// - Returns: whether it is one of ours; it is forgotten then.
  func take(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Bool {
    if isEmpty.load(ordering: .acquiring) { return false }
    let hash = Self.hash(topic, payload)
    return state.withLock { state in
      guard let place = state.ring.firstIndex(of: hash) else { return false }
      state.ring.remove(at: place)
      // The oldest stays the next to be replaced.
      if place < state.next { state.next -= 1 }
      if state.next >= state.ring.count { state.next = 0 }
      if state.ring.isEmpty { isEmpty.store(true, ordering: .releasing) }
      return true
    }
  }

  private static func hash(
    _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer
  ) -> UInt64 {
    Hash64.mix(Hash64.hash(topic), Hash64.hash(payload))
  }
}
