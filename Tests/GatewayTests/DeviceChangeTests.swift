import Devices
import Foundation
import Storage
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized) struct DeviceChangeTests {
  private func send(_ rig: GatewayRig, _ device: String, _ second: Int) async throws {
    let text = """
      {"device_id": "\(device)", "timestamp": \(1_795_248_000 + second), "metrics": {"v": \(second)}}
      """
    _ = try await rig.gateway.submit(
      Submission(.payload(.init(bytes: Array(text.utf8), format: .device))))
  }

  private func change(_ rig: GatewayRig, _ device: String, _ change: DeviceChange) async throws {
    _ = try await rig.gateway.submit(
      Submission(.command(.change(device: device, change, seen: nil))))
  }

  @Test("A rename survives a restart, and messages under the old id still find the device")
  func restart() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    try await send(rig, "a", 0)
    try await change(rig, "a", DeviceChange(id: "b", asset: "acme/linz"))
    try await send(rig, "a", 1)
    try await rig.restart()
    try await send(rig, "a", 2)
    try await send(rig, "b", 3)
    #expect(try await rig.numbers("b/v") == [0, 1, 2, 3])
    let devices = await rig.gateway.queries.fetchCatalog().devices
    #expect(
      devices == [
        DeviceDefinition(
          index: 0, id: "b", asset: "acme/linz", isAdopted: true, isPlaced: true, was: ["a"])
      ])
    await rig.stop()
  }

  @Test("An adopted device that is declared under another id keeps its history from the start on")
  func declared() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    try await send(rig, "a", 0)
    await rig.stop()
    try rig.start(yaml: "devices: [{id: b, was: [a]}]")
    try await send(rig, "a", 1)
    try await rig.restart()
    try await send(rig, "a", 2)
    #expect(try await rig.numbers("b/v") == [0, 1, 2])
    #expect(await rig.gateway.queries.fetchCatalog().devices.count == 1)
    await rig.stop()
  }

  @Test("A change that is refused leaves the rest of its batch alone")
  func refused() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    try await send(rig, "a", 0)
    await #expect(throws: SubmissionError.self) {
      try await change(rig, "x", DeviceChange(id: "y"))
    }
    try await send(rig, "a", 1)
    #expect(try await rig.numbers("a/v") == [0, 1])
    await rig.stop()
  }
}
