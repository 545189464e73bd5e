import Telemetry
import Testing

@testable import Devices

@Suite struct DesiredYAMLTests {
  /// A profile with one writable property, whose keys stand from line 9 on, column 11.
  static func yaml(_ keys: String, metrics: String = "") -> String {
    let lines = keys.split(separator: "\n").map { "          \($0)\n" }.joined()
    return """
      profiles:
        - id: conveyor
          metrics:
            speed: {unit: m/s, range: [0, 2.5], deadband: 0.01}
            state: {values: [running, idle]}
            parts: {kind: counter}
      \(metrics.isEmpty ? "      jam: {type: boolean}" : metrics)
          desired:
            speed:

      """ + lines
  }

  @Test("What is left out comes from the metric or has its documented default")
  func defaults() throws {
    let configuration = try Fixture.configuration(
      Self.yaml("permitted_when: {state: [running]}"))
    let property = try #require(configuration.profiles.first?.desired.first)
    #expect(property.name == "speed" && property.metric == "speed" && property.unit?.code == "m/s")
    #expect(property.range == 0...2.5 && property.tolerance == 0.01 && property.allowed.isEmpty)
    #expect(property.expires == .seconds(30) && property.timeout == .seconds(120))
    #expect(property.rateLimit == .seconds(5) && property.payload == .standard)
    #expect(property.permittedWhen == [PermittingState(metric: "state", words: ["running"])])
  }

  @Test("Another unit of the same quantity takes range and tolerance along")
  func unit() throws {
    let configuration = try Fixture.configuration(
      Self.yaml("unit: km/h\npermitted_when: always"))
    let property = try #require(configuration.profiles.first?.desired.first)
    #expect(property.range == 0...9 && (property.tolerance - 0.036).magnitude < 1e-12)
    #expect(property.permittedWhen.isEmpty)
  }

  @Test("Without `desired` nothing can be set")
  func off() throws {
    let configuration = try Fixture.configuration("profiles: [{id: a, metrics: {b: {}}}]")
    #expect(configuration.profiles[0].desired.isEmpty)
  }

  @Test(
    "What would not be safe is refused where it stands",
    arguments: [
      (
        "tolerance: 0.1",
        "10:11: error: `permitted_when` is missing in `profiles[0].desired.speed`: name the states in which it may be set, or write `always`"
      ),
      (
        "permitted_when: whenever",
        "10:27: error: `profiles[0].desired.speed.permitted_when` must be `always` or a map such as {state: [running, idle]}, found `whenever`"
      ),
      (
        "permitted_when: {}", "10:27: error: `permitted_when` must not be empty"
      ),
      (
        "permitted_when: {stat: [running]}",
        "10:28: error: the profile has no metric `stat`, did you mean `state`?"
      ),
      (
        "permitted_when: {state: [runing]}",
        "10:36: error: `runing` is not one of `running`, `idle`, did you mean `running`?"
      ),
      (
        "permitted_when: {state: []}",
        "10:35: error: `profiles[0].desired.speed.permitted_when.state` must not be empty"
      ),
      (
        "permitted_when: {jam: [no]}", "10:34: error: `no` is not one of `true`, `false`"
      ),
      (
        "permitted_when: {speed: [1]}",
        "10:28: error: a permitting state is text or boolean, but `speed` is a number"
      ),
      (
        "permitted_when: always\nmetric: sped",
        "11:19: error: the profile has no metric `sped`, did you mean `speed`?"
      ),
      (
        "permitted_when: always\nmetric: parts\nrange: [0, 1]",
        "10:11: error: `parts` is of kind counter and cannot be set"
      ),
      (
        "permitted_when: always\nrange: [0, ~]",
        "11:18: error: the range of a property that can be set has two ends"
      ),
      (
        "permitted_when: always\nunit: bar",
        "11:17: error: `bar` does not measure what `speed` in `m/s` does"
      ),
      (
        "permitted_when: always\ntolerance: -1",
        "11:22: error: `tolerance` must not be negative"
      ),
      (
        "permitted_when: always\ntopic: a/+/b",
        "11:18: error: `a/+/b` is no topic to publish on: wildcards are for subscribers"
      ),
      (
        "permitted_when: always\ntopic: a/{value}",
        "11:18: error: there is no place `{value}` here; there are `{device}`, `{property}`"
      ),
      (
        "permitted_when: always\ntopic: a/{devce}",
        "11:18: error: there is no place `{devce}` here, did you mean `{device}`?"
      ),
      (
        #"permitted_when: always"# + "\n" + #"payload: '{"v": {value}}'"#,
        #"11:20: error: `{"v": {value}` is no place; a JSON payload is written as a YAML map"#
      ),
      (
        "permitted_when: always\npayload: {v: ['{valu}']}",
        "11:25: error: there is no place `{valu}` here, did you mean `{value}`?"
      ),
      (
        "permitted_when: always\nexpires: 3 min",
        "11:20: error: `timeout` must not be shorter than `expires`: the command could still be on its way"
      ),
      ("permitted_when: always\nexpires: 0 s", "11:20: error: `expires` must be above 0"),
      (
        "permitted_when: always\nrate_limt: 5 s",
        "11:11: error: unknown key `rate_limt`, did you mean `rate_limit`?"
      ),
    ])
  func refused(keys: String, expected: String) {
    #expect(problems(Self.yaml(keys)) == ["a.yaml:" + expected])
  }

  @Test("A number without a range and a text without words say what is missing")
  func open() {
    #expect(
      problems(
        Self.yaml("permitted_when: always\nmetric: x", metrics: "      x: {}"))
        == [
          "a.yaml:10:11: error: `range` is missing in `profiles[0].desired.speed`: say between which values it may be set"
        ])
    #expect(
      problems(
        Self.yaml("permitted_when: always\nmetric: x", metrics: "      x: {type: text}"))
        == [
          "a.yaml:10:11: error: `values` is missing in `profiles[0].desired.speed`: say which words may be set"
        ])
    #expect(
      problems(
        Self.yaml(
          "permitted_when: always\nmetric: x\nvalues: [a, b]\nrange: [0, 1]",
          metrics: "      x: {type: text}"))
        == ["a.yaml:13:18: error: `range` is for numbers, but `x` is text"])
  }

  @Test("Allowed numbers may stand in for a range, and allowed words are a choice of the metric's")
  func values() throws {
    let numbers = try Fixture.configuration(
      Self.yaml("permitted_when: always\nmetric: x\nvalues: [1, 2.5]", metrics: "      x: {}"))
    #expect(numbers.profiles[0].desired[0].allowed == [.number(1), .number(2.5)])
    #expect(
      problems(Self.yaml("permitted_when: always\nmetric: state\nvalues: [idle, off]"))
        == ["a.yaml:12:26: error: `off` is not one of `running`, `idle`"])
  }
}
