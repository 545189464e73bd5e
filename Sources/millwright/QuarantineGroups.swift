import ArgumentParser
import Foundation
import Gateway
import Storage
import Telemetry

extension QuarantineCommand {
  struct Groups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what is held by reason and look, newest first, and what to do about it.")

    @OptionGroup var place: ConfigurationOptions

    @Flag(help: "Times in UTC instead of local time.")
    var utc = false

    func run() async throws {
      try await reporting {
        let groups = try await DataAccess.with(place) { access in
          switch access {
          case .store(let store):
            HeldGroup.groups(of: try store.quarantine()).map(GroupText.init)
          case .gateway(let client):
            try await client.items("/api/v1/quarantine/groups").map(GroupText.init)
          }
        }
        if groups.isEmpty { return print("the quarantine is empty") }
        let format = MomentFormat(isUTC: utc)
        print(groups.map { $0.text(format) }.joined(separator: "\n\n"))
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read a group again under today's configuration.",
      discussion: "What still cannot be taken stays held as it is; the reasons are told.")

    @OptionGroup var place: ConfigurationOptions

    @Argument(help: "The id of a group.")
    var id: String

    func run() async throws {
      try await reporting {
        guard QuarantineCommand.isGroup(id) else {
          throw Failure("`\(id)` is no group; `millwright quarantine groups` lists them")
        }
        try await DataAccess.with(place) { access in
          let client = try access.runningGateway()
          let answer = try await client.send(.POST, QuarantineCommand.path(id) + "/retry")
          print(QuarantineCommand.account(of: answer))
        }
      }
    }
  }

  /// Ids of groups begin with a letter, those of payloads are numbers.
  static func isGroup(_ id: String) -> Bool { id.hasPrefix("g") }

  static func path(_ id: String) -> String {
    "/api/v1/quarantine/" + (isGroup(id) ? "groups/" : "") + GatewayClient.escaped(id)
  }

  /// What became of payloads that were read again: how many were ingested, and why others were not.
  static func account(of answer: JSONNode) -> String {
    let lines = answer["refused"].elements.map { reason in
      "\(reason["count"].count) still held: \(reason["reason"].text ?? "")"
    }
    return (["\(answer["ingested"].count) ingested"] + lines)
      .joined(separator: "\n")
  }
}

/// A group as the command shows it.
private struct GroupText {
  var id: String
  var cause: String
  var reason: String
  var topic: String
  var shape: String
  var count: Int
  var bytes: Int
  var first: Timestamp
  var last: Timestamp
  /// The first of them.
  var devices: [String]
  var deviceCount: Int
  var advice: String
  var example: [UInt8]

  private static let devicesMax = 8
  private static let exampleBytesMax = 256

  init(_ group: HeldGroup) {
    id = group.id
    cause = group.cause.name
    reason = group.reason
    topic = group.topic
    shape = group.shape
    count = group.count
    bytes = group.bytes
    first = group.first
    last = group.last
    devices = group.devices
    deviceCount = group.devices.count
    advice = group.advice
    example = group.example.payload.payload
  }

  /// As the API tells it.
  init(_ node: JSONNode) {
    id = node["id"].text ?? ""
    cause = node["cause"].text ?? ""
    reason = node["reason"].text ?? ""
    topic = node["topic"].text ?? ""
    shape = node["shape"].text ?? ""
    count = node["count"].count
    bytes = node["bytes"].count
    first = node["first_received"].text.flatMap { Timestamp(rfc3339: $0) } ?? .epoch
    last = node["last_received"].text.flatMap { Timestamp(rfc3339: $0) } ?? .epoch
    devices = node["devices"].elements.compactMap(\.text)
    deviceCount = node["device_count"].count
    advice = node["advice"].text ?? ""
    example = QuarantineCommand.Held(node["example"]).payload
  }

  func text(_ format: MomentFormat) -> String {
    var format = format
    format.cover(first)
    format.cover(last)
    var lines = [
      "\(id)  \(cause)  \(count) held, \(bytes) bytes", "  reason    \(reason)",
      "  topic     \(topic.isEmpty ? "none (HTTP)" : topic)", "  shape     \(shape)",
      "  received  \(format.text(first)) to \(format.text(last))",
    ]
    if deviceCount > 0 {
      let shown = devices.prefix(Self.devicesMax)
      let more = deviceCount - shown.count
      let names = shown.joined(separator: ", ")
      lines.append("  devices   \(names)" + (more > 0 ? " and \(more) more" : ""))
    }
    let shown = PayloadText.line(Array(example.prefix(Self.exampleBytesMax)))
    lines.append("  example   \(shown)" + (example.count > Self.exampleBytesMax ? " …" : ""))
    lines.append("  next      \(advice)")
    return lines.map(Self.printable).joined(separator: "\n")
  }

  /// Control characters of a payload must not reach the terminal.
  private static func printable(_ line: String) -> String {
    line.unicodeScalars.map { scalar in
      let isControl = scalar.properties.generalCategory == .control
      return isControl ? scalar.escaped(asASCII: true) : String(scalar)
    }.joined()
  }
}

extension JSONNode {
  /// A whole number; 0 where there is none.
  fileprivate var count: Int { if case .integer(let number) = self { Int(number) } else { 0 } }
}
