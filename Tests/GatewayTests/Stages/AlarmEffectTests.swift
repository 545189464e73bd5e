import Storage
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite("From a sample to an alarm on the broker")
struct AlarmEffectTests {
  private static let devices = """
    profiles:
      - id: press
        metrics:
          temperature: {unit: °C}
    devices:
      - {id: press1, profile: press, asset: acme/line1/press1}
    routes:
      - {topic: "plant/{device}", format: json, device: "{device}"}
    """

  private static let rules = """
    rules:
      - id: press-hot
        scope: {profile: press}
        when: temperature > 80 °C
        priority: high
        text: "{device} has {value} {unit}"
        actions:
          - alarm
          - mqtt: {topic: "lamps/{device}", payload: "red", at: raised}
    """

  @Test(
    "An alarm is retained while it is up, its action is sent once, and a restart repeats neither")
  func life() async throws {
    let rig = try GatewayRig(yaml: Self.devices, rules: Self.rules)
    try rig.start()
    #expect(await rig.waitUntilConnected())
    try rig.gateway.startPublishing()
    let ear = try BrokerEar(
      try #require(rig.broker), ["millwright/test/alarm/#", "lamps/#", "ear/#"])
    #expect(await ear.catchUp())
    func said(_ topic: String) -> [String] { ear.heard(on: topic).map(\.payload) }
    try rig.publish([("plant/press1", #"{"temperature": 70}"#)])
    try rig.publish([("plant/press1", #"{"temperature": 91.5}"#)])
    let alarm = "millwright/test/alarm/acme/line1/press1/press-hot"
    #expect(await eventually { said(alarm).count == 1 })
    #expect(said(alarm).last?.contains(#""state":"unacknowledged""#) == true)
    #expect(said(alarm).last?.contains("press1 has 91.5 °C") == true)
    #expect(await eventually { said("lamps/press1") == ["red"] })
    try await rig.restart()
    try rig.gateway.startPublishing()
    #expect(await rig.waitUntilConnected())
    try rig.publish([("plant/press1", #"{"temperature": 60}"#)])
    // Gone from the broker: an empty retained message.
    #expect(await eventually { said(alarm).last?.contains("returned") == true })
    let command = OperatorCommand(
      name: "alarm.acknowledge", target: "press-hot@press1", principal: "anna")
    _ = try await rig.gateway.submit(Submission(.command(.stage(command))))
    #expect(await eventually { said(alarm).last == "" })
    #expect(said(alarm).count == 3)
    #expect(said("lamps/press1") == ["red"])
    await rig.stop()
  }
}
