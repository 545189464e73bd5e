import Operations
import Telemetry

/// Indicators of a closed shift as retained messages: `kpi/<asset>/<name>` below our root.
enum PublishedKPIs {
  /// Effects of a report; empty when a later shift of its calendar has ended: its values stand there, or will.
  static func effects(
    of report: ProductionReport, _ configuration: ProductionConfiguration, at now: Timestamp
  ) -> [JSONValue] {
    guard let shift = report.content["shift"], let result = report.content["result"],
      let place = place(of: report, configuration),
      let from = shift["from"]?.text.flatMap(Timestamp.init(rfc3339:)),
      let to = shift["to"]?.text.flatMap(Timestamp.init(rfc3339:)),
      !hasLater(than: to, report, configuration, now)
    else { return [] }
    let kpis =
      report.kind == "line"
      ? result["oee_detail"].map { [("oee", $0)] } ?? [] : result["kpis"]?.members ?? []
    return kpis.compactMap { name, kpi in
      // Without a value the message is empty, which takes the one of the shift before away.
      let value = kpi["value"].flatMap { $0.isNull ? nil : $0 }
      let payload = value.map {
        JSONValue.object([
          ("value", $0), ("unit", kpi["unit"] ?? .null), ("from", .string(from.rfc3339)),
          ("to", .string(to.rfc3339)), ("shift", .string(report.part)),
          ("version", .integer(report.version)),
        ]).encoded
      }
      return .object([
        ("kind", .string("mqtt")), ("topic", .string("kpi/\(place)/\(name)")),
        ("payload", .string(payload ?? "")), ("qos", .number("1")), ("retain", .bool(true)),
        ("state", .bool(true)),
      ])
    }
  }

  private static func hasLater(
    than end: Timestamp, _ report: ProductionReport, _ configuration: ProductionConfiguration,
    _ now: Timestamp
  ) -> Bool {
    let line = configuration.lines.first { report.kind == "line" && $0.id == report.subject }
    // As reports of lines are made: by the machine that sets the pace, or the last one.
    let lead = line.flatMap { $0.constraint ?? $0.machines.last } ?? report.subject
    guard let machine = configuration.machine(lead), end < now,
      let calendar = configuration.calendar(machine.calendar)
    else { return false }
    return calendar.shifts(touching: Span(end..<now), SystemZone(calendar.timeZone))
      .contains { $0.span.from >= end && $0.span.to <= now }
  }

  private static func place(
    of report: ProductionReport, _ configuration: ProductionConfiguration
  ) -> String? {
    if let machine = configuration.machine(report.subject), report.kind == "machine" {
      return AssetTopic.place(asset: machine.asset, device: machine.device)
    }
    guard let line = configuration.lines.first(where: { $0.id == report.subject }) else {
      return nil
    }
    let paths = line.machines.compactMap { configuration.machine($0) }
      .map { $0.asset.split(separator: "/") }
    var common = paths.first ?? []
    for path in paths { common = Array(zip(common, path).prefix { $0 == $1 }.map(\.0)) }
    return AssetTopic.place(asset: common.joined(separator: "/"), device: line.id)
  }
}

/// Where something stands, as levels of a topic.
enum AssetTopic {
  /// Two devices may stand at one place: each has a topic of its own.
  static func place(asset: String, device: String) -> String {
    guard !asset.isEmpty else { return device }
    guard !device.isEmpty, asset.split(separator: "/").last.map(String.init) != device else {
      return asset
    }
    return asset + "/" + device
  }
}
