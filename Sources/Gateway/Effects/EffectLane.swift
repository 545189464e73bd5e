/// Where effects queue up one behind the other; a lane never waits for another.
enum EffectLane: Hashable, Sendable, Comparable {
  case mqtt
  /// One for each host.
  case webhook(String)
  case email
  case log
  /// Effects that nobody can read; they are booked, not sent.
  case unreadable

  init(of effect: Effect) {
    switch effect {
    case .message: self = .mqtt
    case .webhook(let webhook): self = .webhook(webhook.target)
    case .email: self = .email
    case .log: self = .log
    }
  }

  /// As in figures and in the names of cursors.
  var name: String {
    switch self {
    case .mqtt: "mqtt"
    case .webhook(let target): "webhook:\(target)"
    case .email: "email"
    case .log: "log"
    case .unreadable: "unreadable"
    }
  }

  /// Without the host.
  var kind: String { if case .webhook = self { "webhook" } else { name } }

  static func < (a: EffectLane, b: EffectLane) -> Bool { a.name < b.name }
}
