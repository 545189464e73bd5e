import Foundation
import Telemetry

/// Something that is to leave the box because of a derived event: an element of its property `effects`.
///
/// ```
/// {"kind":"mqtt","topic":"alarm/line1/hot","payload":"…","qos":1,"retain":true,"expires":"…","state":true}
/// {"kind":"webhook","url":"https://…","credential":"portal","format":"json","body":{…}}
/// {"kind":"email","to":["ana@example.com"],"subject":"…","body":"…"}
/// {"kind":"log","level":"warning","text":"…"}
/// ```
///
/// Members that nobody knows are left alone, so that an older gateway can send what a newer one wrote down.
enum Effect: Sendable, Hashable {
  case message(MessageEffect)
  case webhook(WebhookEffect)
  case email(EmailEffect)
  case log(LogEffect)

  static let kinds = ["mqtt", "webhook", "email", "log"]

  /// - Parameter root: the topic prefix of what we publish, with its slash.
  /// - Throws: a sentence about the first member that does not fit.
  init(_ value: JSONValue, root: String) throws(EffectRefusal) {
    guard value.members != nil else { throw EffectRefusal("an effect is a JSON object") }
    let members = EffectMembers(value: value)
    switch try members.text("kind") {
    case "mqtt": self = .message(try MessageEffect(members, root: root))
    case "webhook": self = .webhook(try WebhookEffect(members))
    case "email": self = .email(try EmailEffect(members))
    case "log": self = .log(try LogEffect(members))
    case let kind:
      throw EffectRefusal(
        "the kind `\(kind.prefix(40))` is none of \(Self.kinds.joined(separator: ", "))")
    }
  }

  /// Memory it holds while it waits, roughly.
  var byteCount: Int {
    switch self {
    case .message(let message): message.topic.utf8.count + message.payload.utf8.count
    case .webhook(let webhook): webhook.url.utf8.count + webhook.body.utf8.count
    case .email(let email): email.subject.utf8.count + email.body.utf8.count
    case .log(let log): log.text.utf8.count
    }
  }
}

/// Why an effect cannot be sent, for the log and the loss ledger.
struct EffectRefusal: Error, Hashable, CustomStringConvertible {
  let detail: String

  init(_ detail: String) { self.detail = detail }

  var description: String { detail }
}

/// An MQTT message.
struct MessageEffect: Sendable, Hashable {
  /// The whole topic.
  var topic: String
  /// Empty and retained: what the broker keeps on the topic goes.
  var payload: String
  var qos: Int32
  var isRetained: Bool
  /// Not sent after it.
  var expires: Timestamp?
  /// Says how something is: of those that wait for the broker only the newest on its topic is sent.
  var isState: Bool

  static let topicBytesMax = 65_535

  init(_ members: EffectMembers, root: String) throws(EffectRefusal) {
    let named = try members.text("topic")
    topic = named.hasPrefix("/") ? String(named.dropFirst()) : root + named
    let isTopic =
      !named.isEmpty && named != "/" && topic.utf8.count <= Self.topicBytesMax
      && !topic.utf8.contains { $0 < 0x20 || $0 == 0x23 || $0 == 0x2B || $0 == 0x7F }
    guard isTopic else {
      throw EffectRefusal("`\(named.prefix(80))` is no topic to publish on")
    }
    switch members.value["payload"] {
    case .string(let text)?: payload = text
    case nil, .null?: throw EffectRefusal("`payload` is missing; an empty text clears a topic")
    case let other?: payload = other.encoded
    }
    switch members.value["qos"] {
    case nil, .number("1")?: qos = 1
    case .number("0")?: qos = 0
    default: throw EffectRefusal("`qos` is 0 or 1")
    }
    isRetained = try members.flag("retain") ?? false
    let isState = try members.flag("state") ?? false
    self.isState = isState || isRetained
    if let text = try members.optionalText("expires") {
      guard let time = Timestamp(rfc3339: text) else {
        throw EffectRefusal("`expires` is a time such as 2026-05-01T12:00:00Z")
      }
      expires = time
    }
  }
}

/// A POST to somebody else's server.
struct WebhookEffect: Sendable, Hashable {
  var url: String
  /// `host`, or `host:port` where the port is not the scheme's own: deliveries to it keep their order.
  var target: String
  /// Name of the credential that signs it.
  var credential: String?
  /// JSON text.
  var body: String

  init(_ members: EffectMembers) throws(EffectRefusal) {
    url = try members.text("url")
    target = try Self.target(of: url)
    credential = try members.optionalText("credential")
    if let credential, !Self.isFileName(credential) {
      throw EffectRefusal("a credential is named by letters, digits, `-`, `_` and `.`")
    }
    let content = members.value["body"] ?? .null
    switch try members.optionalText("format") ?? "json" {
    case "json": body = content.encoded
    case "slack":
      if case .string = content {
        body = JSONValue.object([("text", content)]).encoded
      } else if content["text"]?.text != nil {
        body = content.encoded
      } else {
        throw EffectRefusal("the body of format `slack` is a text or has a member `text`")
      }
    default: throw EffectRefusal("`format` is json or slack")
    }
  }

  private static func target(of url: String) throws(EffectRefusal) -> String {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
      ["https", "http"].contains(scheme), let host = parts.host?.lowercased(), !host.isEmpty
    else { throw EffectRefusal("`url` begins with https:// or http:// and has a host") }
    guard parts.user == nil, parts.password == nil else {
      throw EffectRefusal("`url` holds no user name and no password; name a credential instead")
    }
    guard let port = parts.port, port != (scheme == "https" ? 443 : 80) else { return host }
    return "\(host):\(port)"
  }

  private static func isFileName(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix(".") && text.utf8.count <= 128
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
  }
}

/// A mail to a few people.
struct EmailEffect: Sendable, Hashable {
  var to: [String]
  var subject: String
  var body: String

  static let recipientsMax = 50

  init(_ members: EffectMembers) throws(EffectRefusal) {
    guard let list = members.value["to"]?.elements, (1...Self.recipientsMax).contains(list.count)
    else { throw EffectRefusal("`to` is a list of 1 to \(Self.recipientsMax) addresses") }
    var addresses: [String] = []
    for element in list {
      guard let address = element.text, Self.isAddress(address) else {
        throw EffectRefusal("`\((element.text ?? element.encoded).prefix(80))` is no mail address")
      }
      addresses.append(address)
    }
    to = addresses
    // A line end would begin another header.
    subject = String(try members.text("subject").map { $0.isNewline ? " " : $0 })
    body = try members.text("body")
  }

  /// `local@domain` in ASCII without blanks, brackets and quotes: what goes into a header as it is.
  static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && text.utf8.count <= 254
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      && !text.contains { "<>()[],;:\\\"".contains($0) }
  }
}

/// A line in the gateway's own log.
struct LogEffect: Sendable, Hashable {
  enum Level: String, Sendable, CaseIterable {
    case info
    case warning
    case error
  }

  var level: Level
  var text: String

  init(_ members: EffectMembers) throws(EffectRefusal) {
    let name = try members.optionalText("level") ?? Level.info.rawValue
    guard let level = Level(rawValue: name) else {
      throw EffectRefusal("`level` is info, warning or error")
    }
    self.level = level
    text = try members.text("text")
  }
}

/// The members of an effect, read with a sentence for what does not fit.
struct EffectMembers {
  let value: JSONValue

  func text(_ name: String) throws(EffectRefusal) -> String {
    guard let text = try optionalText(name) else { throw EffectRefusal("`\(name)` is missing") }
    return text
  }

  func optionalText(_ name: String) throws(EffectRefusal) -> String? {
    switch value[name] {
    case nil, .null?: return nil
    case .string(let text)?: return text
    default: throw EffectRefusal("`\(name)` is a text")
    }
  }

  func flag(_ name: String) throws(EffectRefusal) -> Bool? {
    switch value[name] {
    case nil, .null?: return nil
    case .bool(let flag)?: return flag
    default: throw EffectRefusal("`\(name)` is true or false")
    }
  }
}
