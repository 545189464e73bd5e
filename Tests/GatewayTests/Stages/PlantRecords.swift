import Devices
import Foundation
import Rules
import Simulator
import Storage
import Telemetry

@testable import Gateway

/// A stretch of the simulated plant's life as journal records: what arrives, what operators do, and time
/// that passes without anything.
struct PlantRecords {
  var records: [(header: RecordHeader, batch: Batch)] = []

  /// Rules that use windows, timers, silence and sequences on the plant's machines.
  static let rules = """
    rules:
      - id: press-hot
        scope: {profile: press}
        when: power > 20 kW
        for: 3 min
        priority: high
        text: "{device} has {value} {unit}"
        actions:
          - mqtt: {topic: "out/{device}/hot"}
      - id: vibration-mean
        scope: {profile: press}
        when: mean(vibration, 15 min) > 2.4 mm/s
        deadband: 0.2 mm/s
        priority: medium
        latched: true
      - id: long-stop
        scope: {profile: press}
        when: time_in_state(state in {fault, blocked, starved}, 30 min) > 5 min
        priority: low
      - id: silent
        scope: {profile: energy_meter}
        when: missing(power, 10 min)
        priority: high
    """

  /// - Parameters:
  ///   - hours: how long it lasts.
  ///   - seconds: between two messages of a device.
  init(seed: UInt64, hours: Int, seconds: Int, devices: String) throws {
    let device = ConfigurationFile(name: "devices/plant.yaml", content: devices)
    let rule = ConfigurationFile(name: "rules/plant.yaml", content: Self.rules)
    var effective = EffectiveSettings()
    effective.devices = "devices"
    effective.rules = "rules"
    effective.timeZone = "Europe/Vienna"
    effective.learningMicroseconds = 3_600_000_000
    let (configuration, problems) = DeviceConfiguration.load(files: [device])
    guard let configuration else { throw Unusable(problems: problems) }
    let (set, mistakes) = RuleSet.read([rule], configuration: configuration)
    guard set != nil else { throw Unusable(problems: mistakes) }

    var settings = PlantSettings()
    settings.intervalMilliseconds = seconds * 1_000
    settings.roomSeconds = seconds * 5
    let start = Timestamp(rfc3339: "2026-03-28T18:00:00Z")!  // Into the night of a DST change.
    var plant = Plant(seed: seed, start: start, settings: settings)
    var resolver = Resolver()
    var batch = Batch()
    batch.items = [
      .started(version: "1"), .configuration(files: [device, rule, effective.file]),
    ]
    batch.items += resolver.reconfigure(configuration).items
    batch.endDelivery(packetID: 0)
    var random = Draw(state: seed)
    for step in 0..<(hours * 3_600 / seconds) {
      let now = start.advanced(byMicroseconds: Int64(step * seconds) * 1_000_000)
      let messages = plant.step(to: now)
      let isQuiet = random.below(40) == 0  // Nothing arrives: a tick.
      for message in messages where !isQuiet {
        Self.resolve(message, &resolver, at: now, into: &batch)
        batch.endDelivery(packetID: 0)
      }
      if random.below(30) == 0 { Self.command(&random, into: &batch) }
      if random.below(150) == 0 { Self.tellMaintenance(&random, at: now, into: &batch) }
      if random.below(200) == 0 {
        batch.items.append(.started(version: "1"))
        batch.endDelivery(packetID: 0)
      }
      if random.below(3) > 0 || isQuiet { end(&batch, &resolver, at: now, from: start) }
    }
  }

  struct Unusable: Error { var problems: [Diagnostic] }

  /// A generator of our own: the same everywhere.
  struct Draw {
    var state: UInt64

    mutating func below(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
  }

  private mutating func end(
    _ batch: inout Batch, _ resolver: inout Resolver, at now: Timestamp, from start: Timestamp
  ) {
    records.append(
      (
        RecordHeader(
          sequence: UInt64(records.count + 1), bootID: 7,
          monotonicMicroseconds: now.microseconds - start.microseconds + 5_000_000, wall: now,
          clockQuality: .synchronized), batch
      ))
    _ = resolver.markCommitted()
    batch.removeAll()
  }

  private static func command(_ random: inout Draw, into batch: inout Batch) {
    let names = [
      "alarm.acknowledge", "alarm.acknowledge", "alarm.reset", "alarm.shelve", "alarm.unshelve",
      "alarm.suppress", "door.open",
    ]
    let targets = ["press-hot@press1", "vibration-mean@press1", "long-stop@press1", "none@x"]
    batch.items.append(
      .command(
        OperatorCommand(
          name: names[Int(random.below(UInt64(names.count)))],
          target: targets[Int(random.below(UInt64(targets.count)))], principal: "anna",
          remark: "seen", body: #"{"seconds": 1200}"#)))
    batch.endDelivery(packetID: 0)
  }

  /// Work on a machine, told at once or some days later.
  private static func tellMaintenance(
    _ random: inout Draw, at now: Timestamp, into batch: inout Batch
  ) {
    let kinds = ["failure", "repair", "replacement", "inspection", "preventive", "unknown"]
    let machines = ["press1", "mill1", "conveyor1", "nobody"]
    let kind = kinds[Int(random.below(UInt64(kinds.count)))]
    let start = now.advanced(byMicroseconds: -Int64(random.below(12)) * 86_400_000_000 / 4)
    let device = machines[Int(random.below(UInt64(machines.count)))]
    let properties = #"{"kind": "\#(kind)", "start": "\#(start.rfc3339)"}"#
    let id = "m\(random.below(.max >> 34))"
    batch.items.append(
      .event(
        Event(
          id: id, name: "MaintenanceEvent", time: start, device: device, properties: properties)))
    batch.endDelivery(packetID: 0)
  }

  private static func resolve(
    _ message: SimulatedMessage, _ resolver: inout Resolver, at now: Timestamp,
    into batch: inout Batch
  ) {
    var topic = message.topic
    topic.withUTF8 { topic in
      message.payload.withUnsafeBytes { payload in
        _ = resolver.resolve(
          IncomingMessage(
            topic: UnsafeRawBufferPointer(topic),
            contentType: UnsafeRawBufferPointer(start: nil, count: 0), payload: payload,
            received: now, monotonicMicroseconds: now.microseconds),
          into: &batch)
      }
    }
  }

  /// The example devices of this repository, as one file.
  static func exampleDevices(leavingOut left: [String] = []) throws -> String {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("devices")
    let names = [
      "profiles-machines.yaml", "profiles-utilities.yaml", "demo-line.yaml", "production.yaml",
      "maintenance.yaml",
    ].filter { !left.contains($0) }
    var profiles = ""
    var rest = ""
    for name in names {
      let text = try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
      if name.hasPrefix("profiles") {
        profiles += text.replacing("profiles:\n", with: "")
      } else {
        rest += text + "\n"
      }
    }
    return "profiles:\n" + profiles + "\n" + rest
  }
}
