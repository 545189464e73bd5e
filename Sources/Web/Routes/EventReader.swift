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
  /// The time of events that carry none.
  var now: Timestamp
  /// Makes the id of an event that has neither id nor time the same when the request is repeated.
  var key: Submission.Key?

  private static let members = [
    "event_id", "user_id", "customer_id", "device_id", "session_id", "timestamp", "event_type",
    "name",
    "properties", "metadata", "context",
  ]

  func read(_ value: JSONValue) throws(EventRefusal) -> Event {
    guard let members = value.members else {
      throw EventRefusal(pointer: "", code: "not_an_object", detail: "an event is a JSON object")
    }
    for (name, _) in members where !Self.members.contains(name) {
      guard let near = nearestName(to: name, among: Self.members) else { continue }
      throw EventRefusal(
        pointer: "/" + EventFields.escaped(name),
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
      throw EventRefusal(
        pointer: "/user_id", code: "missing",
        detail: "say who did it: `user_id`, `device_id` or `session_id`")
    }
    let time = try EventFields.timestamp(value["timestamp"], at: "/timestamp")
    let given = try identifier("event_id", value)
    let event = Event(
      id: given ?? EventFields.makeID(of: value, hasTime: time != nil, key: key), name: name,
      time: time ?? now, timeIsReceived: time == nil, user: user, device: device,
      session: session, properties: properties, context: try context(value))
    try MaintenanceReports.check(
      event, at: value["event_type"]?["data"] == nil ? "/properties" : "/event_type/data")
    return event
  }

  // MARK: - Name and properties

  private func subject(_ value: JSONValue) throws(EventRefusal) -> (String, String) {
    if let type = value["event_type"], !type.isNull {
      if let text = type.text {
        return (
          try EventFields.name(text, at: "/event_type"),
          try EventFields.object(value["properties"], at: "/properties")
        )
      }
      guard let text = type["type"]?.text else {
        throw EventRefusal(
          pointer: "/event_type/type", code: "missing",
          detail: "`event_type` is `{\"type\": \"PageView\", \"data\": {…}}`")
      }
      return (
        try EventFields.name(text, at: "/event_type/type"),
        try EventFields.object(type["data"], at: "/event_type/data")
      )
    }
    guard let text = value["name"]?.text else {
      throw EventRefusal(
        pointer: "/event_type", code: "missing", detail: "an event has an `event_type` or a `name`")
    }
    return (
      try EventFields.name(text, at: "/name"),
      try EventFields.object(value["properties"], at: "/properties")
    )
  }

  /// The context with what belongs nowhere else: `metadata`, and members of the event that are not ours.
  private func context(_ value: JSONValue) throws(EventRefusal) -> String {
    let context = try EventFields.object(value["context"], at: "/context")
    let metadata = try EventFields.object(value["metadata"], at: "/metadata")
    let others = (value.members ?? []).filter { !Self.members.contains($0.0) }
    guard metadata != "{}" || !others.isEmpty else { return context }
    var members = value["context"]?.members ?? []
    if metadata != "{}", let metadata = value["metadata"] { members.append(("metadata", metadata)) }
    members += others
    return try EventFields.object(.object(members), at: "/context")
  }

  private func identifier(_ name: String, _ value: JSONValue) throws(EventRefusal) -> String? {
    try EventFields.identifier(value[name], at: "/" + name)
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
