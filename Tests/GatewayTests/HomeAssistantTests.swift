import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized) struct HomeAssistantTests {
  private static let config = "homeassistant/device/test/config"
  private static let state = "millwright/test/state"

  private func rig(prefix: String = "homeassistant") throws -> GatewayRig {
    try GatewayRig {
      $0.homeAssistant = HomeAssistantSettings()
      $0.homeAssistant?.prefix = prefix
    }
  }

  @Test("The gateway announces itself, retained, and publishes its state")
  func announcement() async throws {
    let rig = try rig()
    try rig.start()
    try rig.gateway.startPublishing()
    let first = try BrokerEar(rig.broker!, [Self.state, "millwright/test/status"])
    #expect(await eventually { first.heard.count >= 2 })
    #expect(first.heard(on: "millwright/test/status").last?.payload == #"{"status":"online"}"#)
    let late = try BrokerEar(rig.broker!, [Self.config], id: "late")
    #expect(await eventually { !late.heard.isEmpty })
    let announced = try #require(late.heard.first)
    let components = try #require(announced.members["cmps"] as? [String: Any])
    let state = try #require(first.heard(on: Self.state).last).members
    for key in components.keys where key != "connectivity" { #expect(state[key] != nil) }
    #expect(state["problem"] as? String == "OFF")
    #expect((state["disk_free"] as? Int).map { $0 > 0 } == true)
    await rig.stop()
  }

  @Test("It announces itself again when Home Assistant starts, and when the broker was away")
  func again() async throws {
    let rig = try rig()
    try rig.start()
    try rig.gateway.startPublishing()
    let ear = try BrokerEar(rig.broker!, [Self.config, Self.state])
    #expect(await eventually { !ear.heard(on: Self.config).isEmpty })
    // Repeated until heard: the gateway's own subscription may be on its way.
    let before = ear.heard(on: Self.config).count
    #expect(
      await eventually {
        ear.publish("homeassistant/status", "online")
        return ear.heard(on: Self.config).count > before && ear.heard(on: Self.state).count >= 2
      })
    rig.broker?.stop()
    try rig.broker?.start()
    let third = try BrokerEar(rig.broker!, [Self.state], id: "third")
    #expect(await eventually { !third.heard.isEmpty })
    await rig.stop()
  }

  @Test(
    "The gateway does not ingest what it announces, under any prefix",
    arguments: ["homeassistant", "ha/discovery"])
  func ownMessages(prefix: String) async throws {
    let rig = try rig(prefix: prefix)
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.gateway.startPublishing()
    // Status, discovery, state.
    #expect(await eventually { rig.gateway.figures.ignoredMessages >= 3 })
    try rig.publish([("plant/press", #"{"v": 1}"#)])
    #expect(await eventually { rig.gateway.figures.samples == 1 })
    let catalog = await rig.gateway.queries.fetchCatalog()
    #expect(catalog.devices.map(\.id) == ["plant.press"])
    #expect(rig.gateway.figures.quarantined == 0)
    await rig.stop()
  }

  @Test("Without the option, the next start takes the announcement back and then forgets it")
  func removal() async throws {
    let rig = try rig()
    try rig.start()
    try rig.gateway.startPublishing()
    let ear = try BrokerEar(rig.broker!, [Self.config])
    #expect(await eventually { ear.heard.last?.payload.isEmpty == false })
    await rig.stop()
    let note = rig.scratch.path + "/data/home-assistant.topics"
    #expect(FileManager.default.fileExists(atPath: note))
    rig.reconfigure { $0.homeAssistant = nil }
    try rig.start()
    try rig.gateway.startPublishing()
    #expect(await eventually { ear.heard.last?.payload == "" })
    #expect(await eventually { !FileManager.default.fileExists(atPath: note) })
    await rig.stop()
  }

  @Test("With another prefix the announcement moves")
  func move() async throws {
    let rig = try rig()
    try rig.start()
    try rig.gateway.startPublishing()
    let ear = try BrokerEar(rig.broker!, [Self.config, "ha/device/test/config"])
    #expect(await eventually { !ear.heard.isEmpty })
    await rig.stop()
    rig.reconfigure { $0.homeAssistant?.prefix = "ha" }
    try rig.start()
    try rig.gateway.startPublishing()
    #expect(await eventually { ear.heard(on: Self.config).last?.payload == "" })
    #expect(
      await eventually { ear.heard(on: "ha/device/test/config").last?.payload.isEmpty == false })
    #expect(
      await eventually {
        AnnouncedTopics(directory: rig.scratch.path + "/data").topics == ["ha/device/test/config"]
      })
    await rig.stop()
  }
}
