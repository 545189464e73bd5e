import Devices
import Telemetry
import TestSupport
import Testing

@testable import Rules

@Suite struct EngineTests {
  // MARK: - Thresholds and timers

  @Test("An alarm is raised after its time and cleared when the condition is gone")
  func holds() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C", "for: 3 s\noff_delay: 2 s"))
    for (at, value) in [(1.0, 81.0), (2, 85), (3, 79), (4, 81), (5, 82), (6, 82), (7, 83)] {
      rig.send("press1/temperature", value, at: at)
    }
    #expect(rig.log == ["7 r@press1 normal>unacknowledged condition"])
    rig.send("press1/temperature", 70, at: 8)
    rig.send("press1/temperature", 90, at: 9)
    rig.send("press1/temperature", 70, at: 10)
    rig.send("press1/temperature", 70, at: 11)
    rig.advance(to: 12)
    #expect(rig.log.count == 2)
    #expect(rig.log[1] == "12 r@press1 unacknowledged>returned_unacknowledged condition")
  }

  @Test("A timer that runs out between samples fires at its own moment, with or without a tick")
  func timers() throws {
    for ticks in [true, false] {
      var rig = try RuleRig(RuleRig.one("pressure > 5 bar", "for: 3 s"))
      rig.send("press1/pressure", 6, at: 1)
      if ticks { rig.advance(to: 9) }
      rig.send("press1/pressure", 2, at: 10)
      let alarm = try #require(rig.engine.alarm(AlarmKey(rule: "r", source: "press1")))
      #expect(alarm.statistics.activations == 1)
      #expect(alarm.statistics.longestMicroseconds == 6_000_000)
      #expect(alarm.statistics.firstActivation?.microseconds == RuleRig.wallStart + 4_000_000)
    }
  }

  @Test("A deadband holds an alarm until the value is clear of its limit")
  func deadband() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C", "deadband: 3 K"))
    for (at, value) in [(1.0, 81.0), (2, 78), (3, 77.5), (4, 77), (5, 80)] {
      rig.send("press1/temperature", value, at: at)
    }
    #expect(
      rig.log == [
        "1 r@press1 normal>unacknowledged condition",
        "4 r@press1 unacknowledged>returned_unacknowledged condition",
      ])
  }

  @Test("A clearing expression of its own clears")
  func clears() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C", "clear: pressure < 2 bar"))
    rig.send("press1/pressure", 5, at: 0.5)
    rig.send("press1/temperature", 81, at: 1)
    rig.send("press1/temperature", 10, at: 2)
    #expect(rig.isActive())
    rig.send("press1/pressure", 1, at: 3)
    #expect(!rig.isActive())
  }

  @Test("Units are converted: of literals, between signals, and of a series in another unit")
  func units() throws {
    var rig = try RuleRig(
      RuleRig.one("temperature > pump1/temperature + 10 °C and pressure > 30 psi"))
    rig.send("press1/pressure", 2.1, at: 1)
    rig.send("pump1/temperature", 104, at: 1)  // 40 °C
    rig.send("press1/temperature", 50, at: 1)
    #expect(rig.state() == .normal)
    rig.send("press1/temperature", 50.1, at: 2)
    #expect(rig.state() == .unacknowledged)
    // The series of an adopted device came in Fahrenheit before the profile said Celsius.
    let devices = RuleRig.profiles.replacing("id: press2, profile: press", with: "id: press2")
    var other = try RuleRig(
      "rules: [{id: r, scope: {profile: press}, when: temperature > 80 °C}]", devices: devices)
    other.define(.device(DeviceDefinition(index: 3, id: "late", profile: "press")))
    other.addSeries("late/temperature", device: 3, type: .number, unit: "[degF]")
    other.send("late/temperature", 175, at: 1)
    #expect(other.state("r", "late") == .normal)
    other.send("late/temperature", 177, at: 2)
    #expect(other.state("r", "late") == .unacknowledged)
  }

  @Test("A series of another type or dimension is told, and its condition stays unknown")
  func mismatch() throws {
    var rig = try RuleRig("rules: [{id: r, scope: {profile: press}, when: temperature > 80 °C}]")
    rig.define(.device(DeviceDefinition(index: 3, id: "odd", profile: "press")))
    rig.addSeries("odd/temperature", device: 3, type: .text)
    rig.define(.device(DeviceDefinition(index: 4, id: "bare", profile: "press")))
    rig.addSeries("bare/temperature", device: 4, type: .number)
    #expect(rig.engine.problems.map(\.series) == ["odd/temperature", "bare/temperature"])
    rig.send("bare/temperature", 99, at: 1)
    #expect(rig.state("r", "bare") == .normal)
  }

  // MARK: - Bad input

  @Test("Bad or old input makes a condition unknown, and an alarm holds its state")
  func staleInput() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C"))
    rig.send("press1/temperature", 85, at: 1)
    rig.send("press1/temperature", 20, at: 2, quality: .bad)
    #expect(rig.isActive())
    #expect(rig.engine.alarm(AlarmKey(rule: "r", source: "press1"))?.isInputStale == true)
    rig.send("press1/temperature", 85, at: 3)
    // Declared once a second: too old after 3 s.
    rig.advance(to: 10)
    #expect(
      rig.log == [
        "1 r@press1 normal>unacknowledged condition",
        "2 r@press1 unacknowledged>unacknowledged input_lost",
        "3 r@press1 unacknowledged>unacknowledged input_back",
        "6 r@press1 unacknowledged>unacknowledged input_lost",
      ])
    rig.send("press1/temperature", 20, at: 11)
    #expect(!rig.isActive())
  }

  @Test("Unknown with false is false, unknown with true is unknown, and so for or")
  func threeValued() throws {
    for (text, pressure, expected) in [
      ("temperature > 80 °C and pressure > 5 bar", 1.0, Verdict.no),
      ("temperature > 80 °C and pressure > 5 bar", 9, .unknown),
      ("temperature > 80 °C or pressure > 5 bar", 9, .yes),
      ("temperature > 80 °C or pressure > 5 bar", 1, .unknown),
      ("not temperature > 80 °C", 1, .unknown),
      ("temperature + 1 °C > 3 °C or pressure > 5 bar", 9, .yes),
      ("temperature == 3 °C", 1, .unknown),
      ("pressure / 0 > 1 bar", 1, .unknown),
    ] {
      var rig = try RuleRig(RuleRig.one(text))
      rig.send("press1/pressure", pressure, at: 1)
      rig.send("press1/temperature", 90, at: 1, quality: .bad)
      #expect(rig.engine.instances[0].condition == expected, "\(text) \(pressure)")
    }
  }

  @Test("Uncertain input is evaluated and marked")
  func uncertain() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C"))
    rig.send("press1/temperature", 85, at: 1, quality: [.uncertain, .outOfRange])
    #expect(rig.output.transitions.first?.isUncertain == true)
    #expect(rig.output.transitions.first?.isInputStale == false)
    #expect(rig.output.transitions.first?.value == .number(85))
    #expect(rig.output.transitions.first?.unit == "°C")
  }

  @Test("Time without knowledge neither counts towards a delay nor starts it anew")
  func restingWait() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C", "for: 4 s"))
    for at in [1.0, 2, 3] { rig.send("press1/temperature", 85, at: at) }
    rig.send("press1/temperature", 85, at: 3.5, quality: .bad)
    rig.send("press1/temperature", 85, at: 10)
    rig.send("press1/temperature", 85, at: 11)
    #expect(rig.log == [])
    rig.advance(to: 11.5)
    #expect(rig.log == ["11.5 r@press1 normal>unacknowledged condition"])
  }

  @Test("An interval that nobody declared is learnt; states hold without one")
  func learntInterval() throws {
    var rig = try RuleRig(RuleRig.one("pressure > 5 bar"))
    for step in 0..<20 { rig.send("press1/pressure", 1, at: Double(step) * 4) }
    rig.advance(to: 76 + 11.9)
    #expect(rig.engine.instances[0].condition == .no)
    rig.advance(to: 76 + 12.1)
    #expect(rig.engine.instances[0].condition == .unknown)
    var held = try RuleRig(RuleRig.one("state == \"fault\""))
    for step in 0..<20 { held.send("press1/state", .text("fault"), at: Double(step)) }
    held.advance(to: 90_000)
    #expect(held.engine.instances[0].condition == .yes)
  }

  @Test(
    "Samples that come late change nothing; those that arrive together are judged at their own times"
  )
  func late() throws {
    var rig = try RuleRig(RuleRig.one("pressure > 5 bar", "for: 10 s"))
    rig.send("press1/pressure", .number(1), at: 10)
    rig.send("press1/pressure", .number(9), at: 11, time: 9)
    #expect(rig.engine.lateSamples == 1)
    // A minute of values at once: above the limit from 20 to 40.
    let samples = stride(from: 12.0, through: 70, by: 2).map {
      rig.sample("press1/pressure", .number((20.0...40).contains($0) ? 9 : 1), at: $0)
    }
    rig.engine.observe(samples, at: rig.moment(70), into: &rig.output)
    let alarm = try #require(rig.engine.alarm(AlarmKey(rule: "r", source: "press1")))
    #expect(alarm.statistics.activations == 1)
    #expect(alarm.statistics.longestMicroseconds == 12_000_000)
  }

  @Test("Of two values of one time the last counts; the same one again changes nothing")
  func corrections() throws {
    var rig = try RuleRig(RuleRig.one("count(pressure, 100 samples) >= 3", "min_coverage: 0"))
    for value in [1.0, 1, 1, 2] { rig.send("press1/pressure", .number(value), at: 1, time: 1) }
    #expect(rig.engine.lateSamples == 2)
    #expect(rig.output.transitions.isEmpty)
    #expect(rig.engine.signalValues(0).first?.value == .number(2))
    rig.send("press1/pressure", .number(2), at: 2)
    #expect(rig.isActive())
  }

  @Test("A silent device asks for no ticks: its windows know nothing and learn nothing")
  func silence() throws {
    var rig = try RuleRig(RuleRig.one("mean(pressure, 1 min) > 5 bar"))
    for step in 0...90 { rig.send("press1/pressure", 1, at: Double(step)) }
    #expect(rig.engine.nextDeadline() != nil)
    rig.advance(to: 600)
    #expect(rig.engine.nextDeadline() == nil)
    rig.send("press1/pressure", 1, at: 601)
    #expect(rig.engine.nextDeadline() != nil)
  }

  @Test("A source that sets its clock back is believed again after a while")
  func clockSetBack() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C"))
    for at in [1.0, 2, 3] { rig.send("press1/temperature", .number(20), at: at, time: at + 3_600) }
    for at in [4.0, 5, 6, 7, 8, 9, 10] { rig.send("press1/temperature", .number(90), at: at) }
    #expect(rig.state() == .unacknowledged)
  }

  // MARK: - Functions

  @Test("A mean over a window speaks when four fifths of it are covered")
  func mean() throws {
    var rig = try RuleRig(RuleRig.one("mean(temperature, 60 s) > 80 °C"))
    for step in 0..<60 { rig.send("press1/temperature", 90, at: Double(step)) }
    #expect(rig.log == ["48 r@press1 normal>unacknowledged condition"])
  }

  @Test("Rates are per second and compare in any unit of their kind")
  func rate() throws {
    var rig = try RuleRig(RuleRig.one("rate(cycles, 1 min) < 30 {count}/min"))
    for step in 0..<100 { rig.send("press1/cycles", Double(step * 10 % 1_000), at: Double(step)) }
    #expect(rig.engine.instances[0].condition == .no)
    #expect(abs(rig.engine.instances[0].value - 10) < 1e-9)
    for step in 100..<200 { rig.send("press1/cycles", 990, at: Double(step)) }
    #expect(rig.engine.instances[0].condition == .yes)
  }

  @Test("Rising edges and events are counted over a window, and forgotten after it")
  func counts() throws {
    var rig = try RuleRig(RuleRig.one("count_of(jam, 60 s) >= 3", "min_coverage: 0"))
    rig.send("press1/jam", .boolean(false), at: 1)
    for at in [2.0, 4, 6] {
      rig.send("press1/jam", .boolean(true), at: at)
      rig.send("press1/jam", .boolean(false), at: at + 1)
    }
    #expect(rig.isActive())
    rig.advance(to: 70)
    #expect(!rig.isActive())
    var events = try RuleRig(
      RuleRig.one("count_of(event(\"Rejected\"), 60 s) >= 3", "min_coverage: 0"))
    for (number, device) in ["press1", "press1", "press2", "press1"].enumerated() {
      let event = Event(
        id: "\(number)", name: "Rejected", time: events.moment(5).wall, device: device)
      #expect(!events.isActive())
      events.engine.eventHappened(event, at: events.moment(5), into: &events.output)
    }
    #expect(events.isActive())
  }

  @Test("Each press of a button counts, also with the same text")
  func pulses() throws {
    var rig = try RuleRig(RuleRig.one("count_of(button == \"stop\", 60 s) >= 3", "min_coverage: 0"))
    for at in [1.0, 2, 3] { rig.send("press1/button", .text("stop"), at: at) }
    #expect(rig.isActive())
  }

  @Test("A value that does not move is stuck; one that is not there is missing, not stuck")
  func stuckAndMissing() throws {
    var stuck = try RuleRig(RuleRig.one("stuck(temperature, 10 s, 0.2 K)"))
    for step in 0...9 {
      stuck.send("press1/temperature", 50 + Double(step % 2) * 0.1, at: Double(step))
    }
    #expect(stuck.log == [])
    stuck.send("press1/temperature", 50, at: 10)
    #expect(stuck.log == ["10 r@press1 normal>unacknowledged condition"])
    stuck.send("press1/temperature", 60, at: 11)
    #expect(!stuck.isActive())
    var missing = try RuleRig(RuleRig.one("missing(temperature, 10 s)"))
    missing.send("press1/temperature", 50, at: 5)
    missing.advance(to: 40)
    #expect(missing.log == ["15 r@press1 normal>unacknowledged condition"])
    missing.send("press1/temperature", 50, at: 41)
    #expect(!missing.isActive())
  }

  @Test("What has never come is missing as well")
  func neverCame() throws {
    var rig = try RuleRig(RuleRig.one("missing(temperature, 10 s)"))
    rig.advance(to: 30)
    #expect(rig.log == ["10 r@press1 normal>unacknowledged condition"])
  }

  @Test("After a restart missing data is missing from then on")
  func restarts() throws {
    for isRestart in [true, false] {
      var rig = try RuleRig(RuleRig.one("missing(temperature, 10 s)"))
      rig.send("press1/temperature", 50, at: 5)
      if isRestart {
        rig.engine.restarted(at: rig.moment(100))
      } else {
        rig.engine.reconnected(at: rig.moment(100))
      }
      rig.advance(to: 109)
      #expect(rig.log == [])
      rig.advance(to: 111)
      #expect(rig.log == ["110 r@press1 normal>unacknowledged condition"])
    }
  }

  @Test("Hysteresis, changed and previous remember")
  func memories() throws {
    var latch = try RuleRig(RuleRig.one("hysteresis(temperature, 70 °C, 80 °C)"))
    for (at, value, expected) in [
      (1.0, 75.0, false), (2, 81, true), (3, 75, true), (4, 69, false), (5, 75, false),
    ] {
      latch.send("press1/temperature", value, at: at)
      #expect(latch.isActive() == expected)
    }
    var step = try RuleRig(RuleRig.one("temperature - previous(temperature) > 5 K"))
    for (at, value) in [(1.0, 20.0), (2, 24), (3, 30), (4, 31)] {
      step.send("press1/temperature", value, at: at)
    }
    #expect(step.log.first == "3 r@press1 normal>unacknowledged condition")
    var changed = try RuleRig(RuleRig.one("changed(state)"))
    for (at, word) in [(1.0, "idle"), (2, "idle"), (3, "running"), (4, "running")] {
      changed.send("press1/state", .text(word), at: at)
    }
    #expect(
      changed.log == [
        "3 r@press1 normal>unacknowledged condition",
        "3 r@press1 unacknowledged>returned_unacknowledged condition",
      ])
  }

  @Test("A sequence wants its parts in order and in time")
  func sequences() throws {
    for (first, second, isMet) in [(1.0, 20.0, true), (1, 40, false), (5, 2, false), (3, 3, true)] {
      var rig = try RuleRig(RuleRig.one("jam then state == \"fault\" within 30 s"))
      rig.send("press1/state", .text("running"), at: 0.5)
      rig.send("press1/jam", .boolean(false), at: 0.5)
      var steps: [(Double, String, Value)] = [
        (first, "press1/jam", .boolean(true)), (first + 0.5, "press1/jam", .boolean(false)),
        (second, "press1/state", .text("fault")),
      ]
      steps.sort { $0.0 < $1.0 }
      for (at, name, value) in steps { rig.send(name, value, at: at) }
      #expect(rig.isActive() == isMet, "\(first) \(second)")
    }
  }

  @Test("Text literals match words that become known only later")
  func words() throws {
    var rig = try RuleRig(RuleRig.one("state in {fault, setup}"))
    rig.send("press1/state", .text("running"), at: 1)
    #expect(rig.state() == .normal)
    rig.send("press1/state", .text("setup"), at: 2)
    #expect(rig.state() == .unacknowledged)
  }

  // MARK: - Scope

  @Test("One rule serves every press; each has an alarm of its own")
  func scope() throws {
    var rig = try RuleRig("rules: [{id: r, scope: {profile: press}, when: temperature > 80 °C}]")
    rig.send("press2/temperature", 90, at: 1)
    #expect(rig.state("r", "press1") == .normal)
    #expect(rig.state("r", "press2") == .unacknowledged)
    #expect(rig.state("r", "pump1") == nil)
  }

  @Test("A rule over assets compares signals of the devices below each")
  func assets() throws {
    var rig = try RuleRig(
      """
      rules:
        - id: r
          scope: {asset: acme/hall/line*}
          when: ./press/temperature > ./pump/temperature + 20 K
      """)
    #expect(rig.state("r", "acme/hall/line2") == .normal)
    rig.send("press1/temperature", 65, at: 1)
    rig.send("pump1/temperature", 104, at: 1)
    #expect(rig.state("r", "acme/hall/line1") == .unacknowledged)
    #expect(
      rig.output.transitions.last?.values.map(\.name) == [
        "./press/temperature", "./pump/temperature",
      ])
  }

  @Test("A device that moves takes its alarm out of the scope")
  func moves() throws {
    var rig = try RuleRig(
      "rules: [{id: r, scope: {asset: acme/hall/line1}, when: temperature > 80 °C}]")
    rig.send("press1/temperature", 90, at: 1)
    rig.define(
      .device(DeviceDefinition(index: 0, id: "press1", profile: "press", asset: "acme/store")))
    rig.advance(to: 2)
    #expect(rig.log.last == "1 r@press1 unacknowledged>normal scope_changed")
    #expect(rig.state() == nil)
  }

  // MARK: - Communication and causes

  @Test("A device that goes offline raises one alarm and silences its missing-data alarms")
  func offline() throws {
    var rig = try RuleRig(
      """
      rules:
        - {id: gone, scope: {profile: press}, when: "missing(temperature, 10 s)"}
        - {id: hot, scope: {profile: press}, when: temperature > 80 °C}
      """)
    rig.send("press1/temperature", 90, at: 1)
    rig.goneOffline(0, at: 2)
    rig.advance(to: 60)
    #expect(
      rig.log.filter { $0.contains("press1") } == [
        "1 hot@press1 normal>unacknowledged condition",
        "2 device_offline@press1 normal>unacknowledged condition",
        "2 gone@press1 normal>suppressed suppressed",
        "2 hot@press1 unacknowledged>unacknowledged input_lost",
      ])
    #expect(rig.state("gone", "press2") == .unacknowledged)
    rig.send("press1/pressure", 1, at: 61)
    #expect(rig.state("device_offline", "press1") == .returnedUnacknowledged)
    #expect(rig.state("gone", "press1") == .normal)
    rig.advance(to: 72)
    #expect(rig.state("gone", "press1") == .unacknowledged)
  }

  @Test("The communication alarm can be set up and turned off")
  func communication() throws {
    var rig = try RuleRig("communication: {priority: high, on_delay: 10 s, console: it}")
    rig.goneOffline(0, at: 1)
    rig.advance(to: 20)
    #expect(rig.log == ["11 device_offline@press1 normal>unacknowledged condition"])
    #expect(rig.output.transitions.first?.priority == .high)
    let off = try RuleRig("communication: {enabled: false}")
    #expect(off.engine.alarms.isEmpty)
  }

  @Test("An alarm is silenced while its cause is active, and comes back after it")
  func causes() throws {
    var rig = try RuleRig(
      """
      rules:
        - {id: hot, scope: {profile: press}, when: temperature > 80 °C, suppressed_by: [dry, line]}
        - {id: dry, scope: {profile: press}, when: pressure < 1 bar}
        - {id: line, scope: {asset: "acme/hall/line*"}, when: ./pump/flow < 1 m³/h}
      """)
    rig.send("press1/pressure", 0, at: 1)
    rig.send("press1/temperature", 90, at: 2)
    #expect(rig.state("hot") == .suppressed)
    rig.send("press1/pressure", 5, at: 3)
    #expect(rig.state("hot") == .unacknowledged)
    rig.send("pump1/flow", 0.5, at: 4)
    #expect(rig.state("hot") == .suppressed)
    #expect(rig.state("hot", "press2") == .normal)
    rig.send("press1/temperature", 50, at: 5)
    rig.send("pump1/flow", 5, at: 6)
    #expect(rig.state("hot") == .normal)
  }

  @Test("suppress_when silences while it holds")
  func suppressWhen() throws {
    var rig = try RuleRig(
      RuleRig.one("temperature > 80 °C", "suppress_when: state == \"setup\""))
    rig.send("press1/state", .text("setup"), at: 1)
    rig.send("press1/temperature", 90, at: 2)
    #expect(rig.state() == .suppressed)
    rig.send("press1/state", .text("running"), at: 3)
    #expect(rig.state() == .unacknowledged)
  }

  // MARK: - Actions

  @Test("Actions carry their texts, at most once per span")
  func actions() throws {
    var rig = try RuleRig(
      RuleRig.one(
        "temperature > 80 °C",
        """
        description: Oil too hot
        priority: high
        at_most_once_per: 1 min
        text: {en: "{device} has {value} {unit}", pt-BR: "{device} está a {value} {unit}"}
        actions:
          - alarm
          - event: {name: PressHot}
          - mqtt: {topic: "plant/{device}/hot", payload: "{\\"v\\": {value}, \\"p\\": \\"{priority}\\"}", qos: 1, retain: true, at: both}
          - webhook: {url: "https://hooks.example.org/1", secret: hooks, format: slack}
          - email: {to: [shift@example.org], subject: "{text}"}
          - log: {level: error}
        """))
    rig.send("press1/temperature", 81.25, at: 1)
    #expect(
      rig.output.effects.map(\.kind) == [
        .event(name: "PressHot"),
        .mqtt(
          topic: "plant/press1/hot", payload: #"{"v": 81.25, "p": "high"}"#, qos: 1,
          isRetained: true),
        .webhook(
          url: "https://hooks.example.org/1", secret: "hooks", format: .slack,
          body: #"{"text": "press1 has 81.25 °C"}"#),
        .email(
          to: ["shift@example.org"], subject: "press1 has 81.25 °C", body: "press1 has 81.25 °C"),
        .log(.error, text: "press1 has 81.25 °C"),
      ])
    #expect(rig.output.transitions[0].textPT == "press1 está a 81.25 °C")
    rig.output.removeAll()
    for at in [2.0, 4] {
      rig.send("press1/temperature", 20, at: at)
      rig.send("press1/temperature", 90, at: at + 1)
    }
    #expect(rig.output.effects.count == 2, "only that it is cleared")
    rig.output.removeAll()
    rig.send("press1/temperature", 20, at: 69)
    rig.send("press1/temperature", 90, at: 70)
    #expect(rig.output.effects.first { $0.isRaised }?.leftOut == 2)
  }

  @Test("A shelved alarm does nothing, and its shelf time ends by itself")
  func shelf() throws {
    var rig = try RuleRig(
      RuleRig.one("temperature > 80 °C", "shelve_max: 1 h\nactions: [alarm, log]"))
    #expect(rig.command(.shelve(.seconds(7_200))) == .shelfTime(maximum: .seconds(3_600)))
    #expect(rig.command(.shelve(.seconds(10))) == nil)
    rig.send("press1/temperature", 90, at: 1)
    #expect(rig.output.effects.isEmpty && rig.state() == .shelved)
    for at in 2...9 { rig.send("press1/temperature", 90, at: Double(at)) }
    rig.advance(to: 11)
    #expect(rig.log.last == "10 r@press1 shelved>unacknowledged shelf_time_over")
    let shelved = try #require(rig.output.transitions.first)
    #expect(shelved.principal == "anna" && shelved.remark == "seen")
  }

  @Test("Commands are refused with the reason")
  func refusals() throws {
    var rig = try RuleRig(RuleRig.one("temperature > 80 °C"))
    #expect(rig.command(.acknowledge) == .isNormal)
    #expect(rig.command(.acknowledge, "nobody")?.code == "unknown_alarm")
    #expect(rig.command(.unshelve) == .isNotShelved)
    #expect(rig.command(.reset) == .isNotLatched)
    rig.send("press1/temperature", 90, at: 1)
    #expect(rig.command(.acknowledge) == nil)
    #expect(rig.command(.acknowledge) == .isAcknowledgedAlready)
    #expect(rig.command(.takeOutOfService) == nil)
    #expect(rig.command(.acknowledge) == .isSilent(.outOfService))
    #expect(rig.output.transitions.count == 3)
  }
}
