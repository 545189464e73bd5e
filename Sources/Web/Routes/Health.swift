import Gateway
import Glibc
import HTTPTypes
import Storage
import Telemetry

extension RouteTable {
  var healthRoutes: [Route] {
    [
      Route(.get, "/health", scope: nil, handler: health),
      Route(.get, "/health/live", scope: nil) { _ in
        Reply(json: .object([("status", .string("ok"))]))
      },
      Route(.get, "/health/ready", scope: nil) { _ in
        let figures = gateway.figures
        guard figures.storageProblem.isEmpty else {
          throw Problem.unavailable(
            figures.isDiskFull ? "disk-full" : "storage-unavailable", figures.storageProblem,
            retryAfterSeconds: 5)
        }
        return Reply(json: .object([("status", .string("ok"))]))
      },
    ]
  }

  @Sendable private func health(_ call: Call) async throws -> Reply {
    let figures = gateway.figures
    let directory = gateway.configuration.store.directory
    let damaged = gateway.queries.reader.damagedChunkIDs
    // Without figures of the disk the others are still worth an answer.
    let disk = try? await gateway.queries.fetch { _ in DiskSpace(directory) }
    let report = HealthReport(
      figures: figures, damagedChunks: damaged.count, disk: disk ?? nil,
      isMQTTConfigured: gateway.configuration.mqtt != nil, effects: gateway.effectFigures)
    var reply = Reply(status: report.canIngest ? .ok : .serviceUnavailable, json: report.json)
    if !report.canIngest { reply.headers[.retryAfter] = "5" }
    reply.headers[.cacheControl] = "no-store"
    return reply
  }
}

/// What the figures mean for somebody who asks whether all is well. It holds no names and no data, since it
/// is open to everybody.
struct HealthReport {
  struct Check {
    var name: String
    var isGood: Bool
    var detail: String
    var members: [(String, JSONValue)] = []

    var json: JSONValue {
      .object(
        [("status", .string(isGood ? "ok" : "degraded"))]
          + (detail.isEmpty ? [] : [("detail", .string(detail))]) + members)
    }
  }

  /// Below this share of the disk, or this many bytes, it is time to act.
  static let freeBytesMin = 256 << 20

  let canIngest: Bool
  let checks: [Check]

  init(
    figures: IngestFigures, damagedChunks: Int, disk: DiskSpace?, isMQTTConfigured: Bool,
    effects: EffectFigures = EffectFigures(), now: Timestamp = .now
  ) {
    canIngest = figures.storageProblem.isEmpty
    checks =
      [
        Self.broker(figures, isMQTTConfigured), Self.storage(figures), Self.journal(figures),
        Self.database(figures, damagedChunks), Self.clock(figures), Self.configuration(figures),
        Self.disk(disk, isFull: figures.isDiskFull),
      ] + (figures.sparkplugNodes > 0 ? [Self.sparkplug(figures)] : [])
      + (effects.lanes.isEmpty ? [] : [Self.effects(effects, now: now)])
  }

  var status: String {
    canIngest ? (checks.allSatisfy(\.isGood) ? "ok" : "degraded") : "unavailable"
  }

  var json: JSONValue {
    .object([
      ("status", .string(status)), ("checks", .object(checks.map { ($0.name, $0.json) })),
    ])
  }

  private static func broker(_ figures: IngestFigures, _ isConfigured: Bool) -> Check {
    let state = isConfigured ? figures.broker : .notConfigured
    return Check(
      name: "broker", isGood: state == .connected || state == .notConfigured,
      detail: figures.brokerDetail, members: [("state", .string(state.rawValue))])
  }

  private static func storage(_ figures: IngestFigures) -> Check {
    Check(
      name: "storage", isGood: figures.storageProblem.isEmpty, detail: figures.storageProblem,
      members: [
        ("last_commit", figures.commits > 0 ? .string(figures.lastCommit.rfc3339) : .null),
        ("commit_failures", .integer(figures.commitFailures)),
      ])
  }

  private static func journal(_ figures: IngestFigures) -> Check {
    Check(
      name: "journal", isGood: figures.journalDamages == 0,
      detail: figures.journalDamages == 0 ? "" : "damage was found when the journal was replayed",
      members: [
        ("held_bytes", .integer(figures.journalHeldBytes)),
        ("replayed_records", .integer(figures.replayedRecords)),
      ])
  }

  private static func database(_ figures: IngestFigures, _ damagedChunks: Int) -> Check {
    var details: [String] = []
    if !figures.flushProblem.isEmpty { details.append(figures.flushProblem) }
    if damagedChunks > 0 { details.append("\(damagedChunks) chunks are damaged and left out") }
    let files = figures.store.setAsideFiles.count
    if files > 0 { details.append("\(files) damaged database files were set aside") }
    if figures.store.rescuesOwed > 0 {
      details.append(
        "what can be read of \(figures.store.rescuesOwed) of them is being copied back")
    }
    return Check(
      name: "database", isGood: details.isEmpty, detail: details.joined(separator: "; "))
  }

  private static func clock(_ figures: IngestFigures) -> Check {
    Check(
      name: "clock", isGood: figures.clockQuality == .synchronized,
      detail: figures.clockQuality == .synchronized ? "" : "run chrony or another NTP client",
      members: [
        ("state", .string(figures.clockQuality.name)), ("steps", .integer(figures.clockSteps)),
      ])
  }

  private static func configuration(_ figures: IngestFigures) -> Check {
    let count = figures.configurationWarnings.count
    return Check(
      name: "configuration", isGood: count == 0,
      detail: count == 0 ? "" : "\(count) warnings; see the log",
      members: [("warnings", .integer(count))])
  }

  /// That a node is gone is the plant's affair; we are well all the same.
  private static func sparkplug(_ figures: IngestFigures) -> Check {
    Check(
      name: "sparkplug", isGood: true, detail: "",
      members: [
        ("nodes", .integer(figures.sparkplugNodes)),
        ("nodes_online", .integer(figures.sparkplugNodesOnline)),
        ("held_messages", .integer(figures.sparkplugHeld)),
      ])
  }

  /// What should leave the box and cannot; of hosts only the number is told.
  private static func effects(_ effects: EffectFigures, now: Timestamp) -> Check {
    let age = effects.oldestWaitSeconds(now: now)
    let isLate = age > EffectFigures.waitSecondsMax
    let stuck = effects.lanes.filter { _, lane in
      lane.oldestWaiting.map {
        now.microseconds(since: $0) > EffectFigures.waitSecondsMax * 1_000_000
      } ?? false
    }.map(\.figures.kind)
    let kinds = stuck.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return Check(
      name: "effects", isGood: !isLate,
      detail: isLate
        ? "something has waited more than \(EffectFigures.waitSecondsMax / 60) min to leave by "
          + kinds.joined(separator: ", ") : "",
      members: [
        ("waiting", .integer(effects.lanes.reduce(0) { $0 + $1.figures.waiting })),
        ("oldest_waiting_seconds", .integer(age)),
      ])
  }

  private static func disk(_ disk: DiskSpace?, isFull: Bool) -> Check {
    guard let disk else {
      return Check(name: "disk", isGood: false, detail: "the file system does not answer")
    }
    let isLow = disk.freeBytes < freeBytesMin
    return Check(
      name: "disk", isGood: !isFull && !isLow,
      detail: isFull ? "the disk is full" : isLow ? "little room is left" : "",
      members: [
        ("free_bytes", .integer(disk.freeBytes)), ("total_bytes", .integer(disk.totalBytes)),
      ])
  }
}
