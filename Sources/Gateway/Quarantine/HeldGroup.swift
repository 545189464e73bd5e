import Payloads
import Storage
import Telemetry

/// Held payloads that were refused for one reason and look alike: what an operator decides about at once.
///
/// Alike are payloads with the same cause, the same reason but for names and numbers in it, the same shape,
/// and topics of the same length under the same first level. So the id of a group stays while others
/// join; levels in which its topics differ are shown as `+`.
public struct HeldGroup: Sendable {
  /// `g` and 16 hexadecimal digits of a hash over what its payloads have in common.
  public var id: String
  public var cause: Quarantined.Cause
  /// Of the newest payload, in full.
  public var reason: String
  /// Such as `plant/+/press`; empty for payloads that came by HTTP.
  public var topic: String
  public var shape: String
  /// Ids of the rows, ascending.
  public var rows: [Int64]
  /// As the payloads came, before any was cut.
  public var bytes: Int
  public var first: Timestamp
  public var last: Timestamp
  /// The newest payload, rather one that was not cut.
  public var example: HeldPayload
  /// Sorted, each once; empty when none could be told.
  public var devices: [String]
  /// Payloads of which only the beginning was kept: they cannot be ingested any more.
  public var cutCount: Int

  public var count: Int { rows.count }

  /// The groups of `rows`, the one with the newest payload first. Cost: linear in the bytes that are held.
  public static func groups(of rows: [HeldPayload]) -> [HeldGroup] {
    var groups: [Key: HeldGroup] = [:]
    for row in rows {
      let key = Key(row.payload)
      if groups[key]?.take(row) == nil { groups[key] = HeldGroup(row, key) }
    }
    var sorted = Array(groups.values)
    for position in sorted.indices {
      sorted[position].rows.sort()
      sorted[position].devices = Set(sorted[position].devices).sorted()
    }
    return sorted.sorted { ($0.last, $1.id) > ($1.last, $0.id) }
  }

  // MARK: - Building

  private init(_ row: HeldPayload, _ key: Key) {
    id = key.id
    cause = key.cause
    reason = row.payload.reason
    topic = row.payload.topic
    shape = key.shape
    rows = []
    bytes = 0
    first = row.payload.received
    last = row.payload.received
    example = row
    devices = []
    cutCount = 0
    take(row)
  }

  private mutating func take(_ row: HeldPayload) {
    let payload = row.payload
    rows.append(row.id)
    bytes += payload.payloadSize
    first = min(first, payload.received)
    if !payload.device.isEmpty, devices.last != payload.device { devices.append(payload.device) }
    if payload.isCut { cutCount += 1 }
    topic = HeldGroup.pattern(topic, payload.topic)
    if payload.received >= last {
      last = payload.received
      reason = payload.reason
    }
    let isNewer = payload.received >= example.payload.received
    if example.payload.isCut == payload.isCut ? isNewer : !payload.isCut { example = row }
  }

  /// Both have as many levels.
  private static func pattern(_ pattern: String, _ topic: String) -> String {
    guard pattern != topic else { return pattern }
    return zip(levels(pattern), levels(topic)).map { $0 == $1 ? String($0) : "+" }
      .joined(separator: "/")
  }

  private static func levels(_ topic: String) -> [Substring] {
    topic.split(separator: "/", omittingEmptySubsequences: false)
  }

  /// What the payloads of a group share.
  private struct Key: Hashable {
    var cause: Quarantined.Cause
    var reason: String
    var root: String
    var levelCount: Int
    var shape: String

    init(_ payload: Quarantined) {
      let levels = HeldGroup.levels(payload.topic)
      cause = payload.cause
      reason = HeldGroup.pattern(ofReason: payload.reason)
      root = levels.first.map(String.init) ?? ""
      levelCount = levels.count
      shape =
        PayloadShape(
          of: payload.payload, contentType: payload.contentType, topic: payload.topic
        ).description
    }

    var id: String {
      let text = "\(cause.rawValue)\n\(reason)\n\(root)\n\(levelCount)\n\(shape)"
      let digits = String(Hash64.hash(text), radix: 16)
      return "g" + String(repeating: "0", count: 16 - digits.count) + digits
    }
  }
}

extension HeldGroup {
  /// The reason without names (which stand in backticks), numbers, and how many more there were.
  public static func pattern(ofReason reason: String) -> String {
    var pattern = ""
    var isName = false
    for character in reason.split(separator: " (and ").first ?? "" {
      if character == "`" {
        isName.toggle()
        pattern.append("`")
      } else if !isName {
        if !(character.isASCII && character.isNumber) {
          pattern.append(character)
        } else if pattern.last != "#" {
          pattern.append("#")
        }
      }
    }
    return pattern
  }

  /// What an operator may do about it, in one or two sentences.
  public var advice: String {
    var text: String
    switch cause {
    case .unknownDevice:
      text =
        "Adopt the group: its devices become known, with a profile if you give one, and what is held "
        + "is ingested; or declare them in devices/*.yaml, reload and retry."
    case .malformed where topic.isEmpty:
      text = "Only its sender can mend what it says; discard the group when it has."
    case .malformed:
      text =
        "Say in devices/*.yaml how `\(topic)` is to be read (a route with `format` or a mapping), "
        + "reload and retry; or discard the group."
    case .partlyRefused:
      text =
        "What could be read is stored. Mend the profile or the route that the reason speaks of, reload "
        + "and retry to get the rest; or discard the group."
    }
    if cutCount > 0 {
      text +=
        " Of \(cutCount) only the beginning was kept, so they can be discarded alone; "
        + "`quarantine_payload_max` in the settings says how much is kept."
    }
    return text
  }
}

extension Quarantined {
  /// Only its beginning was kept.
  var isCut: Bool { payload.count < payloadSize }
}
