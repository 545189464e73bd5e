import Operations
import Telemetry

/// What detectors noticed, as rows: an event at the start and at the end of each episode, and what is unusual
/// now.
enum AnomalyRecords {
  static let kind = "anomaly"

  static func add(
    _ anomaly: Anomaly, catalog: Catalog, at moment: RecordMoment, to output: inout StageOutput
  ) {
    let hasBegun = anomaly.phase == .started
    let device = catalog.devices[Int(anomaly.device)]
    let facts = facts(of: anomaly, device: device, catalog: catalog)
    output.add(
      hasBegun ? "AnomalyStarted" : "AnomalyEnded", at: moment,
      time: hasBegun ? anomaly.started : anomaly.ended ?? moment.wall, device: device.id,
      properties: facts)
    output.standings.append(
      Standing(
        kind: kind, key: String(anomaly.number), time: anomaly.started,
        body: hasBegun ? facts.encoded : ""))
  }

  private static func facts(
    of anomaly: Anomaly, device: DeviceDefinition, catalog: Catalog
  ) -> JSONValue {
    let series = catalog.series[Int(anomaly.series)]
    var members: [(String, JSONValue)] = [
      ("number", .integer(anomaly.number)), ("kind", .string(anomaly.kind.name)),
      ("device", .string(device.id)), ("asset", .string(device.asset)),
      ("metric", .string(series.metric)), ("unit", .string(series.unit)),
      ("value", .double(anomaly.value)),
      ("expected", anomaly.expected.map(JSONValue.double) ?? .null),
      ("scale", anomaly.scale.map(JSONValue.double) ?? .null),
      ("score", .double(anomaly.score)), ("threshold", .double(anomaly.threshold)),
      ("contributions", .array(anomaly.contributions.map { json($0, catalog: catalog) })),
      ("started", .string(anomaly.started.rfc3339)),
    ]
    if let tolerated = anomaly.toleratedMicroseconds {
      members.append(("tolerated_seconds", .double(Double(tolerated) / 1e6)))
    }
    if let ended = anomaly.ended { members.append(("ended", .string(ended.rfc3339))) }
    return .object(members)
  }

  private static func json(_ part: Anomaly.Contribution, catalog: Catalog) -> JSONValue {
    switch part.cause {
    case .series(let index):
      .object([
        ("signal", .string(catalog.key(of: index).description)), ("amount", .double(part.amount)),
      ])
    case .view(let view):
      .object([("view", .string(view.name)), ("amount", .double(part.amount))])
    }
  }
}
