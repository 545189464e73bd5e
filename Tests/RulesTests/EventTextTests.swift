import Telemetry
import Testing

@testable import Rules

@Suite("Texts that tell of an event")
struct EventTextTests {
  private static let yaml = """
    rules:
      - id: r
        scope: {profile: press}
        when: event("Rejected")
        clear: event("Accepted")
        text: "{device}: {event.reason}, {event.parts} parts, {event.nothing}"
    """

  private static func happen(
    _ rig: inout RuleRig, _ name: String, _ properties: String, at seconds: Double
  ) {
    rig.engine.eventHappened(
      Event(
        id: "\(seconds)", name: name, time: rig.moment(seconds).wall, device: "press1",
        properties: properties), at: rig.moment(seconds), into: &rig.output)
  }

  @Test("An alarm shows the properties of its event, also after a restart and when it is acknowledged")
  func properties() throws {
    var rig = try RuleRig(Self.yaml)
    Self.happen(&rig, "Rejected", #"{"reason": "burr", "parts": 3}"#, at: 1)
    #expect(rig.output.transitions.last?.text == "press1: burr, 3 parts, ?")
    try rig.restart()
    _ = rig.command(.acknowledge)
    #expect(rig.output.transitions.last?.text == "press1: burr, 3 parts, ?")
    Self.happen(&rig, "Accepted", "{}", at: 3)
    #expect(rig.state() == .normal)
    #expect(rig.output.transitions.last?.text == "press1: burr, 3 parts, ?")
  }

  @Test("A property is refused where the rule waits for no event")
  func noEvent() throws {
    let problems = try RuleReadingTests.problems("temperature > 80 °C", "    text: '{event.reason}'")
    #expect(problems.count == 1)
    #expect(problems.first?.contains("`when` waits for none") == true)
  }
}
