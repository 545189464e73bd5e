import Storage
import Telemetry

/// The rows that one message left in the quarantine: one for each unknown device, and one for what was
/// refused. They hold the same bytes, so the message is read again once for all of them.
struct HeldMessage {
  /// At least one.
  private(set) var rows: [HeldPayload]

  var payload: Quarantined { rows[0].payload }

  /// The messages behind `rows`, in the order in which they came.
  static func messages(of rows: [HeldPayload]) -> [HeldMessage] {
    var messages: [HeldMessage] = []
    // Rows of one message stand beside each other; the same message twice has the same cause twice.
    for row in rows.sorted(by: { $0.id < $1.id }) {
      if let last = messages.last, last.payload.isSameMessage(as: row.payload),
        !last.rows.contains(where: { $0.payload.isSameRefusal(as: row.payload) })
      {
        messages[messages.count - 1].rows.append(row)
      } else {
        messages.append(HeldMessage(rows: [row]))
      }
    }
    // What was held a second time has a late id and its first time.
    return messages.sorted {
      ($0.payload.received, $0.rows[0].id) < ($1.payload.received, $1.rows[0].id)
    }
  }
}

extension Quarantined {
  func isSameMessage(as other: Quarantined) -> Bool {
    received == other.received && topic == other.topic && contentType == other.contentType
      && payload == other.payload && payloadSize == other.payloadSize
  }

  /// Of one message: the same device is unknown, or there is something else the matter with it.
  func isSameRefusal(as other: Quarantined) -> Bool {
    cause == other.cause && (cause != .unknownDevice || device == other.device)
  }
}
