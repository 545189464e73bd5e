import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized) struct AnnouncementTests {
  @Test("What a device announced still counts after a restart, and its absence ends its values")
  func restart() async throws {
    let rig = try GatewayRig()
    try rig.start()
    #expect(await rig.waitUntilConnected())
    let list = """
      [{"ieee_address": "0x1", "type": "Router", "friendly_name": "meter", "definition": \
      {"model": "M", "exposes": [{"type": "numeric", "property": "temperature", "access": 1, "unit": "°C"}]}}]
      """
    try rig.publish([("zigbee2mqtt/bridge/devices", list)])
    #expect(await eventually { rig.gateway.figures.messages >= 1 })
    try await rig.restart()
    #expect(await rig.waitUntilConnected())
    try rig.publish([
      ("zigbee2mqtt/meter", #"{"temperature": 21.5}"#),
      ("zigbee2mqtt/meter/availability", #"{"state": "offline"}"#),
    ])
    #expect(await eventually { rig.gateway.figures.wentStale >= 1 })
    #expect(await eventually { (try? await rig.samples("meter/temperature").count) == 2 })
    let samples = try await rig.samples("meter/temperature")
    #expect(samples.map(\.quality) == [.good, [.uncertain, .stale]])
    let catalog = await rig.gateway.queries.fetchCatalog()
    #expect(catalog.series.first { $0.metric == "temperature" }?.unit == "Cel")
    #expect(try await rig.samples("meter/availability").count == 1)
    await rig.stop()
  }
}
