import Telemetry

/// What somebody told of a machine's maintenance: the content of an event called `MaintenanceEvent`.
///
/// ```json
/// {"event_id": "wo-4711", "device_id": "press1", "component": "main bearing", "kind": "replacement",
///  "start": "2026-11-21T08:00:00Z", "end": "2026-11-21T10:30:00Z", "cause": "worn", "cost": 1480,
///  "resets_life": true}
/// ```
/// `asset` may stand in the place of `device_id`. `end`, `component`, `cause`, `cost` and `resets_life` may be
/// left out; a replacement or preventive work then resets life, anything else does not.
public struct MaintenanceReport: Sendable, Equatable {
  /// The name of such events in the event log.
  public static let eventName = "MaintenanceEvent"
  static let textBytesMax = 1_024

  public var id: String?
  public var device: String?
  public var asset: String?
  public var component: String?
  public var kind: MaintenanceEvent.Kind
  public var start: Timestamp
  /// When the work was over, or the failure; not before `start`.
  public var end: Timestamp?
  public var cause: String?
  /// In the currency of the configuration.
  public var cost: Double?
  public var resetsLife: Bool?

  /// Why it is not taken: where in the object, a code for programs, a sentence for people.
  public struct Refusal: Error, Sendable, Equatable {
    /// The member that is wrong; empty: the whole.
    public var field: String
    public var code: String
    public var detail: String

    public init(field: String, code: String, detail: String) {
      self.field = field
      self.code = code
      self.detail = detail
    }
  }

  static let members = [
    "event_id", "device_id", "asset", "component", "kind", "start", "end", "cause", "cost",
    "resets_life",
  ]

  /// Reads an object as above; times are RFC 3339 text or epoch numbers.
  public init(reading value: JSONValue) throws(Refusal) {
    guard let members = value.members else {
      throw Refusal(
        field: "", code: "not_an_object", detail: "a maintenance event is a JSON object")
    }
    for (name, _) in members where !Self.members.contains(name) {
      let near = nearestName(to: name, among: Self.members)
      throw Refusal(
        field: name, code: "unknown_member",
        detail: "`\(name)` is no member of a maintenance event"
          + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }
    id = try Self.text("event_id", value, bytesMax: 256)
    device = try Self.text("device_id", value, bytesMax: 256)
    asset = try Self.text("asset", value)
    component = try Self.text("component", value)
    kind = try Self.kind(value["kind"])
    guard let start = try Self.time("start", value) else {
      throw Refusal(
        field: "start", code: "missing", detail: "say when it began: `start`, RFC 3339 or epoch")
    }
    self.start = start
    end = try Self.time("end", value)
    if let end, end < start {
      throw Refusal(
        field: "end", code: "end_before_start",
        detail: "`end` (\(end.rfc3339)) is before `start` (\(start.rfc3339))")
    }
    cause = try Self.text("cause", value)
    cost = try Self.cost(value["cost"])
    resetsLife = try Self.flag(value["resets_life"])
    guard device != nil || asset != nil else {
      throw Refusal(
        field: "device_id", code: "missing", detail: "say which machine: `device_id` or `asset`")
    }
  }

  // MARK: - Members

  private static func kind(_ value: JSONValue?) throws(Refusal) -> MaintenanceEvent.Kind {
    let names = MaintenanceEvent.Kind.allCases.map(\.rawValue)
    let list = names.joined(separator: ", ")
    guard let text = value?.text else {
      throw Refusal(field: "kind", code: "missing", detail: "`kind` is one of \(list)")
    }
    if let kind = MaintenanceEvent.Kind(rawValue: text) { return kind }
    let near = nearestName(to: text, among: names)
    throw Refusal(
      field: "kind", code: "unknown_kind",
      detail: "`\(text)` is not one of \(list)" + (near.map { "; did you mean `\($0)`?" } ?? ""))
  }

  private static func text(
    _ name: String, _ value: JSONValue, bytesMax: Int = textBytesMax
  ) throws(Refusal) -> String? {
    guard let member = value[name], !member.isNull else { return nil }
    guard let text = member.text, (1...bytesMax).contains(text.utf8.count),
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else {
      throw Refusal(
        field: name, code: "bad_text",
        detail: "`\(name)` is a text of 1 to \(bytesMax) bytes without control characters")
    }
    return text
  }

  private static func time(_ name: String, _ value: JSONValue) throws(Refusal) -> Timestamp? {
    guard let member = value[name], !member.isNull else { return nil }
    guard let time = member.timestamp else {
      throw Refusal(
        field: name, code: "bad_timestamp",
        detail: "`\(name)` is RFC 3339 text such as 2026-11-21T08:00:00Z, or an epoch number")
    }
    return time
  }

  private static func cost(_ value: JSONValue?) throws(Refusal) -> Double? {
    switch value {
    case nil, .null: return nil
    case .number(let digits):
      if let cost = Double(digits), cost >= 0, cost.isFinite { return cost }
    default: break
    }
    throw Refusal(
      field: "cost", code: "bad_cost",
      detail: "`cost` is a number, 0 or more, in the currency of the configuration")
  }

  private static func flag(_ value: JSONValue?) throws(Refusal) -> Bool? {
    switch value {
    case nil, .null: return nil
    case .bool(let flag): return flag
    default:
      throw Refusal(
        field: "resets_life", code: "not_a_boolean", detail: "`resets_life` is true or false")
    }
  }
}

extension MaintenanceReport {
  /// Age starts anew: as told, or as is usual for the kind.
  public var beginsLife: Bool { resetsLife ?? kind.usuallyResetsLife }

  /// What a detector learned before it no longer holds.
  public var changesTheMachine: Bool { beginsLife || kind != .inspection }

  /// When the machine was as the event left it.
  public var moment: Timestamp { end ?? start }

  /// The members in the order of the form, without those that were left out.
  public var json: JSONValue {
    var members: [(String, JSONValue)] = []
    if let id { members.append(("event_id", .string(id))) }
    if let device { members.append(("device_id", .string(device))) }
    if let asset { members.append(("asset", .string(asset))) }
    if let component { members.append(("component", .string(component))) }
    members.append(("kind", .string(kind.rawValue)))
    members.append(("start", .string(start.rfc3339)))
    if let end { members.append(("end", .string(end.rfc3339))) }
    if let cause { members.append(("cause", .string(cause))) }
    if let cost { members.append(("cost", .double(cost))) }
    members.append(("resets_life", .bool(beginsLife)))
    return .object(members)
  }

  /// As the event log keeps it; `id`: where the report has none.
  public func event(id: String) -> Event {
    Event(
      id: self.id ?? id, name: Self.eventName, time: start, device: device, properties: json.encoded
    )
  }

  /// The report that an event of the log is; the event's own device and time stand in for what its
  /// properties leave out.
  /// - Throws: `Refusal`; such an event is kept in the log and moves nothing.
  public init(_ event: Event) throws(Refusal) {
    // What is no JSON has no members: refused in one sentence.
    guard var members = (try? JSONReader.read(Array(event.properties.utf8)))?.members else {
      throw Refusal(field: "", code: "not_an_object", detail: "its properties are no JSON object")
    }
    let named = members.filter { !$0.1.isNull }.map(\.0)
    if let device = event.device, !named.contains("device_id") {
      members.append(("device_id", .string(device)))
    }
    if !named.contains("start") { members.append(("start", .string(event.time.rfc3339))) }
    try self.init(reading: .object(members))
    id = event.id
  }
}

extension MaintenanceEvent.Kind {
  /// Where an event does not say `resets_life`.
  public var usuallyResetsLife: Bool { self == .replacement || self == .preventive }
}
