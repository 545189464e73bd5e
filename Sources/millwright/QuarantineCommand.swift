import ArgumentParser
import Foundation
import Storage
import Telemetry

/// `millwright quarantine`: payloads that were refused, and what becomes of them.
struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine",
    abstract: "Look at refused payloads; adopt devices, try again, or discard what is held.",
    discussion: """
      Payloads that were refused for one reason and look alike make a group; its id begins with `g`.

      EXAMPLES
        millwright quarantine groups
        millwright quarantine adopt g0c4f9a2b77d1e350 --profile press
        millwright quarantine retry g0c4f9a2b77d1e350
        millwright quarantine discard g0c4f9a2b77d1e350
        millwright quarantine list
        millwright quarantine show 184549376
        millwright quarantine adopt 184549376 --profile press
        millwright quarantine discard 184549376
      """,
    subcommands: [
      Groups.self, List.self, Show.self, Adopt.self, Retry.self, Discard.self,
    ], defaultSubcommand: List.self)

  /// One held payload as the commands show it.
  struct Held {
    var id: String
    var cause: String
    var device: String
    var topic: String
    var reason: String
    var received: Timestamp
    var payload: [UInt8]
    var size: Int

    init(_ held: HeldPayload) {
      id = String(held.id)
      cause = held.payload.cause.name
      device = held.payload.device
      topic = held.payload.topic
      reason = held.payload.reason
      received = held.payload.received
      payload = held.payload.payload
      size = held.payload.payloadSize
    }

    /// As the API tells it.
    init(_ node: JSONNode) {
      id = node["id"].text ?? ""
      cause = node["cause"].text ?? ""
      device = node["device"].text ?? ""
      topic = node["topic"].text ?? ""
      reason = node["reason"].text ?? ""
      received = node["received"].text.flatMap { Timestamp(rfc3339: $0) } ?? .epoch
      let text = node["payload"].text ?? ""
      let isText = node["payload_encoding"].text != "base64"
      payload = isText ? Array(text.utf8) : Data(base64Encoded: text).map { [UInt8]($0) } ?? []
      size = payload.count
      if case .integer(let number) = node["payload_size"] { size = Int(number) }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List what is held, newest first.")

    @OptionGroup var place: ConfigurationOptions

    @Flag(help: "Times in UTC instead of local time.")
    var utc = false

    func run() async throws {
      try await reporting {
        let held = try await DataAccess.with(place) { access in
          switch access {
          case .store(let store): try store.quarantine().reversed().map(Held.init)
          case .gateway(let client): try await client.items("/api/v1/quarantine").map(Held.init)
          }
        }
        if held.isEmpty { return print("the quarantine is empty") }
        let format = MomentFormat(isUTC: utc)
        var table = Table(
          ["id", format.title, "cause", "device", "bytes", "topic", "reason"], rightAligned: [4])
        table.rows = held.map {
          [
            $0.id, format.text($0.received), $0.cause, $0.device.isEmpty ? "–" : $0.device,
            String($0.size), $0.topic, $0.reason,
          ]
        }
        print(table.text)
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show one payload whole.")

    @OptionGroup var place: ConfigurationOptions

    @Argument var id: String

    func run() async throws {
      try await reporting {
        let held = try await DataAccess.with(place) { access in
          switch access {
          case .gateway(let client):
            return Held(try await client.get("/api/v1/quarantine/" + GatewayClient.escaped(id)))
          case .store(let store):
            guard let held = try store.quarantine().first(where: { String($0.id) == id }) else {
              throw Failure("the quarantine holds no \(id)")
            }
            return Held(held)
          }
        }
        print("topic     \(held.topic)\ndevice    \(held.device)\ncause     \(held.cause)")
        print("reason    \(held.reason)\nreceived  \(held.received.rfc3339)\n")
        if let text = String(validating: held.payload, as: UTF8.self) {
          print(text)
        } else {
          print(Data(held.payload).base64EncodedString())
        }
      }
    }
  }

  struct Adopt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make the device of a payload, or all of a group, known and ingest what is held.")

    @OptionGroup var place: ConfigurationOptions

    @Argument(help: "The id of a payload or of a group.")
    var id: String

    @Option(help: "The profile the device gets.")
    var profile: String?

    func run() async throws {
      try await reporting {
        try await DataAccess.with(place) { access in
          let client = try access.runningGateway()
          let body = profile.map { JSONText.object([("profile", JSONText.quoted($0))]) } ?? "{}"
          let path = "\(QuarantineCommand.path(id))/adopt"
          let answer = try await client.send(.POST, path, body: body)
          if let device = answer["device_id"].text { print("\(device) is known now") }
          print(QuarantineCommand.account(of: answer))
        }
      }
    }
  }

  struct Discard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Throw payloads away; the loss ledger keeps the note.")

    @OptionGroup var place: ConfigurationOptions

    @Argument(help: "Ids of payloads and groups.")
    var ids: [String]

    func run() async throws {
      try await reporting {
        try await DataAccess.with(place) { access in
          let client = try access.runningGateway()
          for id in ids {
            try await client.send(.DELETE, QuarantineCommand.path(id))
          }
          print("discarded \(ids.count)")
        }
      }
    }
  }
}

extension DataAccess {
  /// For commands that change something: only the gateway itself writes.
  func runningGateway() throws -> GatewayClient {
    guard case .gateway(let client) = self else {
      throw Failure(
        .notReachable, "no gateway runs on this data directory; start it with `millwright run`")
    }
    return client
  }
}
