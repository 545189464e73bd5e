import Foundation
import MQTT
import TestSupport
import Testing

@testable import Gateway

@Suite("Messages of effects", .serialized)
struct MessageEffectTests {
  private func rig() throws -> GatewayRig {
    let rig = try GatewayRig()
    try rig.start()
    return rig
  }

  private func message(_ topic: String, _ payload: String, _ more: String = "") -> String {
    #"{"kind":"mqtt","topic":"\#(topic)","payload":"\#(payload)"\#(more)}"#
  }

  @Test("Messages arrive in order, once, and are counted when the broker has acknowledged them")
  func order() async throws {
    let rig = try rig()
    try rig.gateway.startPublishing()
    let ear = try BrokerEar(rig.broker!, ["millwright/test/note", "ear/mark"])
    #expect(await ear.catchUp())
    for number in 0..<200 {
      try await rig.request(message("note", "\(number)"), message("note", "\(number)b"))
    }
    #expect(await eventually { rig.figures("mqtt").delivered == 400 })
    #expect(await ear.catchUp())
    let expected = (0..<200).flatMap { ["\($0)", "\($0)b"] }
    #expect(ear.heard(on: "millwright/test/note").map(\.payload) == expected)
    #expect(rig.figures("mqtt").waiting == 0)
    await rig.stop()
  }

  @Test(
    "While the broker is away messages wait; then they arrive once, in order, states as they are now"
  )
  func outage() async throws {
    let rig = try rig()
    try rig.gateway.startPublishing()
    #expect(await eventually { rig.gateway.isPublisherConnected })
    rig.broker?.stop()
    #expect(await eventually { !rig.gateway.isPublisherConnected })
    for number in 0..<20 {
      try await rig.request(
        message("note", "\(number)"), message("alarm/a", "\(number)", #","retain":true"#),
        message("/plant/state", "\(number)", #","state":true,"qos":0"#))
    }
    try await rig.request(message("late", "x", #","expires":"2020-01-01T00:00:00Z""#))
    try await rig.request(message("gone", "x", #","retain":true"#))
    try await rig.request(message("gone", "", #","retain":true"#))
    #expect(await eventually { rig.figures("mqtt").waiting == 63 })
    #expect(rig.figures("mqtt").oldestWaiting != nil)
    try rig.broker?.start()
    let ear = try BrokerEar(rig.broker!, ["millwright/test/#", "plant/#", "ear/mark"])
    #expect(await eventually { rig.figures("mqtt").waiting == 0 })
    #expect(await ear.catchUp())
    // Retained ones may have come before the ear did; notes may not be there to be heard then.
    let figures = rig.figures("mqtt")
    #expect(figures.delivered == 23)
    #expect(figures.superseded == 39)
    #expect(figures.expired == 1)
    #expect(ear.heard(on: "millwright/test/alarm/a").map(\.payload) == ["19"])
    let later = try BrokerEar(rig.broker!, ["millwright/test/#", "ear/mark"], id: "later")
    #expect(await later.catchUp())
    #expect(later.heard(on: "millwright/test/alarm/a").map(\.payload) == ["19"])
    #expect(later.heard(on: "millwright/test/gone").isEmpty)
    await rig.stop()
  }

  @Test(
    "What waited over an outage and a restart of the gateway reaches a listener once and in order")
  func outageAndRestart() async throws {
    let rig = try rig()
    // A listener with a session: the broker keeps for it what comes before it is back.
    let session = try ChildProcess(
      try TestBroker.find("mosquitto_sub"),
      [
        "-p", "\(rig.broker!.port)", "-i", "keeper", "-c", "-q", "1", "-t", "millwright/test/note",
        "-E",
      ])
    session.wait()
    try rig.gateway.startPublishing()
    #expect(await eventually { rig.gateway.isPublisherConnected })
    rig.broker?.stop()
    #expect(await eventually { !rig.gateway.isPublisherConnected })
    for number in 0..<50 { try await rig.request(message("note", "\(number)")) }
    try await rig.restart()
    for number in 50..<100 { try await rig.request(message("note", "\(number)")) }
    try rig.gateway.startPublishing()
    try rig.broker?.start()
    #expect(await eventually { rig.figures("mqtt").delivered == 100 })
    let output = rig.scratch.path + "/heard"
    try ChildProcess(
      try TestBroker.find("mosquitto_sub"),
      [
        "-p", "\(rig.broker!.port)", "-i", "keeper", "-c", "-q", "1", "-t", "millwright/test/note",
        "-C", "100", "-W", "60",
      ], outputPath: output
    ).wait()
    let heard = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
    #expect(heard == (0..<100).map { "\($0)" })
    await rig.stop()
  }

  @Test(
    "What we publish outside of our root is no telemetry of anybody",
    arguments: MQTTSettings.Version.allCases)
  func echo(version: MQTTSettings.Version) async throws {
    let rig = try GatewayRig { $0.mqtt?.version = version }
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.gateway.startPublishing()
    try await rig.request(message("/plant/press", #"{\"v\": 1}"#))
    #expect(await eventually { rig.figures("mqtt").delivered == 1 })
    try rig.publish([("plant/other", #"{"v": 1}"#)])
    #expect(await eventually { rig.gateway.figures.samples == 1 })
    let catalog = await rig.gateway.queries.fetchCatalog()
    #expect(catalog.devices.map(\.id) == ["plant.other"])
    try rig.publish([("plant/press", #"{"v": 2}"#)])
    #expect(await eventually { rig.gateway.figures.samples == 2 })
    await rig.stop()
  }

  @Test(
    "What an earlier life published is recognised by its origin; another gateway's is telemetry")
  func origin() async throws {
    let rig = try rig()
    #expect(await rig.waitUntilConnected())
    func origin(_ gateway: String, _ value: Int) -> String {
      Array("plant/press".utf8).withUnsafeBytes { topic in
        Array(#"{"v": \#(value)}"#.utf8).withUnsafeBytes { OwnTopics.origin(gateway, topic, $0) }
      }
    }
    // The last one was made of a message of ours by somebody who handed its properties on.
    for (origin, value) in [
      (origin("test", 1), 1), (origin("plant2", 2), 2), (origin("test", 3), 3),
      (origin("test", 3), 5),
    ] {
      try rig.publish(
        [("plant/press", #"{"v": \#(value)}"#)],
        more: ["-V", "5", "-D", "publish", "user-property", "a", "b"]
          + ["-D", "publish", "user-property", "millwright-origin", origin])
    }
    try rig.publish([("plant/press", #"{"v": 4}"#)])
    #expect(await eventually { rig.gateway.figures.messages == 5 })
    #expect(await eventually { rig.gateway.figures.samples == 3 })
    #expect(rig.gateway.figures.ignoredMessages == 2)
    await rig.gateway.flush()
    #expect(try await rig.numbers("plant.press/v") == [2, 5, 4])
    await rig.stop()
  }

  @Test("Without a broker a message is booked, not kept for ever")
  func noBroker() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    try rig.gateway.startPublishing()
    try await rig.request(message("note", "x"))
    #expect(await eventually { rig.figures("mqtt").refused == 1 })
    #expect(try await rig.undelivered().first?.contains("there is no `mqtt`") == true)
    await rig.stop()
  }
}
