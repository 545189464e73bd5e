import ArgumentParser
import Storage
import Telemetry

/// `millwright devices`: what is known, who it is and where it stands.
struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List devices; rename or move one with all its history.",
    discussion: """
      EXAMPLES
        millwright devices
        millwright devices --json
        millwright devices rename plant.line1.p7 press7
        millwright devices move press7 acme/linz/hall1/line1/press7
        millwright query press1 --latest          everything one device told last

      A renamed device still gets what arrives under its old id. Devices that are declared in
      devices/*.yaml are changed there; `was: [OLD]` keeps the history.
      """,
    subcommands: [List.self, Rename.self, Move.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List devices with their profile, place and number of series.")

    @OptionGroup var place: ConfigurationOptions

    @Flag(help: "JSON instead of a table.")
    var json = false

    private struct Line {
      var id: String
      var profile: String
      var asset: String
      var isAdopted: Bool
      var was: [String]
      var series: Int
    }

    func run() async throws {
      try await reporting {
        let lines = try await DataAccess.with(place) { try await read($0) }
        json ? printJSON(lines) : printTable(lines)
      }
    }

    private func read(_ access: DataAccess) async throws -> [Line] {
      switch access {
      case .store(let store):
        let catalog = try store.reader.catalog()
        var counts: [UInt32: Int] = [:]
        for series in catalog.series { counts[series.device, default: 0] += 1 }
        return catalog.devices.map {
          Line(
            id: $0.id, profile: $0.profile, asset: $0.asset, isAdopted: $0.isAdopted,
            was: $0.was, series: counts[$0.index] ?? 0)
        }.sorted { $0.id < $1.id }
      case .gateway(let client):
        return try await client.items("/api/v1/devices").map { item in
          var count = 0
          if case .integer(let number) = item["series"] { count = Int(number) }
          return Line(
            id: item["device_id"].text ?? "", profile: item["profile"].text ?? "",
            asset: item["asset"].text ?? "", isAdopted: item["adopted"] == .boolean(true),
            was: item["was"].elements.compactMap(\.text), series: count)
        }
      }
    }

    private func printTable(_ lines: [Line]) {
      var table = Table(["device", "profile", "series", "origin", "asset"], rightAligned: [2])
      table.rows = lines.map {
        [
          $0.id, $0.profile.isEmpty ? "–" : $0.profile, String($0.series),
          $0.isAdopted ? "adopted" : "declared", $0.asset.isEmpty ? "–" : $0.asset,
        ]
      }
      print(table.text)
    }

    private func printJSON(_ lines: [Line]) {
      let items = lines.map { line in
        JSONText.object([
          ("device_id", JSONText.quoted(line.id)), ("profile", JSONText.quoted(line.profile)),
          ("asset", JSONText.quoted(line.asset)), ("adopted", line.isAdopted ? "true" : "false"),
          ("was", "[" + line.was.map { JSONText.quoted($0) }.joined(separator: ",") + "]"),
          ("series", String(line.series)),
        ])
      }
      print("{\"items\": [" + items.joined(separator: ",\n") + "]}")
    }
  }

  struct Rename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a device another id; series and history stay with it.")

    @OptionGroup var place: ConfigurationOptions

    @Argument(help: "The id it has.")
    var old: String

    @Argument(help: "The id it gets.")
    var new: String

    func run() async throws {
      try await reporting {
        try await DevicesCommand.change(old, [("id", JSONText.quoted(new))], at: place)
        print("\(old) is called \(new) now; what arrives under \(old) stays its own")
      }
    }
  }

  struct Move: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say where a device stands; no route moves it any more.")

    @OptionGroup var place: ConfigurationOptions

    @Argument(help: "The id of the device.")
    var id: String

    @Argument(help: "ISA-95 path: enterprise/site/area/line/unit; \"\": where its route says.")
    var asset: String

    func run() async throws {
      try await reporting {
        try await DevicesCommand.change(id, [("asset", JSONText.quoted(asset))], at: place)
        print(asset.isEmpty ? "\(id) stands where its route says" : "\(id) stands at \(asset) now")
      }
    }
  }

  private static func change(
    _ id: String, _ members: [(String, String)], at place: ConfigurationOptions
  ) async throws {
    try await DataAccess.with(place) { access in
      let path = "/api/v1/devices/" + GatewayClient.escaped(id)
      try await access.runningGateway().send(.PATCH, path, body: JSONText.object(members))
    }
  }
}
