import Foundation
import Payloads
import Storage
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized) struct IngestTests {
  @Test("Messages of every payload kind become samples, and survive a restart")
  func payloadKinds() async throws {
    let rig = try GatewayRig()
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.publish([
      ("plant/press1", #"{"ts": 1700000000000, "temperature": 61.25, "state": "running"}"#),
      (
        "any/topic",
        #"{"device_id": "mill1", "device_type": "mill", "timestamp": "2023-11-14T22:13:20Z", "metrics": {"load": 7}}"#
      ),
      ("telegraf", "cpu,host=box usage=1.5 1700000000000000000"),
      ("rooms/office/temperature", "21.5"),
      ("rooms/office/light", "ON"),
    ])
    #expect(await eventually { rig.gateway.figures.samples >= 6 })
    #expect(try await rig.numbers("plant.press1/temperature") == [61.25])
    #expect(try await rig.numbers("mill1/load") == [7])
    #expect(try await rig.numbers("box/cpu.usage") == [1.5])
    #expect(try await rig.numbers("rooms.office/temperature") == [21.5])
    #expect(try await rig.samples("rooms.office/light").count == 1)
    let time = try await rig.samples("plant.press1/temperature").first?.time
    #expect(time?.rfc3339 == "2023-11-14T22:13:20Z")
    try await rig.restart()
    #expect(try await rig.numbers("plant.press1/temperature") == [61.25])
    #expect(rig.gateway.figures.replayedRecords == 0)
    await rig.stop()
  }

  @Test("A malformed message is held with a reason; its neighbours are stored")
  func malformed() async throws {
    let rig = try GatewayRig()
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.publish([
      ("plant/a", #"{"v": 1}"#), ("plant/a", #"{"v": "#), ("plant/a", #"{"v": 3}"#),
    ])
    #expect(
      await eventually { rig.gateway.figures.messages >= 3 && rig.gateway.figures.commits >= 1 })
    #expect(await eventually { (try? await rig.numbers("plant.a/v").count) == 2 })
    let held = try await rig.held()
    #expect(held.map(\.payload.topic) == ["plant/a"])
    #expect(held.first?.payload.payload == Array(#"{"v": "#.utf8))
    #expect(held.first.map { $0.payload.reason.count > 10 } == true)
    await rig.stop()
  }

  @Test("An unknown device is held and, once adopted, ingested with its own times and order")
  func quarantineAndAdopt() async throws {
    let rig = try GatewayRig(yaml: "settings: {unknown_devices: quarantine}\n")
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.publish((1...4).map { ("new/device", #"{"ts": 170000000\#($0)000, "v": \#($0)}"#) })
    #expect(await eventually { rig.gateway.figures.quarantined >= 4 })
    #expect(try await rig.samples("new.device/v").isEmpty)
    #expect(try await rig.held().count == 4)
    let result = try await rig.gateway.submit(
      Submission(.command(.adopt(device: "new.device", profile: ""))))
    #expect(result.accepted == 4)
    #expect(try await rig.numbers("new.device/v") == [1, 2, 3, 4])
    #expect(try await rig.held().isEmpty)
    await rig.stop()
  }

  @Test("Lines with a stated precision that were held keep it when they are adopted")
  func heldPrecision() async throws {
    let rig = try GatewayRig(withBroker: false, yaml: "settings: {unknown_devices: quarantine}\n")
    try rig.start()
    let result = try await rig.gateway.submit(
      Submission(
        .payload(
          .init(
            bytes: Array("weather,device=roof wind=3.5 1700000000".utf8), format: .line,
            linePrecision: .seconds))))
    #expect(result.accepted == 0)
    let held = try await rig.held()
    #expect(held.map(\.payload.contentType) == ["application/vnd.influx.line; precision=s"])
    _ = try await rig.gateway.submit(
      Submission(.command(.adopt(device: held[0].payload.device, profile: ""))))
    let samples = try await rig.samples("roof/weather.wind")
    #expect(samples.map(\.time.microseconds) == [1_700_000_000_000_000])
    await rig.stop()
  }

  @Test("While the broker is away nothing is lost, and we subscribe again when it returns")
  func brokerRestart() async throws {
    let rig = try GatewayRig()
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.publish([("a/b", #"{"v": 1}"#)])
    #expect(await eventually { rig.gateway.figures.samples == 1 })
    rig.broker?.stop()
    #expect(await eventually { rig.gateway.figures.broker != .connected })
    try rig.broker?.start()
    #expect(await rig.waitUntilConnected())
    try rig.publish([("a/b", #"{"v": 2}"#)])
    #expect(await eventually { rig.gateway.figures.samples == 2 })
    #expect(try await rig.numbers("a.b/v") == [1, 2])
    await rig.stop()
  }

  @Test("What the broker queued while we were stopped arrives after the start")
  func queuedWhileStopped() async throws {
    let rig = try GatewayRig()
    try rig.start()
    #expect(await rig.waitUntilConnected())
    await rig.stop()
    try rig.publish((1...20).map { ("q/d", #"{"v": \#($0)}"#) })
    try rig.start()
    let expected = (1...20).map(Double.init)
    #expect(await eventually { (try? await rig.numbers("q.d/v")) == expected })
    await rig.stop()
  }

  @Test("A retained value without a time fills a missing current value and is not stored")
  func retained() async throws {
    let rig = try GatewayRig()
    try rig.publish([("r/x", "5"), ("r/y", #"{"ts": 1700000000000, "v": 6}"#)], retained: true)
    try rig.start()
    #expect(await eventually { rig.gateway.figures.messages == 2 })
    #expect(await eventually { (try? await rig.numbers("r.y/v")) == [6] })
    #expect(try await rig.samples("r/x").isEmpty)
    let catalog = await rig.gateway.queries.fetchCatalog()
    let series = try #require(
      catalog.series.first { catalog.key(of: $0.index).description == "r/x" })
    let current = try await rig.gateway.queries.fetch { $0.current(of: [series.index]) }
    #expect(current.first??.bits == 5.0.bitPattern)
    await rig.stop()
  }

  @Test("Our own publications are never ingested")
  func ownRoot() async throws {
    let rig = try GatewayRig()
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.publish([("millwright/test/status", "1"), ("other/x", "2")])
    #expect(await eventually { rig.gateway.figures.messages == 2 })
    #expect(await eventually { rig.gateway.figures.samples == 1 })
    #expect(rig.gateway.figures.ignoredMessages == 1)
    await rig.stop()
  }

  @Test("A submission is answered after the commit, item by item; a repeat reports duplicates")
  func submission() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    let body = #"""
      [{"device_id": "d1", "device_type": "x", "timestamp": 1700000000, "metrics": {"a": 1, "b": true}},
       {"device_type": "x", "timestamp": 1700000000, "metrics": {"a": 1}},
       {"device_id": "d2", "device_type": "x", "timestamp": 1700000000, "metrics": {"a": 2}}]
      """#
    let submission = Submission(.payload(.init(bytes: Array(body.utf8), format: .device)))
    let first = try await rig.gateway.submit(submission)
    #expect(first.accepted == 2 && first.duplicates == 0 && first.sequence > 0)
    #expect(first.rejected.map(\.index) == [1])
    #expect(try await rig.numbers("d1/a") == [1])
    let again = try await rig.gateway.submit(submission)
    #expect(again.accepted == 0 && again.duplicates == 2)
    await rig.stop()
  }

  @Test("Events are told apart by id, before and after a restart")
  func events() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    let event = Event(id: "e-1", name: "Login", time: .epoch, user: "u")
    let first = try await rig.gateway.submit(Submission(.events([event, event])))
    #expect(first.accepted == 1 && first.duplicates == 1)
    try await rig.restart()
    let again = try await rig.gateway.submit(Submission(.events([event])))
    #expect(again.accepted == 0 && again.duplicates == 1)
    await rig.stop()
  }

  @Test(
    "A key that was answered gets its first answer again, also after a restart, and ingests nothing"
  )
  func repeatedKey() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    func submit(_ text: String, key: String, fingerprint: UInt64 = 1) async throws
      -> SubmissionResult
    {
      try await rig.gateway.submit(
        Submission(
          .payload(.init(bytes: Array(text.utf8), format: .device)),
          key: .init(name: key, fingerprint: fingerprint)))
    }
    let withoutTime = #"{"device_id": "d", "device_type": "x", "metrics": {"v": 1}}"#
    let withTime =
      #"{"device_id": "d", "device_type": "x", "timestamp": 1795248000, "metrics": {"w": 1}}"#
    let first = try await submit(withoutTime, key: "a")
    #expect(first.accepted == 1 && !first.isRepeated)
    _ = try await submit(withTime, key: "b")
    // Its samples are known already: the exact answer follows in the next record.
    let known = try await submit(withTime, key: "c")
    #expect(known.duplicates == 1)
    let refused = try await submit("{", key: "d")
    #expect(refused.rejected.count == 1)
    for restarts in 0..<3 {
      if restarts > 0 { try await rig.restart() }
      let again = try await submit(withoutTime, key: "a")
      #expect(again.accepted == 1 && again.isRepeated)
      let knownAgain = try await submit(withTime, key: "c")
      #expect(knownAgain.accepted == 0 && knownAgain.duplicates == 1 && knownAgain.isRepeated)
      #expect(try await submit("{", key: "d").rejected == refused.rejected)
    }
    await #expect(throws: SubmissionError.self) {
      try await submit(withTime, key: "a", fingerprint: 2)
    }
    let count = try await rig.gateway.queries.fetch { reader in
      try reader.page(of: 0, from: .distantPast, through: .distantFuture, count: 10).columns.count
    }
    #expect(count == 1)
    await rig.stop()
  }

  @Test("Two gateways cannot share a data directory")
  func dataLock() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    #expect(throws: DataLock.Held.self) { try rig.start() }
    await rig.stop()
  }
}
