import HTTPTypes
import Synchronization

/// Header fields that the limits want on the answer, whatever the answer turns out to be.
final class RequestNotes: Sendable {
  private let fields = Mutex<HTTPFields>([:])

  func set(_ name: HTTPField.Name, _ value: String) { fields.withLock { $0[name] = value } }

  var headers: HTTPFields { fields.withLock { $0 } }
}
