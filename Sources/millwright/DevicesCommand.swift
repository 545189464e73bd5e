import ArgumentParser
import Storage
import Telemetry

/// `millwright devices`: what is known, and what it told last.
struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List devices with their profile, place and number of series.",
    discussion: """
      EXAMPLES
        millwright devices
        millwright devices --json
        millwright query press1 --latest          everything one device told last
      """)

  @OptionGroup var place: ConfigurationOptions

  @Flag(help: "JSON instead of a table.")
  var json = false

  private struct Line {
    var id: String
    var profile: String
    var asset: String
    var isAdopted: Bool
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
          series: counts[$0.index] ?? 0)
      }.sorted { $0.id < $1.id }
    case .gateway(let client):
      return try await client.items("/api/v1/devices").map { item in
        var count = 0
        if case .integer(let number) = item["series"] { count = Int(number) }
        return Line(
          id: item["device_id"].text ?? "", profile: item["profile"].text ?? "",
          asset: item["asset"].text ?? "", isAdopted: item["adopted"] == .boolean(true),
          series: count)
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
        ("series", String(line.series)),
      ])
    }
    print("{\"items\": [" + items.joined(separator: ",\n") + "]}")
  }
}
