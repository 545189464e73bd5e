import Devices
import Telemetry
import Testing

@Suite struct TwinRecordsTests {
  static func records(_ rig: TwinRig) -> StageOutput {
    var output = StageOutput()
    TwinRecords.add(rig.output, at: rig.moment, to: &output)
    return output
  }

  static func properties(_ event: DerivedEvent) throws -> JSONValue {
    try JSONReader.read(Array(event.event.properties.utf8))
  }

  @Test("A command leaves with its id and its expiry; states are retained and have none")
  func effects() throws {
    var rig = try TwinRig()
    rig.run()
    rig.ask(#"{"speed":1.2}"#, why: "less breakage")
    let output = Self.records(rig)
    let row = try #require(output.events.first)
    #expect(row.hasEffects && row.event.name == "DesiredChanged" && row.event.id == "mw:3.0")
    #expect(row.event.device == "conveyor1" && row.event.user == "anna")
    let properties = try Self.properties(row)
    #expect(properties["old"]?.isNull == true && properties["new"]?.encoded == "1.2")
    #expect(properties["by"]?.text == "anna" && properties["remark"]?.text == "less breakage")
    let effects = try #require(properties["effects"]?.elements)
    #expect(effects.count == 3)
    #expect(
      effects[0].encoded
        == #"{"kind":"mqtt","topic":"command/conveyor1/speed","payload":"{\"value\":1.2,\"unit\":\"m/s\",\"id\":\"conveyor1/speed/3.1\",\"expires\":\"2026-11-21T08:00:30Z\"}","qos":1,"retain":false,"id":"conveyor1/speed/3.1","expires":"2026-11-21T08:00:30Z"}"#
    )
    for effect in effects.dropFirst() {
      #expect(effect["state"] == .bool(true) && effect["retain"] == .bool(true))
      #expect(effect["expires"] == nil)
    }
    #expect(output.standings.map(\.kind) == ["desired"])
    #expect(output.standings.map(\.key) == ["conveyor1"])
    #expect(
      output.standings[0].body
        == #"{"version":1,"properties":{"speed":{"value":1.2,"unit":"m/s","since":"2026-11-21T08:00:00Z","status":"pending","by":"anna","remark":"less breakage","expires":"2026-11-21T08:00:30Z","expired":false,"command":"conveyor1/speed/3.1"}}}"#
    )
  }

  @Test("An expiry that the person named cuts the life of the command, and never lengthens it")
  func notAfter() throws {
    var rig = try TwinRig()
    let soon = TwinRig.start.advanced(byMicroseconds: 4_000_000)
    rig.ask(#"{"lamp":true}"#, more: #","not_after":"\#(soon.rfc3339)""#)
    #expect(rig.output.events.first?.messages.first?.expires == soon)
    #expect(rig.twins.nextDeadline == 4_000_000)
    let late = TwinRig.start.advanced(byMicroseconds: 400_000_000)
    rig.ask(#"{"lamp":false}"#, more: #","not_after":"\#(late.rfc3339)""#)
    #expect(
      rig.output.events.first?.messages.first?.expires
        == TwinRig.start.advanced(byMicroseconds: 30_000_000))
  }

  @Test("Once a command is made none is made again, whatever time passes")
  func never() throws {
    var rig = try TwinRig()
    rig.ask(#"{"lamp":true}"#)
    for _ in 0..<40 {
      rig.tick(after: 10)
      #expect(rig.output.events.allSatisfy { $0.messages.allSatisfy { $0.isState } })
    }
  }

  @Test("A refusal is in the event log with what was asked, and nothing leaves")
  func refused() throws {
    var rig = try TwinRig()
    rig.ask(#"{"lamp":3}"#, by: "mallory", why: "why not")
    let output = Self.records(rig)
    let row = try #require(output.events.first)
    #expect(row.event.name == "DesiredRefused" && !row.hasEffects && row.event.user == "mallory")
    let properties = try Self.properties(row)
    #expect(properties["code"]?.text == "wrong_type" && properties["remark"]?.text == "why not")
    #expect(properties["asked"]?.text?.contains(#"{"lamp":3}"#) == true)
    #expect(properties["effects"] == nil && output.standings.isEmpty)
  }

  @Test("Convergence is in the event log with the seconds it took")
  func converged() throws {
    var rig = try TwinRig()
    rig.ask(#"{"lamp":true}"#)
    rig.report("lamp", .boolean(true), after: 2.5)
    let row = try #require(Self.records(rig).events.first)
    #expect(row.event.name == "DesiredConverged" && row.hasEffects)
    #expect(try Self.properties(row)["seconds"]?.encoded == "2.5")
  }

  @Test("Names with wildcards do not make a topic that nobody can publish on")
  func wildcards() throws {
    var rig = try TwinRig()
    rig.define(.device(DeviceDefinition(index: 3, id: "a+b#", profile: "conveyor")))
    rig.ask(#"{"lamp":true}"#, of: "a+b#")
    #expect(
      rig.output.events.flatMap(\.messages).map(\.topic) == [
        "command/a_b_/lamp", "twin/a_b_/desired", "twin/a_b_/delta",
      ])
  }
}
