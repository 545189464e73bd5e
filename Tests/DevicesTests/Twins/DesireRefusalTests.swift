import Devices
import Telemetry
import Testing

@Suite struct DesireRefusalTests {
  @Test(
    "What cannot be set is refused with a code and a sentence",
    arguments: [
      (#"{"speed":5}"#, "out_of_range: `speed` may be set from 0.2 to 2 m/s, not to 5 m/s"),
      (#"{"speed":0.1}"#, "out_of_range: `speed` may be set from 0.2 to 2 m/s, not to 0.1 m/s"),
      (#"{"speed":"1"}"#, #"wrong_type: `speed` is a number in m/s, not "1""#),
      (#"{"speed":true}"#, "wrong_type: `speed` is a number in m/s, not true"),
      (#"{"speed":[1]}"#, "wrong_type: `speed` is a number in m/s, not [1]"),
      (#"{"speed":1e999}"#, "wrong_type: `speed` is a number in m/s, not 1e999"),
      (
        #"{"speed":{"unit":"km/h"}}"#,
        "wrong_type: `speed` is a value or an object of `value` and `unit`, nothing else"
      ),
      (
        #"{"speed":{"value":1,"since":"x"}}"#,
        "wrong_type: `speed` is a value or an object of `value` and `unit`, nothing else"
      ),
      (
        #"{"speed":{"value":1,"unit":"°C"}}"#,
        "wrong_unit: `speed` is set in m/s, which `°C` cannot be converted to"
      ),
      (
        #"{"speed":{"value":1,"unit":"km/hh"}}"#,
        "wrong_unit: unknown unit `km/hh`, did you mean `km/h`?"
      ),
      (
        #"{"speed":{"value":1,"unit":3}}"#, "wrong_unit: the unit of `speed` is a text, not 3"
      ),
      (#"{"level":{"value":1,"unit":"m"}}"#, "wrong_unit: `level` has no unit, so not `m`"),
      (#"{"level":3}"#, "out_of_range: `level` may be set to 1, 2, 4, not to 3"),
      (#"{"mode":"fast"}"#, "out_of_range: `mode` may be set to manual, automatic, not to fast"),
      (#"{"mode":1}"#, "wrong_type: `mode` is a text, not 1"),
      (#"{"lamp":1}"#, "wrong_type: `lamp` is true or false, not 1"),
      (
        #"{"temperature":20}"#,
        "read_only: `temperature` of `conveyor1` is read-only: the profile `conveyor` has no `desired` for it"
      ),
      (
        #"{"sped":1}"#,
        "unknown_property: `conveyor1` has no property `sped`, did you mean `speed`?"
      ),
      (#"{"zzzz":null}"#, "unknown_property: `conveyor1` has no property `zzzz`"),
      (#"{"lamp":true,"lamp":false}"#, "bad_body: `lamp` stands twice in the patch"),
      ("[]", "bad_body: `patch` is a JSON object of properties and their desired values"),
    ])
  func values(patch: String, answer: String) throws {
    var rig = try TwinRig()
    rig.run()
    #expect(rig.ask(patch) == answer)
    #expect(rig.output.standings.isEmpty && rig.output.events.count == 1)
    let event = try #require(rig.output.events.first)
    #expect(event.kind == .refused && event.principal == "anna" && event.messages.isEmpty)
    #expect(event.asked.contains(patch))
  }

  @Test("A body that says nothing we know is refused")
  func bodies() throws {
    var rig = try TwinRig()
    #expect(rig.send("{").hasPrefix("bad_body: the body is no JSON"))
    #expect(rig.send(#"{"patch":{},"if_match":"x"}"#).hasPrefix("bad_body: `if_match`"))
    #expect(rig.send(#"{"patch":{},"if_match":-1}"#).hasPrefix("bad_body: `if_match`"))
    #expect(rig.send(#"{"patch":{},"not_after":"soon"}"#).hasPrefix("bad_body: `not_after`"))
    let many = (0...100).map { #""p\#($0)":1"# }.joined(separator: ",")
    #expect(rig.ask("{\(many)}").hasPrefix("bad_body: `patch` has more than 100"))
    #expect(
      rig.send("{}", name: "twin.hope")
        == "unknown_command: there is no command 'twin.hope' for twins")
  }

  @Test("Nobody without a name sets anything")
  func nobody() throws {
    var rig = try TwinRig()
    for name in ["", "  "] {
      #expect(rig.ask(#"{"lamp":true}"#, by: name).hasPrefix("no_principal"))
    }
    #expect(rig.ask(#"{"lamp":true}"#) == "1")
  }

  @Test("Unknown devices are refused with the name that was meant")
  func devices() throws {
    var rig = try TwinRig()
    #expect(
      rig.ask("{}", of: "conveyr1")
        == "unknown_device: there is no device `conveyr1`, did you mean `conveyor1`?")
    #expect(
      rig.ask("{}", of: "old-box") == "unknown_device: the device `old-box` is called `box` now")
    #expect(
      rig.ask(#"{"temperature":20}"#, of: "press1").hasPrefix(
        "read_only: `temperature` of `press1` is read-only: the profile `press`"))
    #expect(
      rig.ask(#"{"humidity":20}"#, of: "box")
        == "read_only: `humidity` of `box` is read-only: the device has no profile")
  }

  @Test("A command is only permitted in the declared states of the machine")
  func states() throws {
    var rig = try TwinRig()
    rig.run()
    rig.report("state", .text("fault"))
    #expect(
      rig.ask(#"{"speed":1}"#)
        == "not_permitted: `speed` may be set while `state` is running, idle; now it is fault")
    rig.report("state", .text("idle"))
    rig.report("guard", .boolean(false))
    #expect(
      rig.ask(#"{"speed":1}"#)
        == "not_permitted: `speed` may be set while `guard` is true; now it is false")
    rig.report("guard", .boolean(true))
    #expect(rig.ask(#"{"speed":1}"#) == "1")
  }

  @Test("A state that is not known, bad, gone or too old permits nothing")
  func stale() throws {
    let sentence =
      "stale_input: `speed` may be set while `guard` is true, but what it is now is not known"
    var rig = try TwinRig()
    rig.report("state", .text("running"))
    #expect(rig.ask(#"{"speed":1}"#) == sentence)
    rig.report("guard", .boolean(true), quality: .bad)
    #expect(rig.ask(#"{"speed":1}"#) == sentence)
    rig.report("guard", .boolean(true))
    rig.record { twins, moment, _ in
      twins.wentStale(Staleness(device: 0, series: [1], time: moment.wall))
    }
    #expect(rig.ask(#"{"speed":1}"#) == sentence)
    rig.report("guard", .boolean(true))
    // Expected every 2 s: after three times that it is unknown.
    #expect(rig.ask(#"{"speed":1}"#, after: 6.000_001) == sentence)
    rig.report("guard", .boolean(true))
    #expect(rig.ask(#"{"speed":1}"#, after: 6) == "1")
    rig.record { twins, moment, _ in twins.wentStale(Staleness(device: 0, time: moment.wall)) }
    #expect(rig.ask(#"{"speed":1.5}"#, after: 9).contains("`state` is running, idle, but"))
  }

  @Test("A retained value only fills a gap, and a late one does not undo a newer one")
  func old() throws {
    var rig = try TwinRig()
    rig.report("guard", .boolean(true), currentOnly: true)
    rig.report("state", .text("fault"), after: 1)
    rig.report("state", .text("running"), currentOnly: true)
    rig.report("state", .text("running"), late: 500_000)
    #expect(rig.ask(#"{"speed":1}"#).hasPrefix("not_permitted"))
  }

  @Test("A second command comes no sooner than the rate limit, also after the desire is gone")
  func rate() throws {
    var rig = try TwinRig()
    rig.run()
    #expect(rig.ask(#"{"speed":1}"#) == "1")
    #expect(
      rig.ask(#"{"speed":1.5}"#, after: 3.2)
        == "rate_limited: `speed` of `conveyor1` was set less than 5 s ago: retry after 2 s")
    #expect(rig.ask(#"{"speed":null}"#) == "2", "taking back sends nothing")
    #expect(rig.ask(#"{"speed":1.5}"#).hasPrefix("rate_limited"))
    #expect(rig.ask(#"{"speed":1.5}"#, after: 1.8) == "3")
  }

  @Test("A patch made for another version is refused")
  func version() throws {
    var rig = try TwinRig()
    #expect(rig.ask(#"{"lamp":true}"#, match: 0) == "1")
    #expect(
      rig.ask(#"{"lamp":false}"#, match: 0)
        == "version_conflict: the desired state of `conveyor1` is at version 1, not 0: read it again before you change it"
    )
    #expect(rig.ask(#"{"lamp":false}"#, match: 1) == "2")
  }

  @Test("A command that waited too long is refused")
  func expired() throws {
    var rig = try TwinRig()
    let limit = #","not_after":"\#(TwinRig.start.advanced(byMicroseconds: 4_000_000).rfc3339)""#
    #expect(rig.ask(#"{"lamp":true}"#, more: limit, after: 4) == "1")
    #expect(rig.ask(#"{"lamp":true}"#, more: limit, after: 0.001).hasPrefix("expired"))
  }

  @Test("A patch is carried out whole or not at all")
  func whole() throws {
    var rig = try TwinRig()
    #expect(rig.ask(#"{"lamp":true,"mode":"manual"}"#) == "1")
    let before = rig.saved
    #expect(rig.ask(#"{"lamp":null,"mode":"automatic","level":3}"#).hasPrefix("out_of_range"))
    #expect(rig.ask(#"{"mode":null,"lamp":7}"#).hasPrefix("wrong_type"))
    #expect(rig.saved == before)
    #expect(rig.output.events.allSatisfy { $0.messages.isEmpty })
  }
}
