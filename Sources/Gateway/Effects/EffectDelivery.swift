import Telemetry

/// One effect on its way out.
struct EffectDelivery: Sendable, Hashable {
  /// Its place in the order of everything that leaves.
  struct Key: Sendable, Hashable, Comparable {
    /// Of the row in the event log.
    var row: Int64
    /// Among the effects of the event.
    var place: Int

    static func < (a: Key, b: Key) -> Bool { (a.row, a.place) < (b.row, b.place) }
  }

  var key: Key
  var eventID: String
  /// `nil`: it could not be read, `problem` says why.
  var effect: Effect?
  var problem = ""
  /// Since when it waits, as far as we know.
  var born: Timestamp
  /// How often it was sent without success.
  var attempts = 0

  /// The same each time it is sent, so that a receiver can tell repetitions: `mw:12.0#0`.
  var id: String { "\(eventID)#\(key.place)" }

  var byteCount: Int { 160 + (effect?.byteCount ?? 0) }

  /// The topic whose state it says; `nil` for everything else.
  var stateTopic: String? {
    if case .message(let message)? = effect, message.isState { message.topic } else { nil }
  }

  var expires: Timestamp? {
    if case .message(let message)? = effect { message.expires } else { nil }
  }
}

/// What became of an attempt.
enum DeliveryOutcome: Sendable, Hashable {
  /// The other side has it; a note says what of it was refused all the same.
  case delivered(note: String? = nil)
  /// Trying again cannot help.
  case refused(String)
  /// Worth another try, after so many seconds at the earliest.
  case failed(String, retryAfterSeconds: Int? = nil)
  /// The connection went before anybody answered; it goes again at once.
  case lost
}

/// A delivery that is not sent, and why.
struct DroppedDelivery: Sendable, Hashable {
  enum Reason: Sendable, Hashable {
    case expired
    /// A newer state of the same topic waits behind it.
    case superseded
    case refused(String)
    /// Tried for as long as the settings allow.
    case givenUp(String)

    /// Nobody will ever get it although somebody should have: it is booked in the loss ledger.
    var isLoss: Bool {
      switch self {
      case .expired, .superseded: false
      case .refused, .givenUp: true
      }
    }
  }

  var delivery: EffectDelivery
  var reason: Reason
}
