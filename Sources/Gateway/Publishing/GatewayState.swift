import Telemetry

/// How the gateway is, as one JSON object on `<root>/state`:
///
///     {"devices":12,"series":340,"samples":90112,"samples_per_minute":184.2,"quarantine_rows":0,
///      "losses":0,"disk_free":81230041088,"last_commit_age":0.4,"problem":"OFF"}
///
/// A member that is not known is null.
struct GatewayState: Sendable, Hashable {
  /// What somebody who watches wants to hear at once.
  struct Notable: Sendable, Hashable {
    var devices: Int
    var hasProblem: Bool
  }

  var devices: Int
  var series: Int
  /// Taken by the store since the start.
  var samples: UInt64
  var samplesPerMinute: Double?
  var quarantineRows: Int?
  /// Samples, rows and records in the loss ledger.
  var losses: Int?
  var diskFreeBytes: Int?
  var lastCommitAgeSeconds: Double?
  /// Nothing can be made durable, or rows cannot go to SQLite.
  var hasProblem: Bool

  init(
    _ figures: IngestFigures, samplesPerMinute: Double?, rows: RowFigures?, diskFreeBytes: Int?,
    lastCommitAgeSeconds: Double?
  ) {
    devices = figures.devices
    series = figures.series
    samples = GatewayState.samples(figures)
    self.samplesPerMinute = samplesPerMinute
    quarantineRows = rows?.quarantineRows
    losses = rows.map { $0.lossCounts.values.reduce(0, +) }
    self.diskFreeBytes = diskFreeBytes
    self.lastCommitAgeSeconds = lastCommitAgeSeconds
    hasProblem = GatewayState.notable(figures).hasProblem
  }

  static func notable(_ figures: IngestFigures) -> Notable {
    Notable(
      devices: figures.devices,
      hasProblem: !figures.storageProblem.isEmpty || !figures.flushProblem.isEmpty)
  }

  static func samples(_ figures: IngestFigures) -> UInt64 {
    figures.store.storedSamples + figures.store.lateSamples
  }

  var json: String {
    let members: [(String, String?)] = [
      ("devices", "\(devices)"), ("series", "\(series)"), ("samples", "\(samples)"),
      ("samples_per_minute", samplesPerMinute.map(GatewayState.tenths)),
      ("quarantine_rows", quarantineRows.map(String.init)), ("losses", losses.map(String.init)),
      ("disk_free", diskFreeBytes.map(String.init)),
      ("last_commit_age", lastCommitAgeSeconds.map(GatewayState.tenths)),
      ("problem", hasProblem ? #""ON""# : #""OFF""#),
    ]
    return "{" + members.map { #""\#($0)":\#($1 ?? "null")"# }.joined(separator: ",") + "}"
  }

  private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension GatewayState {
  static let topic = "state"

  /// The members as entities.
  static let entities: [PublishedEntity] = [
    sensor("devices", "Devices known", ""),
    sensor("series", "Series known", ""),
    sensor("samples", "Samples stored", "samples", .totalIncreasing),
    sensor("samples_per_minute", "Samples per minute", "samples/min"),
    sensor("quarantine_rows", "Payloads in quarantine", ""),
    sensor("losses", "Entries lost", "", .totalIncreasing),
    sensor("disk_free", "Disk free", "B", deviceClass: "data_size"),
    sensor("last_commit_age", "Last commit age", "s", deviceClass: "duration"),
    PublishedEntity(
      key: "problem", name: "Storage", kind: .binarySensor(on: "ON", off: "OFF"),
      deviceClass: "problem", topic: topic, member: "problem"),
  ]

  private static func sensor(
    _ key: String, _ name: String, _ unit: String,
    _ stateClass: PublishedEntity.StateClass = .measurement, deviceClass: String = ""
  ) -> PublishedEntity {
    PublishedEntity(
      key: key, name: name, kind: .sensor(unit: unit, stateClass), deviceClass: deviceClass,
      topic: topic, member: key)
  }
}
