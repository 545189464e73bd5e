import Devices
import Telemetry
import Testing

@testable import Rules

@Suite struct RuleReadingTests {
  static func diagnostics(_ yaml: String) throws -> [String] {
    RuleSet.read(
      [ConfigurationFile(name: "r.yaml", content: yaml)], configuration: try RuleRig.configuration()
    ).diagnostics.map(\.description)
  }

  /// The diagnostics of a rule whose `when` stands at line 4 from column 12 on.
  static func problems(_ when: String, _ more: String = "") throws -> [String] {
    try diagnostics(
      """
      rules:
        - id: r
          scope: {profile: press}
          when: '\(when)'
      \(more)
      """)
  }

  @Test(
    "Types and units are checked, with the place inside the expression",
    arguments: [
      ("temperature > 80 bar", 26, "bar (pressure) and °C (temperature) measure different things"),
      (
        "temperture > 80 °C", 12,
        "unknown metric `temperture` in profile `press`, did you mean `temperature`?"
      ),
      ("raw > 80 °C", 12, "the unit of `raw` is not known: declare its `unit`"),
      ("temperature", 12, "this must be a condition"),
      ("temperature + 1", 12, "this must be a condition"),
      ("state > 3", 20, "a text cannot be compared with a number"),
      ("state > \"idle\"", 12, "compares numbers"),
      ("jam == 3", 19, "a condition (true or false) cannot be compared with a number"),
      ("not temperature", 16, "wants a condition"),
      ("temperature and jam", 12, "wants conditions"),
      ("state + 1 > 2", 12, "a number is needed"),
      ("temperature + pressure > 3", 26, "measure different things"),
      ("pressure > temperature", 23, "measure different things"),
      ("meen(temperature, 5 min) > 3 °C", 12, "unknown function `meen`, did you mean `mean`?"),
      ("mean(temperature) > 3 °C", 12, "mean(signal, window)"),
      ("mean(temperature, 5 bar) > 3 °C", 30, "a duration such as"),
      ("mean(temperature, 0.1 s) > 3 °C", 30, "at least 1 s"),
      ("mean(temperature, 40 d) > 3 °C", 30, "at most 31 d"),
      ("mean(temperature, 5000 samples) > 3 °C", 30, "2 to 1000 samples"),
      ("percentile(temperature, 120, 5 min) > 3 °C", 36, "from 0 to 100"),
      ("time_in_state(temperature, 5 min) > 3 s", 26, "wants a condition"),
      ("missing(temperature + 1 °C, 5 min)", 20, "not a computed value"),
      ("hysteresis(temperature, 80 °C, 70 °C)", 36, "not below"),
      ("stuck(temperature, 5 min, 3 bar)", 38, "measure different things"),
      ("good/cycles < 0.9", 12, "put blanks around `/`"),
      (
        "press1/temprature > 5 °C", 12,
        "unknown metric `temprature` of device `press1`, did you mean"
      ),
      ("event(3)", 12, "event(\"PartRejected\")"),
      ("20 samples > 3", 12, "stands as the window"),
    ])
  func checks(_ when: String, _ column: Int, _ part: String) throws {
    let problems = try Self.problems(when)
    #expect(problems.count == 1)
    #expect(
      problems.first?.hasPrefix("r.yaml:4:\(column): error: ") == true
        && problems.first?.contains(part) == true, "\(problems)")
  }

  @Test(
    "What is right is taken without a word",
    arguments: [
      "temperature > 80 °C", "temperature > 176 °F", "temperature > 350 K", "pressure < 30 psi",
      "pressure < 3000 mbar", "speed > 20 Hz", "power > 12000 W", "load > 0.9", "load > 95 %",
      "scrap / (good + scrap) > 5 %", "temperature - previous(temperature) > 5 K",
      "temperature > pump1/temperature + 10 K", "rate(temperature, 5 min) > 2 °C/min",
      "rate(cycles, 5 min) < 10 {count}/min", "slope(pressure, 1 h) < -0.1 bar/h",
      "delta(good, 1 h) < 10 {count}", "stddev(temperature, 1 min) > 2 K",
      "abs(temperature) > 5 °C",
      "power * 1 h > 10 kWh", "state in {idle, setup} and jam", "state == \"fault\"",
      "time_in_state(state == \"running\", 10 min) < 5 min", "count_of(jam, 10 min) > 3",
      "count_of(event(\"PartRejected\"), 10 min) >= 3", "stuck(temperature, 10 min, 0.1 K)",
      "missing(temperature, 2 min)", "age(temperature) > 2 min", "changed(state)",
      "deadband(temperature, 0.5 K) > 80 °C", "hysteresis(temperature, 70 °C, 80 °C)",
      "jam then state == \"fault\" within 30 s", "raw > 3", "p95(temperature, 10 min) > 80 °C",
      "percentile(temperature, 99 %, 10 min) > 80 °C", "mean(temperature, 20 samples) > 80 °C",
      "max(temperature - 20 °C, 1 min) > 50 K", "button == \"stop\"",
      "count(temperature, 1 min) < 20",
    ])
  func right(_ when: String) throws {
    #expect(try Self.problems(when).filter { !$0.contains("number without unit") } == [])
  }

  @Test("Left-out units and words that are never sent are warned of")
  func warnings() throws {
    #expect(
      try Self.problems("temperature > 80") == [
        "r.yaml:4:26: warning: a number without unit is taken to be in °C; write the unit behind it"
      ])
    let problems = try Self.problems("state == \"runing\"")
    #expect(problems.count == 1)
    #expect(problems[0].hasPrefix("r.yaml:4:21: warning: `state` is never declared to be `runing`"))
    #expect(problems[0].hasSuffix("did you mean `running`?"))
  }

  @Test("Keys, ids, causes and schedules are checked, with the nearest name")
  func keys() throws {
    let yaml = """
      schedules:
        - {id: early, from: 06:00, to: 14:00}
        - {id: early, from: 6, to: 14:00}
      rules:
        - id: a
          scope: {profile: press}
          when: jam
          prioritty: high
        - id: a
          scope: {profil: press}
          when: jam
          for: 5
          schedule: erly
        - id: b
          when: jam
          suppressed_by: [aa]
          text: "{devise} hot"
        - id: c
          scope: {profile: press}
          when: jam
          for: 3 s
          on_delay: 3 s
          actions: [alram, {mqtt: {topic: a/#, payload: "{", qos: 4}}, {email: {to: [x], subject: s}}]
      """
    let found = try Self.diagnostics(yaml)
    for part in [
      "r.yaml:3:23: error: `6` is no time of day such as `06:00`",
      "r.yaml:8:5: error: unknown key `prioritty`, did you mean `priority`?",
      "r.yaml:9:9: error: duplicate rule id `a`, first at r.yaml:5:9",
      "r.yaml:10:13: error: unknown key `profil`, did you mean `profile`?",
      "r.yaml:12:10: error: `rules[1].for` must be a duration",
      "r.yaml:13:15: error: `erly` is not one of `early`, did you mean `early`?",
      "r.yaml:14:5: error: `scope` is missing",
      "r.yaml:16:20: error: unknown rule `aa`",
      "r.yaml:17:11: error: `{devise}` is nothing that can be shown, did you mean `{device}`?",
      "error: `for` and `on_delay` both say", "`alram` is not one of `alarm`",
      "from 0 to 2", "no wildcard", "`x` is no e-mail address",
    ] {
      #expect(found.contains { $0.contains(part) }, "\(part) not in \(found)")
    }
  }

  @Test("The place inside an expression is right in every style of scalar")
  func styles() throws {
    let yaml = """
      rules:
        - id: a
          scope: {profile: press}
          when: jam and temprature > 3 °C
        - id: b
          scope: {profile: press}
          when: >
            jam
            and temprature > 3 °C
        - id: c
          scope: {profile: press}
          when: |
            jam and
              temprature > 3 °C
        - id: d
          scope: {profile: press}
          when: "jam and temprature > 3 °C"
      """
    let places = try Self.diagnostics(yaml).map { $0.prefix { $0 != " " } }
    #expect(places == ["r.yaml:4:19:", "r.yaml:9:11:", "r.yaml:14:9:", "r.yaml:17:20:"])
  }

  @Test("Rules over assets need an asset and signals below it")
  func assets() throws {
    #expect(
      try Self.problems("./press/temperature > 80 °C").first?.contains("needs `scope: {asset: …}`")
        == true)
    #expect(
      try Self.diagnostics(
        """
        rules:
          - {id: r, scope: {asset: acme/hall/*}, when: "./press/temperature > temperature"}
        """
      ).first?.contains("watches assets") == true)
  }

  @Test("A deadband needs a comparison of its unit, and excludes `clear`")
  func deadband() throws {
    #expect(
      try Self.problems("temperature > 80 °C", "    deadband: 2 bar").first?.contains(
        "no comparison in `when` has the unit") == true)
    #expect(
      try Self.problems(
        "temperature > 80 °C", "    deadband: 2 K\n    clear: temperature < 70 °C"
      ).first?.contains("keep one") == true)
  }

  @Test("The condition hash tells what matters from what does not")
  func hashes() throws {
    func hash(_ when: String, _ more: String = "") throws -> UInt64 {
      try #require(try RuleRig.rules(RuleRig.one(when, more)).rule("r")).conditionHash
    }
    let plain = try hash("temperature > 80 °C")
    #expect(try hash("temperature  >  80 °C") == plain)
    #expect(
      try hash("temperature > 80 °C", "priority: high\ntext: hot\nactions: [alarm, log]") == plain)
    #expect(try hash("temperature > 81 °C") != plain)
    #expect(try hash("temperature > 80 °C", "for: 3 s") != plain)
    #expect(try hash("temperature > 80 °C", "latched: true") != plain)
    #expect(try hash("temperature > 80 °C", "deadband: 1 K") != plain)
  }
}
