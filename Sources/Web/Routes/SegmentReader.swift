import Gateway
import Telemetry

/// The calls of Segment's tracking API.
enum SegmentCall: String, CaseIterable, Sendable {
  case identify, track, page, screen, group, alias
}

/// Reads one call of Segment's HTTP tracking API into an event of ours.
///
/// | call | name | properties |
/// |---|---|---|
/// | `track` | its `event` in CamelCase | `properties` |
/// | `page`, `screen` | `PageView`, `ScreenView` | `properties` with `name` and `category` |
/// | `identify` | `Identify` | `traits` |
/// | `group` | `Group` | `traits` with `group_id` |
/// | `alias` | `Alias` | `previous_id` |
///
/// `messageId` is the event's id, `userId` (else `anonymousId`) the user, `context.device.id` the device,
/// `context.sessionId` the session. What has no place of its own goes into the context as `segment`.
///
/// The clock of a device may be wrong. As Segment does it, time = receipt − (sentAt − timestamp): one sent
/// at 12:00:10 by the device's clock that says 12:00:00 and came at 08:00:30 happened at 08:00:20. Without
/// `sentAt` the time is believed, and so it is when `originalTimestamp` stands beside it: then somebody
/// has corrected it before.
struct SegmentReader: Sendable {
  static let eventBytesMax = 32 << 10
  private static let placed = [
    "context", "properties", "traits", "messageId", "userId", "writeKey",
  ]

  /// When the request came.
  var now: Timestamp
  /// Makes the id of an event that has neither id nor time the same when the request is repeated.
  var key: Submission.Key?
  /// Of the batch, for calls that have none of their own.
  var sentAt: JSONValue?
  var context: JSONValue?

  /// - Parameter call: what the path says; `nil`: the member `type` does.
  func read(_ value: JSONValue, call: SegmentCall?) throws(EventRefusal) -> Event {
    guard value.members != nil else {
      throw EventRefusal(pointer: "", code: "not_an_object", detail: "a call is a JSON object")
    }
    guard value.encoded.utf8.count <= Self.eventBytesMax else {
      throw EventRefusal(
        pointer: "", code: "too_large",
        detail: "an event holds at most \(Self.eventBytesMax) bytes")
    }
    let call = try kind(value, call)
    let (name, properties) = try subject(value, call)
    let userID = try EventFields.identifier(value["userId"], at: "/userId")
    let anonymousID = try EventFields.identifier(value["anonymousId"], at: "/anonymousId")
    guard let user = userID ?? anonymousID else {
      throw EventRefusal(
        pointer: "/userId", code: "missing", detail: "say who did it: `userId` or `anonymousId`")
    }
    let time = try time(value)
    let given = try EventFields.identifier(value["messageId"], at: "/messageId")
    let (context, device, session) = try context(value)
    return Event(
      id: given ?? makeID(value, hasTime: time != nil), name: name, time: time ?? now,
      timeIsReceived: time == nil, user: user, device: device, session: session,
      properties: properties, context: context)
  }

  // MARK: - What happened

  private func kind(
    _ value: JSONValue, _ call: SegmentCall?
  ) throws(EventRefusal) -> SegmentCall {
    guard let type = value["type"], !type.isNull else {
      if let call { return call }
      throw EventRefusal(
        pointer: "/type", code: "missing", detail: "each call of a batch has a `type`")
    }
    guard let named = type.text.flatMap(SegmentCall.init(rawValue:)) else {
      let names = SegmentCall.allCases.map(\.rawValue).joined(separator: ", ")
      throw EventRefusal(
        pointer: "/type", code: "bad_type", detail: "`type` is one of \(names)")
    }
    guard named == call ?? named else {
      throw EventRefusal(
        pointer: "/type", code: "bad_type",
        detail: "`\(named.rawValue)` was sent to the path of another call")
    }
    return named
  }

  private func subject(
    _ value: JSONValue, _ call: SegmentCall
  ) throws(EventRefusal) -> (name: String, properties: String) {
    switch call {
    case .track:
      guard let event = value["event"]?.text else {
        throw EventRefusal(
          pointer: "/event", code: "missing", detail: "`track` says what happened in `event`")
      }
      return (
        try EventFields.name(event, at: "/event"),
        try members(of: "properties", value, adding: [])
      )
    case .page, .screen:
      let added = ["name", "category"].compactMap { name in
        value[name].flatMap { $0.isNull ? nil : (name, $0) }
      }
      return (
        call == .page ? "PageView" : "ScreenView",
        try members(of: "properties", value, adding: added)
      )
    case .identify: return ("Identify", try members(of: "traits", value, adding: []))
    case .group:
      let group = try required("groupId", value)
      return ("Group", try members(of: "traits", value, adding: [("group_id", group)]))
    case .alias:
      let previous = try required("previousId", value)
      return ("Alias", try EventFields.object(.object([("previous_id", previous)]), at: ""))
    }
  }

  /// The text of an object with members that it does not have itself.
  private func members(
    of name: String, _ value: JSONValue, adding added: [(String, JSONValue)]
  ) throws(EventRefusal) -> String {
    let plain = try EventFields.object(value[name], at: "/" + name)
    let own = value[name]?.members ?? []
    let missing = added.filter { member in !own.contains { $0.0 == member.0 } }
    guard !missing.isEmpty else { return plain }
    return try EventFields.object(.object(own + missing), at: "/" + name)
  }

  private func required(_ name: String, _ value: JSONValue) throws(EventRefusal) -> JSONValue {
    guard let text = try EventFields.identifier(value[name], at: "/" + name) else {
      throw EventRefusal(pointer: "/" + name, code: "missing", detail: "`\(name)` is missing")
    }
    return .string(text)
  }

  // MARK: - When and where

  private func time(_ value: JSONValue) throws(EventRefusal) -> Timestamp? {
    let corrected = try EventFields.timestamp(value["timestamp"], at: "/timestamp")
    let original = try EventFields.timestamp(
      value["originalTimestamp"], at: "/originalTimestamp")
    let sent = try EventFields.timestamp(value["sentAt"] ?? sentAt, at: "/sentAt")
    if let corrected, original != nil { return corrected }
    guard let told = corrected ?? original else { return nil }
    guard let sent else { return told }
    return told.advanced(byMicroseconds: now.microseconds(since: sent))
  }

  private func context(
    _ value: JSONValue
  ) throws(EventRefusal) -> (text: String, device: String?, session: String?) {
    let own = value["context"].flatMap { $0.isNull ? nil : $0 } ?? context
    _ = try EventFields.object(own, at: "/context")
    let device = try EventFields.identifier(own?["device"]?["id"], at: "/context/device/id")
    let session = try EventFields.identifier(own?["sessionId"], at: "/context/sessionId")
    let rest = (value.members ?? []).filter { !Self.placed.contains($0.0) }
    let whole = JSONValue.object((own?.members ?? []) + [("segment", .object(rest))])
    return (try EventFields.object(whole, at: "/context"), device, session)
  }

  /// `sentAt` is another one each time a call is sent again.
  private func makeID(_ value: JSONValue, hasTime: Bool) -> String {
    let content = (value.members ?? []).filter { $0.0 != "sentAt" }
    return EventFields.makeID(of: .object(content), hasTime: hasTime, key: key)
  }
}
