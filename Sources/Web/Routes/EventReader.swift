import Crypto
import Foundation
import Gateway
import Telemetry

/// Reads one event of the API into the form in which the log keeps it.
///
/// Two forms are taken:
/// ```
/// {event_id, user_id, session_id, timestamp, event_type: {type, data}, metadata, context}
/// {event_id, user_id | device_id, session_id, timestamp, name, properties, context}
/// ```
/// `data` and `properties` become the properties; `metadata` and unknown members go
/// into the context under their names; an unknown name that looks like a slip is refused.
struct EventReader: Sendable {
  struct Refusal: Error {
    var pointer: String
    var code: String
    var detail: String
  }

  static let nameBytesMax = 128
  static let idBytesMax = 256
  static let objectBytesMax = 64 << 10

  /// The time of events that carry none.
  var now: Timestamp
  /// Makes the id of an event that has neither id nor time the same when the request is repeated.
  var key: Submission.Key?

  private static let members = [
    "event_id", "user_id", "customer_id", "device_id", "session_id", "timestamp", "event_type",
    "name",
    "properties", "metadata", "context",
  ]

  func read(_ value: JSONValue) throws(Refusal) -> Event {
    guard let members = value.members else {
      throw Refusal(pointer: "", code: "not_an_object", detail: "an event is a JSON object")
    }
    for (name, _) in members where !Self.members.contains(name) {
      guard let near = nearestName(to: name, among: Self.members) else { continue }
      throw Refusal(
        pointer: "/" + name.replacing("~", with: "~0").replacing("/", with: "~1"),
        code: "unknown_member",
        detail: "`\(name)` is no member of an event; did you mean `\(near)`?")
    }
    let (name, properties) = try subject(value)
    let (userID, customerID) = (
      try identifier("user_id", value), try identifier("customer_id", value)
    )
    let user = userID ?? customerID
    let device = try identifier("device_id", value)
    let session = try identifier("session_id", value)
    guard user != nil || device != nil || session != nil else {
      throw Refusal(
        pointer: "/user_id", code: "missing",
        detail: "say who did it: `user_id`, `device_id` or `session_id`")
    }
    let time = try timestamp(value)
    let given = try identifier("event_id", value)
    return Event(
      id: given ?? makeID(value, hasTime: time != nil), name: name,
      time: time ?? now, timeIsReceived: time == nil, user: user, device: device,
      session: session, properties: properties, context: try context(value))
  }

  // MARK: - Name and properties

  private func subject(_ value: JSONValue) throws(Refusal) -> (String, String) {
    if let type = value["event_type"], !type.isNull {
      if let text = type.text {
        return (
          try name(text, at: "/event_type"), try object("properties", value, at: "/properties")
        )
      }
      guard let text = type["type"]?.text else {
        throw Refusal(
          pointer: "/event_type/type", code: "missing",
          detail: "`event_type` is `{\"type\": \"PageView\", \"data\": {…}}`")
      }
      return (
        try name(text, at: "/event_type/type"), try object("data", type, at: "/event_type/data")
      )
    }
    guard let text = value["name"]?.text else {
      throw Refusal(
        pointer: "/event_type", code: "missing", detail: "an event has an `event_type` or a `name`")
    }
    return (try name(text, at: "/name"), try object("properties", value, at: "/properties"))
  }

  private func name(_ text: String, at pointer: String) throws(Refusal) -> String {
    let name = EventName.normalized(text)
    guard !name.isEmpty, text.utf8.count <= Self.nameBytesMax else {
      throw Refusal(
        pointer: pointer, code: "bad_name",
        detail: "an event's name has 1 to \(Self.nameBytesMax) bytes")
    }
    return name
  }

  /// The text of a member that is an object; `{}` when it is missing or null.
  private func object(
    _ name: String, _ value: JSONValue, at pointer: String
  ) throws(Refusal) -> String {
    guard let member = value[name], !member.isNull else { return "{}" }
    guard member.members != nil else {
      throw Refusal(pointer: pointer, code: "not_an_object", detail: "`\(name)` is a JSON object")
    }
    let text = member.encoded
    guard text.utf8.count <= Self.objectBytesMax else {
      throw Refusal(
        pointer: pointer, code: "too_large",
        detail: "`\(name)` holds at most \(Self.objectBytesMax) bytes")
    }
    return text
  }

  /// The context with what belongs nowhere else: `metadata`, and members of the event that are not ours.
  private func context(_ value: JSONValue) throws(Refusal) -> String {
    let context = try object("context", value, at: "/context")
    let metadata = try object("metadata", value, at: "/metadata")
    let others = (value.members ?? []).filter { !Self.members.contains($0.0) }
    guard metadata != "{}" || !others.isEmpty else { return context }
    var members = value["context"]?.members ?? []
    if metadata != "{}", let metadata = value["metadata"] { members.append(("metadata", metadata)) }
    members += others
    return try object("context", .object([("context", .object(members))]), at: "/context")
  }

  // MARK: - Ids and times

  /// Texts and numbers are ids; anything else is refused.
  private func identifier(_ name: String, _ value: JSONValue) throws(Refusal) -> String? {
    let text: String
    switch value[name] {
    case nil, .null: return nil
    case .string(let string): text = string
    case .number(let digits): text = digits
    default:
      throw Refusal(pointer: "/" + name, code: "bad_id", detail: "`\(name)` is a text")
    }
    guard (1...Self.idBytesMax).contains(text.utf8.count),
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else {
      throw Refusal(
        pointer: "/" + name, code: "bad_id",
        detail: "`\(name)` has 1 to \(Self.idBytesMax) bytes and no control characters")
    }
    return text
  }

  private func timestamp(_ value: JSONValue) throws(Refusal) -> Timestamp? {
    let time: Timestamp?
    switch value["timestamp"] {
    case nil, .null: return nil
    case .string(let text): time = Timestamp(rfc3339: text)
    case .number(let digits):
      time =
        Int64(digits).flatMap { Timestamp(epoch: $0) }
        ?? Double(digits).flatMap { Timestamp(epoch: $0) }
    default: time = nil
    }
    guard let time else {
      throw Refusal(
        pointer: "/timestamp", code: "bad_timestamp",
        detail: "`timestamp` is RFC 3339 text such as 2026-11-21T08:00:00Z, or an epoch number")
    }
    return time
  }

  /// Derived from the content, so that the same event sent twice is one. An event without a time may
  /// truly happen twice with the same content, so it gets a fresh id.
  private func makeID(_ value: JSONValue, hasTime: Bool) -> String {
    guard hasTime || key != nil else { return UUID().uuidString.lowercased() }
    let seed = hasTime ? "" : key.map { $0.name + "\n" } ?? ""
    let digest = SHA256.hash(data: Data((seed + value.canonicalText).utf8))
    return (hasTime ? "content-" : "key-")
      + digest.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}

/// Names of events: `page_view`, `page-view` and `PageView` are one.
enum EventName {
  /// Words that are written in capitals throughout.
  private static let acronyms: Set<String> = ["api", "hmi", "id", "oee", "plc", "qr", "ui", "url"]

  static func normalized(_ text: String) -> String {
    let words = text.split { $0 == "_" || $0 == "-" || $0 == " " }
    guard words.count > 1 || text.first?.isLowercase == true else {
      return String(words.first ?? "")
    }
    return words.map { word in
      acronyms.contains(word.lowercased())
        ? word.uppercased() : word.prefix(1).uppercased() + word.dropFirst()
    }.joined()
  }
}
