import Foundation
import HTTPTypes
import Telemetry

/// What one CloudEvent brought: an event for the log, or a reading of a device.
struct CloudEvent: Sendable {
  enum Content: Sendable {
    case event(Event)
    /// An object in the device shape.
    case reading(JSONValue)
  }

  /// `source` and `id` in one text: CloudEvents promises that both together name one event.
  var id: String
  var content: Content
}

/// Reads CloudEvents 1.0 (the JSON event format and the HTTP binding's binary mode) into events of ours.
///
/// | attribute | becomes |
/// |---|---|
/// | `source`, `id` | the event's id, `source id`; `ce-` and a hash of both beyond 256 bytes |
/// | `type` | the name: the last segment in CamelCase, versions such as `v2` passed over |
/// | `time` | the time; without it the time of receipt |
/// | `subject` | `user/ID`, `users/ID`, `customer/ID`, `customers/ID`: the user; `device/ID`, `devices/ID` or a text without a slash: the device |
/// | `data` | the properties; what is no object becomes the property `data` |
/// | `data_base64` | the property `data_base64` |
/// | all but the data | `cloudevent` in the context, as they came |
///
/// A reading is told by its `type` or `dataschema`; its `time` and `subject` stand in for a `timestamp` and
/// `device_id` that the data does not have.
struct CloudEventReader: Sendable {
  static let readingType = "io.millwright.reading"
  static let readingSchema = "urn:millwright:schema:reading"
  private static let dataMembers = ["data", "data_base64"]

  /// The time of events that carry none.
  var now: Timestamp

  /// Reads the structured form.
  func read(_ value: JSONValue) throws(EventRefusal) -> CloudEvent {
    guard let members = value.members else {
      throw EventRefusal(pointer: "", code: "not_an_object", detail: "an event is a JSON object")
    }
    try checkVersion(value)
    let attributes = members.filter { !Self.dataMembers.contains($0.0) && !$0.1.isNull }
    for (name, content) in attributes { try checkAttribute(name, content) }
    let (id, source) = (try text("id", value), try text("source", value))
    let type = try text("type", value)
    let name = try EventFields.name(Self.nameSegment(of: type), at: "/type")
    let time = try time(value)
    let (user, device) = try subject(value)
    let eventID = Self.eventID(source: source, id: id)
    let properties = try properties(value)
    if type == Self.readingType || value["dataschema"]?.text == Self.readingSchema {
      return CloudEvent(
        id: eventID, content: .reading(try reading(value, time: time, device: device)))
    }
    let context = JSONValue.object([("cloudevent", .object(attributes))])
    let event = Event(
      id: eventID, name: name, time: time ?? now, timeIsReceived: time == nil, user: user,
      device: device, properties: properties, context: try EventFields.object(context, at: ""))
    try MaintenanceReports.check(event, at: "/data")
    return CloudEvent(id: eventID, content: .event(event))
  }

  // MARK: - Attributes

  private func checkVersion(_ value: JSONValue) throws(EventRefusal) {
    guard let version = value["specversion"], !version.isNull else {
      throw EventRefusal(
        pointer: "/specversion", code: "missing", detail: "say `\"specversion\": \"1.0\"`")
    }
    guard version.text == "1.0" else {
      throw EventRefusal(
        pointer: "/specversion", code: "bad_specversion",
        detail: "only CloudEvents 1.0 are read, not `\(String(version.encoded.prefix(40)))`")
    }
  }

  /// "Attribute names MUST consist of lower-case letters or digits"; values are scalars.
  private func checkAttribute(_ name: String, _ value: JSONValue) throws(EventRefusal) {
    let pointer = "/" + EventFields.escaped(name)
    let isNamed = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    guard isNamed, !name.isEmpty else {
      throw EventRefusal(
        pointer: pointer, code: "bad_attribute",
        detail: "the names of attributes have lower-case letters and digits alone: `\(name)`")
    }
    guard value.members == nil, value.elements == nil else {
      throw EventRefusal(
        pointer: pointer, code: "bad_attribute",
        detail: "the attribute `\(name)` is a text, a number or a boolean; objects go into `data`")
    }
  }

  private func text(_ name: String, _ value: JSONValue) throws(EventRefusal) -> String {
    guard let attribute = value[name], !attribute.isNull, attribute.text != "" else {
      throw EventRefusal(
        pointer: "/" + name, code: "missing", detail: "a CloudEvent has a `\(name)`")
    }
    let isClean =
      attribute.text?.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ?? false
    guard let text = attribute.text, isClean else {
      throw EventRefusal(
        pointer: "/" + name, code: "bad_attribute",
        detail: "`\(name)` is a text without control characters")
    }
    return text
  }

  private func time(_ value: JSONValue) throws(EventRefusal) -> Timestamp? {
    guard let attribute = value["time"], !attribute.isNull else { return nil }
    guard let time = attribute.text.flatMap({ Timestamp(rfc3339: $0) }) else {
      throw EventRefusal(
        pointer: "/time", code: "bad_timestamp",
        detail: "`time` is RFC 3339 text such as 2026-11-21T08:00:00Z")
    }
    return time
  }

  private static let userKinds = ["user", "users", "customer", "customers"]
  private static let deviceKinds = ["device", "devices"]

  private func subject(
    _ value: JSONValue
  ) throws(EventRefusal) -> (user: String?, device: String?) {
    guard let attribute = value["subject"], !attribute.isNull else { return (nil, nil) }
    guard let subject = attribute.text, !subject.isEmpty else {
      throw EventRefusal(
        pointer: "/subject", code: "bad_attribute", detail: "`subject` is a text, or left out")
    }
    guard let slash = subject.firstIndex(of: "/") else {
      return (nil, try EventFields.identifier(attribute, at: "/subject"))
    }
    let kind = String(subject[..<slash])
    let id = JSONValue.string(String(subject[subject.index(after: slash)...]))
    if Self.userKinds.contains(kind) {
      return (try EventFields.identifier(id, at: "/subject"), nil)
    }
    if Self.deviceKinds.contains(kind) {
      return (nil, try EventFields.identifier(id, at: "/subject"))
    }
    return (nil, nil)
  }

  /// `com.example.order_placed.v2` → `order_placed`.
  static func nameSegment(of type: String) -> String {
    let segments = type.split { $0 == "." || $0 == "/" || $0 == ":" }
    let named = segments.last { segment in
      let digits = segment.first == "v" ? segment.dropFirst() : segment
      return !digits.allSatisfy { $0.isASCII && $0.isNumber }
    }
    return String(named ?? segments.last ?? "")
  }

  static func eventID(source: String, id: String) -> String {
    let whole = source + " " + id
    guard whole.utf8.count > EventFields.idBytesMax else { return whole }
    return "ce-" + EventFields.digest(source + "\n" + id)
  }

  // MARK: - Data

  private func properties(_ value: JSONValue) throws(EventRefusal) -> String {
    if let packed = value["data_base64"], !packed.isNull {
      guard value["data"].map(\.isNull) ?? true else {
        throw EventRefusal(
          pointer: "/data_base64", code: "bad_data",
          detail: "an event has `data` or `data_base64`, not both")
      }
      guard let text = packed.text, Data(base64Encoded: text) != nil else {
        throw EventRefusal(
          pointer: "/data_base64", code: "bad_data", detail: "`data_base64` is a text in base64")
      }
      return try EventFields.object(.object([("data_base64", packed)]), at: "/data_base64")
    }
    guard let data = value["data"] else { return "{}" }
    let isObject = data.members != nil || data.isNull
    return try EventFields.object(isObject ? data : .object([("data", data)]), at: "/data")
  }

  private func reading(
    _ value: JSONValue, time: Timestamp?, device: String?
  ) throws(EventRefusal) -> JSONValue {
    guard var members = value["data"]?.members else {
      throw EventRefusal(
        pointer: "/data", code: "not_an_object",
        detail: "the `data` of a reading is `{\"device_id\": \"press1\", \"metrics\": {…}}`")
    }
    let given = members.filter { !$0.1.isNull }.map(\.0)
    if let device, !given.contains("device_id") { members.append(("device_id", .string(device))) }
    if let time, !given.contains("timestamp") {
      members.append(("timestamp", .string(time.rfc3339)))
    }
    return .object(members)
  }
}

extension CloudEventReader {
  private static let prefix = "ce-"

  /// Whether a request says by its headers that it is a CloudEvent in binary mode.
  static func isBinary(_ headers: HTTPFields) -> Bool {
    headers.contains { field in
      ["ce-specversion", "ce-id", "ce-source", "ce-type"].contains(field.name.canonicalName)
    }
  }

  /// The structured form of an event in binary mode: the attributes are in `ce-` headers, their values
  /// percent-encoded UTF-8; the body is the data.
  static func structured(_ headers: HTTPFields, body: [UInt8]) throws(Problem) -> JSONValue {
    var members: [(String, JSONValue)] = []
    for field in headers where field.name.canonicalName.hasPrefix(prefix) {
      let name = String(field.name.canonicalName.dropFirst(prefix.count))
      guard !dataMembers.contains(name), let value = field.value.removingPercentEncoding else {
        throw .invalid(
          "/" + name, "bad_attribute", "the header `ce-\(name)` is no attribute in UTF-8")
      }
      members.append((name, .string(value)))
    }
    if let type = headers[.contentType] { members.append(("datacontenttype", .string(type))) }
    if !body.isEmpty { members.append(("data", try JSONValue.body(body))) }
    return .object(members)
  }
}
