import Crypto
import Foundation
import Gateway
import Telemetry

/// Why an event was not taken: where in it, a code for programs, a sentence for people.
struct EventRefusal: Error, Equatable {
  /// A JSON Pointer into the event.
  var pointer: String
  var code: String
  var detail: String
}

/// The checks that every form of an event shares: names, ids, objects and times, each with its bound.
enum EventFields {
  static let nameBytesMax = 128
  static let idBytesMax = 256
  static let objectBytesMax = 64 << 10

  /// The name in CamelCase.
  static func name(_ text: String, at pointer: String) throws(EventRefusal) -> String {
    let name = EventName.normalized(text)
    guard !name.isEmpty, text.utf8.count <= nameBytesMax else {
      throw EventRefusal(
        pointer: pointer, code: "bad_name",
        detail: "an event's name has 1 to \(nameBytesMax) bytes")
    }
    return name
  }

  /// The text of a member that is an object; `{}` when it is missing or null.
  static func object(_ value: JSONValue?, at pointer: String) throws(EventRefusal) -> String {
    guard let value, !value.isNull else { return "{}" }
    guard value.members != nil else {
      throw EventRefusal(
        pointer: pointer, code: "not_an_object", detail: "`\(member(pointer))` is a JSON object")
    }
    let text = value.encoded
    guard text.utf8.count <= objectBytesMax else {
      throw EventRefusal(
        pointer: pointer, code: "too_large",
        detail: "`\(member(pointer))` holds at most \(objectBytesMax) bytes")
    }
    return text
  }

  /// Texts and numbers are ids; `nil` when it is missing or null.
  static func identifier(
    _ value: JSONValue?, at pointer: String
  ) throws(EventRefusal) -> String? {
    let text: String
    switch value {
    case nil, .null: return nil
    case .string(let string): text = string
    case .number(let digits): text = digits
    default:
      throw EventRefusal(
        pointer: pointer, code: "bad_id", detail: "`\(member(pointer))` is a text")
    }
    guard (1...idBytesMax).contains(text.utf8.count),
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else {
      throw EventRefusal(
        pointer: pointer, code: "bad_id",
        detail: "`\(member(pointer))` has 1 to \(idBytesMax) bytes and no control characters")
    }
    return text
  }

  /// RFC 3339 text or an epoch number; `nil` when it is missing or null.
  static func timestamp(
    _ value: JSONValue?, at pointer: String
  ) throws(EventRefusal) -> Timestamp? {
    guard let value, !value.isNull else { return nil }
    guard let time = value.timestamp else {
      throw EventRefusal(
        pointer: pointer, code: "bad_timestamp",
        detail: "`\(member(pointer))` is RFC 3339 text such as 2026-11-21T08:00:00Z, or an epoch "
          + "number")
    }
    return time
  }

  /// Derived from the content, so that the same event sent twice is one. An event without a time may
  /// truly happen twice with the same content, so it gets a fresh id, or one of the request's key.
  static func makeID(of content: JSONValue, hasTime: Bool, key: Submission.Key?) -> String {
    guard hasTime || key != nil else { return UUID().uuidString.lowercased() }
    let seed = hasTime ? "" : key.map { $0.name + "\n" } ?? ""
    return (hasTime ? "content-" : "key-") + digest(seed + content.canonicalText)
  }

  /// 32 hexadecimal digits of SHA-256.
  static func digest(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).prefix(16)
      .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// One level of a JSON Pointer (RFC 6901).
  static func escaped(_ member: String) -> String {
    member.replacing("~", with: "~0").replacing("/", with: "~1")
  }

  /// The last level of a pointer, for sentences.
  private static func member(_ pointer: String) -> String {
    let last = pointer.split(separator: "/").last.map(String.init) ?? "event"
    return last.replacing("~1", with: "/").replacing("~0", with: "~")
  }
}
