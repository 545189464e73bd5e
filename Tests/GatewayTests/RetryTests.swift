import Storage
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite("Held payloads that are read again", .serialized)
struct RetryTests {
  static let holding = "settings: {unknown_devices: quarantine}\n"
  static let lines = "routes:\n  - {topic: \"t/+\", format: line}\n"
  static let objects = "routes:\n  - {topic: \"t/+\", format: json}\n"

  @Test("All devices of a group become known, and what is held keeps its order and times")
  func adopt() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: Self.holding + "profiles:\n  - id: press\n")
    try rig.start()
    try await rig.submit([
      ("plant/a", #"{"ts": 1700000000, "v": 1}"#), ("plant/b", #"{"ts": 1700000001, "v": 2}"#),
      ("plant/a", #"{"ts": 1700000002, "v": 3}"#), ("plant/a", #"{"v": 4}"#),
      ("plant/a", #"{"v": 5}"#), ("plant/a", #"{"v": 5}"#),
    ])
    let groups = try await rig.groups()
    #expect(groups.map(\.count) == [3, 3])
    let result = try await rig.retry(groups[1].rows, adopting: "press")
    #expect(result.accepted == 3 && result.rejected.isEmpty)
    #expect(try await rig.numbers("plant.a/v") == [1, 3])
    #expect(try await rig.numbers("plant.b/v") == [2])
    let received = try await rig.held().map(\.payload.received)
    #expect(try await rig.retry(groups[0].rows).accepted == 3)
    #expect(try await rig.numbers("plant.a/v") == [1, 3, 4, 5, 5])
    #expect(try await rig.samples("plant.a/v").map(\.time).suffix(3) == received[...])
    #expect(try await rig.held().isEmpty)
    let catalog = await rig.gateway.queries.fetchCatalog()
    #expect(catalog.devices.map(\.profile) == ["press", "press"])
    #expect(catalog.devices.map(\.isAdopted) == [true, true])
    try await rig.restart()
    #expect(try await rig.numbers("plant.a/v") == [1, 3, 4, 5, 5])
    #expect(try await rig.held().isEmpty)
    await rig.stop()
  }

  @Test("Without an adoption devices stay unknown, and rows stay the rows they are")
  func stillUnknown() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: Self.holding)
    try rig.start()
    try await rig.submit([("plant/a", #"{"v": 1}"#), ("plant/b", #"{"v": 2}"#)])
    let before = try await rig.held()
    for _ in 0..<2 {
      let result = try await rig.retry(before.map(\.id))
      #expect(result.accepted == 0)
      #expect(result.rejected.map(\.code) == ["unknown_device", "unknown_device"])
      #expect(try await rig.held() == before)
    }
    try await rig.restart(yaml: Self.holding + "devices:\n  - {id: plant.b}\n")
    #expect(try await rig.retry(before.map(\.id)).accepted == 1)
    #expect(try await rig.held() == [before[0]])
    #expect(try await rig.numbers("plant.b/v") == [2])
    await rig.stop()
  }

  @Test("Malformed payloads are ingested once a route says how to read them, before later ones")
  func malformed() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: Self.lines)
    try rig.start()
    try await rig.submit([("t/a", #"{"v": 1}"#), ("t/a", #"{"v": "#)])
    let group = try #require(try await rig.groups().last)
    #expect(try await rig.held().map(\.payload.cause) == [.malformed, .malformed])
    #expect(try await rig.retry(group.rows).accepted == 0)
    try await rig.restart(yaml: Self.objects)
    try await rig.submit([("t/a", #"{"v": 2}"#)])
    let rows = try await rig.held()
    let result = try await rig.retry(rows.map(\.id))
    #expect(result.accepted == 1)
    #expect(result.rejected.map(\.code) == ["malformed"])
    #expect(try await rig.numbers("t.a/v") == [1, 2])
    #expect(try await rig.samples("t.a/v").first?.time == rows[0].payload.received)
    #expect(try await rig.held() == [rows[1]])
    await rig.stop()
  }

  @Test("Of a partly refused payload only what was refused is added")
  func partlyRefused() async throws {
    func yaml(seriesMax: Int) -> String {
      "settings: {series_max: \(seriesMax)}\n"
        + "profiles:\n  - id: p\n    metrics: {hit: {kind: event}}\n"
        + "devices:\n  - {id: t.a, profile: p}\n"
    }
    let rig = try GatewayRig(withBroker: false, yaml: yaml(seriesMax: 2))
    try rig.start()
    let message = (topic: "t/a", payload: #"{"v": 1, "hit": 1, "mode": "auto"}"#)
    try await rig.submit([message, message])
    #expect(try await rig.held().map(\.payload.cause) == [.partlyRefused, .partlyRefused])
    let before = try await rig.samples("t.a/v")
    let hits = try await rig.samples("t.a/hit")
    try await rig.submit([("t/a", #"{"v": 2, "hit": 1}"#)])
    try await rig.restart(yaml: yaml(seriesMax: 9))
    let rows = try await rig.held()
    let result = try await rig.retry(rows.map(\.id))
    #expect(result.accepted == 2 && result.rejected.isEmpty)
    #expect(Array(try await rig.samples("t.a/v").prefix(2)) == before)
    #expect(try await rig.numbers("t.a/v") == [1, 1, 2])
    #expect(Array(try await rig.samples("t.a/hit").prefix(2)) == hits)
    #expect(try await rig.samples("t.a/hit").count == 3)
    #expect(try await rig.samples("t.a/mode").map(\.time) == rows.map(\.payload.received))
    #expect(try await rig.held().isEmpty)
    await rig.stop()
  }

  @Test("A message of two unknown devices is held for each, and nothing of it counts twice")
  func twoDevices() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: Self.holding)
    try rig.start()
    let body =
      #"[{"device_id": "a", "metrics": {"v": 1}}, {"device_id": "b", "metrics": {"v": 2}}]"#
    try await rig.submit([("x", body)])
    let rows = try await rig.held()
    #expect(rows.map(\.payload.device) == ["a", "b"])
    _ = try await rig.gateway.submit(Submission(.command(.adopt(device: "a", profile: ""))))
    #expect(try await rig.held() == [rows[1]])
    #expect(try await rig.retry([rows[1].id], adopting: "").accepted == 1)
    #expect(try await rig.numbers("a/v") == [1])
    #expect(try await rig.numbers("b/v") == [2])
    #expect(try await rig.held().isEmpty)
    await rig.stop()
  }

  @Test("What an adopted device says and cannot be taken is held under a row of its own")
  func newRefusal() async throws {
    let rig = try GatewayRig(
      withBroker: false,
      yaml: Self.holding + "profiles:\n  - id: p\n    metrics: {mode: {type: number}}\n")
    try rig.start()
    try await rig.submit([("t/a", #"{"v": 1, "mode": "auto"}"#)])
    let result = try await rig.retry(try await rig.held().map(\.id), adopting: "p")
    #expect(result.accepted == 1)
    #expect(result.rejected.map(\.code) == ["partly_refused"])
    let rows = try await rig.held()
    #expect(rows.map(\.payload.cause) == [.partlyRefused])
    #expect(try await rig.retry(rows.map(\.id)).accepted == 0)
    #expect(try await rig.held() == rows)
    #expect(try await rig.numbers("t.a/v") == [1])
    await rig.stop()
  }

  @Test("A payload that was cut is not read again, nor one that a route ignores now")
  func notRead() async throws {
    let settings = "settings: {unknown_devices: quarantine, quarantine_payload_max: 16 B}\n"
    let rig = try GatewayRig(withBroker: false, yaml: settings)
    try rig.start()
    try await rig.submit([("t/a", #"{"v": 1, "padding": 2}"#), ("u/a", #"{"v": 1}"#)])
    let before = try await rig.held()
    try await rig.restart(yaml: settings + "routes:\n  - {topic: u/a, ignore: true}\n")
    let result = try await rig.retry(before.map(\.id), adopting: "")
    #expect(result.accepted == 0)
    #expect(result.rejected.map(\.code) == ["payload_cut", "ignored"])
    #expect(try await rig.held() == before)
    await rig.stop()
  }

  @Test("Much of it goes into several records, and each lets go what it holds")
  func large() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: Self.holding)
    try rig.start()
    let padding = String(repeating: "x", count: 60_000)
    let count = 75
    try await rig.submit(
      (0..<count).map { index in
        (
          topic: "t",
          payload:
            #"{"device_id": "a", "metrics": {"v": \#(index)}, "pad": "\#(padding)"}"#
        )
      })
    let rows = try await rig.held()
    #expect(rows.count == count)
    let commits = rig.gateway.figures.commits
    #expect(try await rig.retry(rows.map(\.id), adopting: "").accepted == count)
    #expect(await eventually { rig.gateway.figures.commits >= commits + 2 })
    try await rig.restart()
    #expect(try await rig.numbers("a/v") == (0..<count).map(Double.init))
    #expect(try await rig.samples("a/v").map(\.time) == rows.map(\.payload.received))
    #expect(try await rig.held().isEmpty)
    await rig.stop()
  }

  @Test("An adoption that cannot be for any device changes nothing")
  func refusedAdoption() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: Self.holding)
    try rig.start()
    try await rig.submit([("t/a", #"{"v": 1}"#)])
    let before = try await rig.held()
    await #expect(throws: SubmissionError.self) {
      try await rig.retry(before.map(\.id), adopting: "none")
    }
    #expect(try await rig.held() == before)
    #expect(try await rig.retry([before[0].id, 7], adopting: "").accepted == 1)
    #expect(try await rig.retry([before[0].id], adopting: "").accepted == 0)
    await rig.stop()
  }
}
