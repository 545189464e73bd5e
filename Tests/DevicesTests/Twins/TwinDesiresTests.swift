import Devices
import Telemetry
import TestSupport
import Testing

@Suite struct TwinDesiresTests {
  @Test("An accepted command is one event with who, why, old and new, and one message")
  func accepted() throws {
    var rig = try TwinRig()
    rig.run()
    #expect(rig.ask(#"{"speed":1.2}"#, why: "less breakage") == "1")
    #expect(rig.lines == ["changed speed nil→1.2 m/s v1 anna"])
    let event = try #require(rig.output.events.first)
    #expect(event.remark == "less breakage" && event.id == "conveyor1/speed/3.1")
    let command = try #require(event.messages.first)
    #expect(command.topic == "command/conveyor1/speed" && !command.isState)
    #expect(
      command.payload
        == #"{"value":1.2,"unit":"m/s","id":"conveyor1/speed/3.1","expires":"2026-11-21T08:00:30Z"}"#
    )
    #expect(rig.ask(#"{"speed":1.5}"#, by: "boris", after: 5) == "2")
    #expect(rig.lines == ["changed speed 1.2→1.5 m/s v2 boris"])
    #expect(rig.ask(#"{"speed":null}"#) == "3")
    #expect(rig.lines == ["changed speed 1.5→nil m/s v3 anna"])
    #expect(rig.ask(#"{"speed":null}"#) == "3" && rig.output.isEmpty, "there is nothing to do")
    #expect(rig.ask("{}") == "3" && rig.output.isEmpty)
  }

  @Test("A value is converted into the unit of the property")
  func units() throws {
    var rig = try TwinRig()
    rig.run()
    #expect(rig.ask(#"{"speed":{"value":3.6,"unit":"km/h"}}"#) == "1")
    #expect(rig.lines == ["changed speed nil→1.0 m/s v1 anna"])
    #expect(rig.ask(#"{"belt_temperature":{"value":30,"unit":"°C"}}"#) == "2")
    #expect(rig.lines == ["changed belt_temperature nil→86.0 [degF] v2 anna"])
    #expect(rig.output.events[0].messages[0].payload == "86")
    // Reported in °C, compared in °F with a tolerance of 2.
    rig.report("temperature", .number(28.8))
    #expect(rig.lines.isEmpty)
    rig.report("temperature", .number(29))
    #expect(rig.lines == ["converged belt_temperature 84.2→86.0 [degF] v2 anna 0.0 s"])
  }

  @Test("A payload of one's own keeps numbers and booleans, and has the words of the source")
  func payload() throws {
    var rig = try TwinRig()
    rig.ask(#"{"mode":"automatic"}"#)
    let message = try #require(rig.output.events.first?.messages.first)
    #expect(message.topic == "/plant/conveyor1/set")
    #expect(
      message.payload
        == #"{"mode":"A","word":"automatic","ref":"conveyor1/mode/1.1 of conveyor1","n":1,"on":true}"#
    )
  }

  @Test("The reported value that gets there converges the desire, once")
  func converges() throws {
    var rig = try TwinRig()
    rig.run()
    rig.report("speed", .number(0.5))
    rig.ask(#"{"speed":1.2}"#)
    #expect(try rig.status("speed") == "pending")
    rig.report("speed", .number(1.17), after: 2)
    #expect(rig.output.isEmpty)
    rig.report("speed", .number(1.2), after: 0.5, quality: .bad)
    rig.report("speed", .number(1.2), quality: [.uncertain, .stale])
    #expect(rig.output.isEmpty)
    rig.report("speed", .number(1.19), after: 1)
    #expect(rig.lines == ["converged speed 1.19→1.2 m/s v1 anna 3.5 s"])
    #expect(try rig.status("speed") == "converged")
    #expect(rig.twins.nextDeadline == nil)
    rig.report("speed", .number(1.2), after: 1)
    #expect(rig.output.isEmpty)
  }

  @Test("A device that is there already converges at once, and is still told")
  func already() throws {
    var rig = try TwinRig()
    rig.run()
    rig.report("speed", .number(1.2))
    rig.ask(#"{"speed":1.2}"#)
    #expect(
      rig.lines == [
        "changed speed nil→1.2 m/s v1 anna", "converged speed 1.2→1.2 m/s v1 anna 0.0 s",
      ])
    #expect(rig.output.events[0].messages.map(\.topic) == ["command/conveyor1/speed"])
    #expect(
      rig.output.events[1].messages.map(\.topic) == [
        "twin/conveyor1/desired", "twin/conveyor1/delta",
      ])
  }

  @Test(
    "A desire that is not met expires, then times out, on ticks alone; a late arrival still counts")
  func timesOut() throws {
    var rig = try TwinRig()
    rig.run()
    rig.ask(#"{"speed":1.2}"#)
    #expect(rig.twins.nextDeadline == 30_000_000)
    rig.tick(after: 29.999_999)
    #expect(rig.output.isEmpty)
    rig.tick(after: 0.000_001)
    #expect(rig.lines.isEmpty && rig.output.standings[0].body.contains(#""expired":true"#))
    #expect(rig.twins.nextDeadline == 120_000_000)
    rig.tick(after: 90)
    #expect(rig.lines == ["timedOut speed nil→1.2 m/s v1 anna 120.0 s"])
    #expect(try rig.status("speed") == "timed_out" && rig.twins.nextDeadline == nil)
    rig.tick(after: 1_000)
    #expect(rig.output.isEmpty)
    rig.report("speed", .number(1.2), after: 1)
    #expect(rig.lines == ["converged speed 1.2→1.2 m/s v1 anna 1121.0 s"])
  }

  @Test("A value that arrives in the record of the time-out counts before it")
  func race() throws {
    var rig = try TwinRig()
    rig.run()
    rig.ask(#"{"speed":1.2}"#)
    rig.report("speed", .number(1.2), after: 120)
    #expect(rig.lines == ["converged speed 1.2→1.2 m/s v1 anna 120.0 s"])
  }

  @Test("A device that leaves the desired value has diverged after the time-out, not before")
  func diverges() throws {
    var rig = try TwinRig()
    rig.run()
    rig.ask(#"{"speed":1.2}"#)
    rig.report("speed", .number(1.2), after: 1)
    // Back in time: nothing happened.
    rig.report("speed", .number(0.6), after: 10)
    rig.report("speed", .number(1.21), after: 119)
    rig.tick(after: 500)
    #expect(rig.output.isEmpty && rig.twins.nextDeadline == nil)
    rig.report("speed", .number(0.6))
    let deadline = try #require(rig.twins.nextDeadline)
    #expect(deadline == rig.elapsed + 120_000_000)
    rig.report("speed", .number(0.7), after: 60)
    #expect(rig.twins.nextDeadline == deadline)
    rig.tick(after: 60)
    #expect(rig.lines == ["diverged speed 0.7→1.2 m/s v1 anna 750.0 s"])
    #expect(
      rig.output.events.last?.messages.allSatisfy { $0.isState } == true,
      "nothing is sent again by itself")
    rig.report("speed", .number(1.2), after: 1)
    #expect(rig.lines.first?.hasPrefix("converged speed") == true)
  }

  @Test("No sample and no time ever changes what is desired or sends a command")
  func onlyPersons() throws {
    var rig = try TwinRig()
    rig.run()
    rig.ask(#"{"speed":1.2,"lamp":true}"#)
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<2_000 {
      let metric = ["speed", "guard", "lamp", "state"].randomElement(using: &generator) ?? "speed"
      let value: Value =
        switch metric {
        case "speed": .number(Double.random(in: 0...2, using: &generator))
        case "state": .text(["off", "running"].randomElement(using: &generator) ?? "off")
        default: .boolean(Bool.random(using: &generator))
        }
      rig.report(metric, value, after: Double.random(in: 0...60, using: &generator))
      #expect(rig.output.events.allSatisfy { $0.version == 1 && $0.kind != .changed })
      #expect(rig.output.events.allSatisfy { $0.messages.allSatisfy(\.isState) })
    }
    #expect(rig.twins.version(ofDevice: "conveyor1") == 1)
  }

  @Test(
    "The broker keeps what is desired and what is still to come, and forgets both when it is over")
  func stateTopics() throws {
    var rig = try TwinRig()
    rig.ask(#"{"lamp":true,"level":2}"#)
    let messages = try #require(rig.output.events.last).messages
    #expect(messages.map(\.topic).suffix(2) == ["twin/conveyor1/desired", "twin/conveyor1/delta"])
    #expect(messages.suffix(2).allSatisfy { $0.isState && $0.expires == nil })
    rig.report("lamp", .boolean(true), after: 1)
    let after = try #require(rig.output.events.last).messages
    #expect(
      after[1].payload
        == #"{"version":1,"properties":{"level":{"value":2,"unit":"","since":"2026-11-21T08:00:00Z","status":"pending"}}}"#
    )
    #expect(!after[0].payload.contains("anna"))
    rig.ask(#"{"lamp":null,"level":null}"#)
    #expect(rig.output.events.last?.messages.map(\.payload) == ["", ""])
    #expect(rig.output.standings.map(\.body) == [#"{"version":2,"properties":{}}"#])
  }

  @Test("A desire that nothing declares any more is taken back, and the version tells")
  func withdrawn() throws {
    var rig = try TwinRig()
    rig.ask(#"{"lamp":true,"belt_temperature":80}"#)
    let changed = TwinRig.profile.replacing(
      "      lamp: {permitted_when: always, rate_limit: 0 s}\n", with: ""
    )
    .replacing("unit: °F\n        range: [50, 122]", with: "range: [10, 50]")
    let profiles = try Fixture.configuration(changed).profiles
    rig.record { twins, _, _ in twins.configure(profiles) }
    #expect(
      rig.lines == [
        "withdrawn lamp true→nil  v2 anna", "withdrawn belt_temperature 80.0→nil [degF] v2 anna",
      ])
    #expect(rig.output.standings.map(\.body) == [#"{"version":2,"properties":{}}"#])
    #expect(rig.ask(#"{"lamp":true}"#).hasPrefix("read_only"))
    rig.tick(after: 1_000)
    #expect(rig.output.isEmpty)
  }

  @Test("A profile that is given to a device later makes its properties writable")
  func laterProfile() throws {
    var rig = try TwinRig()
    #expect(rig.ask(#"{"lamp":true}"#, of: "box").hasPrefix("unknown_property"))
    rig.define(.device(DeviceDefinition(index: 2, id: "box", profile: "conveyor")))
    #expect(rig.ask(#"{"lamp":true}"#, of: "box") == "1")
    rig.define(.device(DeviceDefinition(index: 2, id: "box", profile: "press")))
    rig.tick(after: 1)
    #expect(rig.lines == ["withdrawn lamp true→nil  v2 anna"])
  }

  @Test("A metric that is first heard after the command converges it")
  func laterSeries() throws {
    var rig = try TwinRig()
    rig.define(.device(DeviceDefinition(index: 3, id: "conveyor2", profile: "conveyor")))
    #expect(rig.ask(#"{"lamp":true}"#, of: "conveyor2") == "1")
    rig.define(
      .series(
        SeriesDefinition(index: 8, device: 3, metric: "lamp", type: .boolean, kind: .state)))
    rig.record(after: 2) { twins, moment, output in
      twins.observe(Sample(series: 8, time: moment.wall, bits: 1), at: moment, into: &output)
    }
    #expect(rig.lines == ["converged lamp true→true  v1 anna 2.0 s"])
  }

  // MARK: - Saved state

  /// One of many courses; the same seed gives the same one.
  static func step(_ rig: inout TwinRig, _ generator: inout SeededGenerator) {
    let wait = Double.random(in: 0...20, using: &generator)
    switch Int.random(in: 0..<9, using: &generator) {
    case 0: rig.ask(#"{"speed":\#(Double.random(in: 0...2.2, using: &generator))}"#, after: wait)
    case 1:
      rig.ask(#"{"lamp":\#(Bool.random(using: &generator)),"level":2}"#, by: "boris", after: wait)
    case 2: rig.ask(#"{"speed":null,"level":null}"#, after: wait)
    case 3: rig.tick(after: 7 * wait)
    case 4: rig.report("state", .text("running"), after: wait)
    case 5: rig.report("guard", .boolean(true), after: wait / 10)
    case 6: rig.report("lamp", .boolean(Bool.random(using: &generator)), after: wait)
    case 7:
      rig.report("speed", .number(Double.random(in: 0.9...1.3, using: &generator)), after: wait)
    default: rig.report("level", .number(2), after: wait)
    }
  }

  @Test("Taken up again after any record it says and saves the same as without a stop")
  func replay() throws {
    var straight = try TwinRig()
    var generator = SeededGenerator(seed: 5)
    var kinds: Set<TwinEvent.Kind> = []
    for _ in 0..<600 {
      Self.step(&straight, &generator)
      kinds.formUnion(straight.output.events.map(\.kind))
    }
    #expect(kinds == Set(TwinEvent.Kind.allCases).subtracting([.withdrawn]), "the course shows all")
    // Restarted after every record.
    var stopped = try TwinRig()
    generator = SeededGenerator(seed: 5)
    for _ in 0..<600 {
      Self.step(&stopped, &generator)
      let deadline = stopped.twins.nextDeadline
      let bytes = stopped.saved
      try stopped.restore(bytes)
      #expect(stopped.saved == bytes && stopped.twins.nextDeadline == deadline)
    }
    #expect(stopped.said == straight.said)
    #expect(stopped.saved == straight.saved)
  }

  @Test("State that is cut anywhere is refused, and nothing of it is taken")
  func truncated() throws {
    var rig = try TwinRig()
    rig.run()
    rig.ask(#"{"speed":1.2,"mode":"manual"}"#)
    let bytes = rig.saved
    for length in bytes.indices {
      var other = try TwinRig()
      #expect(throws: ByteReader.Truncated.self) { try other.restore(Array(bytes[..<length])) }
    }
    var other = try TwinRig()
    #expect(throws: ByteReader.Truncated.self) { try other.restore([99] + bytes.dropFirst()) }
  }
}
