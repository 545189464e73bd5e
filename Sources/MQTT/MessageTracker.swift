import CMosquitto
import Synchronization

/// What became of a message that was published.
public enum MessageFate: Sendable, Hashable {
  case acknowledged
  /// The broker does not want it, or it is none; it is not sent again.
  case refused(String)
  /// The connection went, or there is none; it was not kept.
  case lost

  init(failure code: Int32) {
    let hopeless =
      [MOSQ_ERR_INVAL, MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_MALFORMED_UTF8]
      + [MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_QOS_NOT_SUPPORTED, MOSQ_ERR_RETAIN_NOT_SUPPORTED]
    self =
      hopeless.contains { $0.rawValueAsInt32 == code } ? .refused(Client.text(code)) : .lost
  }
}

/// Knows who waits for the acknowledgement of which message.
///
/// libmosquitto's thread may tell of one before the call that published it has returned its id: while such a
/// call is under way, acknowledgements of ids that nobody knows are kept. No lock is held over a call into
/// libmosquitto, which takes locks of its own around callbacks.
final class MessageTracker: Sendable {
  private struct Waiting {
    var isKept: Bool
    var whenDone: @Sendable (MessageFate) -> Void
  }

  private struct State {
    var waiting: [Int32: Waiting] = [:]
    var early: [Int32: MessageFate] = [:]
    var callsUnderWay = 0
    /// Connections that went so far.
    var losses = 0

    mutating func finishCall() {
      callsUnderWay -= 1
      if callsUnderWay == 0 { early.removeAll() }
    }
  }

  private let state = Mutex(State())

  /// A call that publishes begins; `track` or `end` must follow.
  /// - Returns: how many connections have gone so far, for `track`.
  func begin() -> Int {
    state.withLock { state in
      state.callsUnderWay += 1
      return state.losses
    }
  }

  /// The call failed: there is no message.
  func end() { state.withLock { $0.finishCall() } }

  func track(
    _ mid: Int32, qos: Int32, since losses: Int,
    _ whenDone: @escaping @Sendable (MessageFate) -> Void
  ) {
    let fate = state.withLock { state -> MessageFate? in
      defer { state.finishCall() }
      if let fate = state.early.removeValue(forKey: mid) { return fate }
      if qos == 0, state.losses != losses { return .lost }
      state.waiting[mid] = Waiting(isKept: qos > 0, whenDone: whenDone)
      return nil
    }
    if let fate { whenDone(fate) }
  }

  func acknowledged(_ mid: Int32, _ fate: MessageFate) {
    let waiting = state.withLock { state -> Waiting? in
      if let waiting = state.waiting.removeValue(forKey: mid) { return waiting }
      if state.callsUnderWay > 0 { state.early[mid] = fate }
      return nil
    }
    waiting?.whenDone(fate)
  }

  /// Messages at QoS 0 that are not written yet go with the connection.
  func connectionLost() {
    let lost = state.withLock { state in
      state.losses += 1
      let lost = state.waiting.filter { !$0.value.isKept }
      for mid in lost.keys { state.waiting[mid] = nil }
      return lost
    }
    for waiting in lost.sorted(by: { $0.key < $1.key }) { waiting.value.whenDone(.lost) }
  }
}
