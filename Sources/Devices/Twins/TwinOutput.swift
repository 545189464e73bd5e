import Telemetry

/// What desires did since it was last emptied, in order.
public struct TwinOutput: Sendable, Equatable {
  public var events: [TwinEvent] = []
  /// Of kind `desired`, one for each device that changed; the last of a key counts.
  public var standings: [Standing] = []

  public init() {}

  public var isEmpty: Bool { events.isEmpty && standings.isEmpty }

  public mutating func removeAll() {
    events.removeAll(keepingCapacity: true)
    standings.removeAll(keepingCapacity: true)
  }
}

/// Something that happened to a desired property: a line of the audit trail.
public struct TwinEvent: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// A person set or removed it.
    case changed = "DesiredChanged"
    /// The reported value got there.
    case converged = "DesiredConverged"
    /// It did not get there in time.
    case timedOut = "DesiredTimedOut"
    /// It had got there, and left again for longer than the time-out.
    case diverged = "DesiredDiverged"
    /// It is no longer declared writable in that unit.
    case withdrawn = "DesiredWithdrawn"
    /// A person asked and was refused.
    case refused = "DesiredRefused"
  }

  public var kind: Kind
  public var device: String
  /// Empty where a whole patch was refused.
  public var property: String
  public var time: Timestamp
  /// Who asked for the desire; of a refused one who asked for it.
  public var principal: String
  public var remark: String
  /// `nil`: nothing was desired.
  public var old: Value?
  /// `nil`: nothing is desired any more.
  public var new: Value?
  public var unit: String
  /// Of the device's desired state after the event.
  public var version: UInt64
  /// Of the command; empty where none is sent.
  public var id: String
  /// From the command to this, in s; converged, timed out and diverged only.
  public var seconds: Double?
  public var refusal: CommandRefusal?
  /// The patch that was refused, cut at 1,000 characters.
  public var asked: String
  /// What leaves because of it.
  public var messages: [TwinMessage]

  init(_ kind: Kind, device: String, property: String = "", at time: Timestamp) {
    self.kind = kind
    self.device = device
    self.property = property
    self.time = time
    principal = ""
    remark = ""
    unit = ""
    version = 0
    id = ""
    asked = ""
    messages = []
  }
}

/// An MQTT message that leaves because of a desire.
public struct TwinMessage: Sendable, Equatable {
  /// Under the topic root of what the gateway publishes; as it stands with a leading slash.
  public var topic: String
  public var payload: String
  /// Says how things are and is retained; else it is a command.
  public var isState: Bool
  /// Of a command: unique for ever, for the device to tell a repetition.
  public var id: String
  /// Of a command: it is not sent after it.
  public var expires: Timestamp?

  var effect: JSONValue {
    var members: [(String, JSONValue)] = [
      ("kind", .string("mqtt")), ("topic", .string(topic)), ("payload", .string(payload)),
      ("qos", .number("1")), ("retain", .bool(isState)),
    ]
    if isState { members.append(("state", .bool(true))) }
    if !id.isEmpty { members.append(("id", .string(id))) }
    if let expires { members.append(("expires", .string(expires.rfc3339))) }
    return .object(members)
  }
}

/// What desires did, as rows: events of the log with what leaves, and states that hold.
public enum TwinRecords {
  /// Of the standings.
  public static let kind = "desired"

  public static func add(
    _ twins: TwinOutput, at moment: RecordMoment, to output: inout StageOutput
  ) {
    for event in twins.events {
      output.add(
        event.kind.rawValue, at: moment, time: event.time,
        device: event.device.isEmpty ? nil : event.device,
        user: event.principal.isEmpty ? nil : event.principal, properties: properties(of: event),
        hasEffects: !event.messages.isEmpty)
    }
    output.standings += twins.standings
  }

  private static func properties(of event: TwinEvent) -> JSONValue {
    var members: [(String, JSONValue)] = []
    if let refusal = event.refusal {
      members = [("code", .string(refusal.code)), ("detail", .string(refusal.detail))]
      if !event.property.isEmpty { members.insert(("property", .string(event.property)), at: 0) }
      members.append(("asked", .string(event.asked)))
    } else {
      members = [
        ("property", .string(event.property)), ("old", event.old.map(JSONValue.init) ?? .null),
        ("new", event.new.map(JSONValue.init) ?? .null), ("unit", .string(event.unit)),
        ("command", .string(event.id)),
      ]
      if let expires = event.messages.first(where: { !$0.isState })?.expires {
        members.append(("expires", .string(expires.rfc3339)))
      }
    }
    members.append(("version", .integer(event.version)))
    members.append(("by", .string(event.principal)))
    members.append(("remark", .string(event.remark)))
    if let seconds = event.seconds { members.append(("seconds", .double(seconds))) }
    if !event.messages.isEmpty {
      members.append(("effects", .array(event.messages.map(\.effect))))
    }
    return .object(members)
  }
}
