import Devices
import Foundation
import Simulator
import Telemetry

/// What `bench/faults.yaml` says.
struct FaultBenchFile {
  struct Entry {
    var kind: FaultKind
    var device: String
    var metric: String?
    var severities: [FaultLevel: Double]
    var seconds: Double
    var growthSeconds: Double
  }

  var intervalSeconds = 30
  var learningSeconds = 604_800
  var weeks = 4
  var seed: UInt64 = 1
  var seeds = 20
  var entries: [Entry] = []

  /// - Throws: `Failure` with every mistake and its place.
  init(path: String) throws {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw Failure("\(path) cannot be read; run it in the repository or give --file")
    }
    let log = DiagnosticLog()
    let file = ConfigurationFile(name: path, content: String(decoding: bytes, as: UTF8.self))
    if let map = YAMLReader(log: log).map(in: file) { read(map) }
    guard !log.hasErrors else {
      throw Failure(log.sorted.map(\.description).joined(separator: "\n"))
    }
  }

  private mutating func read(_ map: YAMLMap) {
    if let plant = map.optional("plant", .map) {
      if let interval = plant.optional("interval", .duration) { intervalSeconds = whole(interval) }
      if let learning = plant.optional("learning", .duration) { learningSeconds = whole(learning) }
      weeks = plant.optional("weeks", .int(in: 1...52)) ?? weeks
      seed = UInt64(plant.optional("seed", .int(in: 0...1_000_000)) ?? 1)
      seeds = plant.optional("seeds", .int(in: 1...1_000)) ?? seeds
      if intervalSeconds < 1 { plant.report("`interval` is at least 1 s") }
      plant.refuseUnknownKeys()
    }
    for entry in map.required("faults", .list(of: .map)) ?? [] {
      if let read = Self.entry(entry) { entries.append(read) }
      entry.refuseUnknownKeys()
    }
    map.refuseUnknownKeys()
  }

  private static func entry(_ map: YAMLMap) -> Entry? {
    let kind = map.required("kind", YAMLType<FaultKind>.choice)
    let (device, metric) = (map.optional("device", .name()), map.optional("metric", .name()))
    var severities: [FaultLevel: Double] = [:]
    for level in FaultLevel.allCases {
      severities[level] = map.required(level.rawValue, .double)
      if let severity = severities[level], severity <= 0 { map.report("severities are above 0") }
    }
    let duration = map.required("duration", .duration).map { $0 / .seconds(1) } ?? 0
    let growth = map.optional("growth", .duration).map { $0 / .seconds(1) } ?? 0
    guard let kind, duration > 0 else { return nil }
    if duration > FaultBench.hoursMax * 3_600 {
      map.report(
        "`duration` is at most \(Int(FaultBench.hoursMax)) h: a fault ends within its shift")
    }
    if let metric, !kind.metrics.contains(metric) {
      map.report("`\(metric)` is no metric of \(kind.rawValue)")
    }
    return Entry(
      kind: kind, device: device ?? kind.usualDevice, metric: metric, severities: severities,
      seconds: duration, growthSeconds: growth)
  }

  private func whole(_ duration: Duration) -> Int { Int(duration / .seconds(1)) }
}
