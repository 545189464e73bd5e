import Devices
import Telemetry
import Testing

/// Loads one file called `a.yaml` and gives its problems as text.
func problems(_ text: String) -> [String] {
  DeviceConfiguration.load(files: [ConfigurationFile(name: "a.yaml", content: text)])
    .diagnostics.map(\.description)
}

@Suite struct DiagnosticTests {
  @Test("An unknown key is refused where it stands, with a suggestion")
  func unknownKey() {
    #expect(
      problems(
        """
        profiles:
          - id: press
            metrics:
              temperature:
                uint: bar
        """) == ["a.yaml:5:9: error: unknown key `uint`, did you mean `unit`?"])
    #expect(
      problems("profile: []") == [
        "a.yaml:1:1: error: unknown key `profile`, did you mean `profiles`?"
      ])
    #expect(problems("zebra: 1") == ["a.yaml:1:1: error: unknown key `zebra`"])
  }

  @Test("All problems of all files are reported in one run, in order")
  func all() {
    let (configuration, diagnostics) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "b.yaml", content: "devices:\n  - {id: x, profile: pres}\n  - {}"),
      ConfigurationFile(name: "a.yaml", content: "profiles:\n  - {id: press, color: red}"),
    ])
    #expect(configuration == nil)
    #expect(
      diagnostics.map(\.description) == [
        "b.yaml:2:22: error: unknown profile `pres`, did you mean `press`?",
        "b.yaml:3:5: error: `id` is missing in `devices[1]`",
        "a.yaml:2:17: error: unknown key `color`",
      ])
  }

  @Test(
    "Each wrong value is named with its place",
    arguments: [
      ("profiles: 5", "1:11: error: `profiles` must be a list, found `5`"),
      ("- a", "1:1: error: the file must be a map, found a list"),
      ("profiles: [5]", "1:12: error: `profiles[0]` must be a map, found `5`"),
      (
        "devices: [{id: [a]}]",
        "1:16: error: `devices[0].id` must be a name of 1 to 128 bytes without control characters, found a list"
      ),
      ("devices: [{id: a/b}]", "1:16: error: a device id must not hold a slash: `a/b`"),
      (
        "devices: [{id: a, asset: x//y}]",
        "1:26: error: `x//y` is not an asset path such as `enterprise/site/area/line/unit`"
      ),
      (
        "devices: [{id: a, topic: a/b+}]",
        "1:26: error: `b+`: a wildcard or capture must be a whole level"
      ),
      ("devices: [{id: a}, {id: a}]", "1:25: error: duplicate device id `a`, first at a.yaml:1:16"),
      (
        "profiles: [{id: a}, {id: a}]",
        "1:26: error: duplicate profile id `a`, first at a.yaml:1:17"
      ),
      ("routes: [{topic: a/#, profile: nix}]", "1:32: error: unknown profile `nix`"),
      ("routes: [{format: json}]", "1:10: error: `topic` is missing in `routes[0]`"),
      (
        "routes: [{topic: a/#/b}]",
        "1:18: error: `#` and `{name#}` must be the last level of `a/#/b`"
      ),
      (
        "routes: [{topic: 'a/{x}/{x}'}]",
        "1:18: error: the capture `{x}` appears twice in `a/{x}/{x}`"
      ),
      (
        "routes: [{topic: 'a/{x y}'}]",
        "1:18: error: `{x y}` is not a capture: use letters, digits and `_`"
      ),
      (
        "routes: [{topic: 'a/{line}', device: '{lne}'}]",
        "1:38: error: the topic has no capture `{lne}`, did you mean `{line}`?"
      ),
      ("routes: [{topic: 'a/{b}', device: '{b'}]", "1:35: error: `{` without `}` in `{b`"),
      (
        "routes: [{topic: a, format: jsno}]",
        "1:29: error: `jsno` is not one of `json`, `device`, `line`, `scalar`, `senml`, `senml_cbor`, `auto`, did you mean `json`?"
      ),
      ("routes: [{topic: a, format: line, map: {}}]", "1:40: error: `map` is for format json"),
      (
        "routes: [{topic: a, format: json, metric: x}]",
        "1:43: error: `metric` is for format scalar"
      ),
      (
        "routes: [{topic: a, format: json, line_precision: ms}]",
        "1:51: error: `line_precision` is for format line"
      ),
      (
        "routes: [{topic: a, ignore: true, device: x}]",
        "1:35: error: `device` says nothing on a route with `ignore: true`"
      ),
      (
        "routes: [{topic: a, ignore: yes}]",
        "1:29: error: `routes[0].ignore` must be true or false, found `yes`"
      ),
      (
        "routes: [{topic: a, map: {rest: tak}}]",
        "1:33: error: `tak` is not one of `take`, `ignore`, did you mean `take`?"
      ),
      (
        "routes: [{topic: a, map: {metrics: {p: {unit: mbr}}}}]",
        "1:47: error: unknown unit `mbr`, did you mean `mbar`?"
      ),
      (
        "settings: {far_future: 1}",
        "1:24: error: `settings.far_future` must be a duration such as `20 s` or `5 min`, found `1`"
      ),
      (
        "settings: {quarantine_payload_max: 1 KK}",
        "1:36: error: `settings.quarantine_payload_max` must be a size such as `64 MiB`, found `1 KK`"
      ),
      (
        "settings: {words_max: 0}",
        "1:23: error: `settings.words_max` must be a whole number from 1 to 10000000, found `0`"
      ),
      (
        "settings: {unknown_devices: adpot}",
        "1:29: error: `adpot` is not one of `adopt`, `quarantine`, did you mean `adopt`?"
      ),
      ("settings: {}\nsettings: {}", "1:1: error: the key `settings` appears twice in one map"),
      (
        "devices: [{id: a, topic: x/+}]\nroutes: [{topic: 'x/{y}'}]",
        "2:18: warning: `x/{y}` matches the same topics as the pattern at a.yaml:1:26 and is never used"
      ),
    ])
  func places(text: String, expected: String) {
    #expect(problems(text) == ["a.yaml:" + expected])
  }

  @Test(
    "A metric that contradicts itself is refused",
    arguments: [
      ("unit: baar", "5:15: error: unknown unit `baar`, did you mean `bar`?"),
      (
        "range: [5, 1]",
        "5:16: error: `profiles[0].metrics.m.range` has its low end 5.0 not below its high end 1.0"
      ),
      ("range: [5]", "5:16: error: `profiles[0].metrics.m.range` must be two numbers: [low, high]"),
      (
        "range: [0, .inf]",
        "5:20: error: `profiles[0].metrics.m.range[1]` must be a number, found `.inf`"
      ),
      (
        "deadband: '1'", "5:19: error: `profiles[0].metrics.m.deadband` must be a number, found `1`"
      ),
      ("deadband: -1", "5:19: error: `deadband` must not be negative"),
      (
        "kind: guage",
        "5:15: error: `guage` is not one of `gauge`, `counter`, `state`, `event`, did you mean `gauge`?"
      ),
      ("type: float", "5:15: error: `float` is not one of `number`, `boolean`, `text`"),
      (
        "rollover: 10",
        "5:19: error: `rollover` is for counters, but `profiles[0].metrics.m` is a gauge"
      ),
      (
        "values: 3",
        "5:17: error: `profiles[0].metrics.m.values` must be a list of words or a map from raw values to words, found `3`"
      ),
      ("values: []", "5:17: error: `profiles[0].metrics.m.values` must not be empty"),
      (
        "interval: fast",
        "5:19: error: `profiles[0].metrics.m.interval` must be a duration such as `20 s` or `5 min`, found `fast`"
      ),
    ])
  func metrics(line: String, expected: String) {
    let found = problems("profiles:\n  - id: p\n    metrics:\n      m:\n        \(line)\n")
    #expect(found.contains("a.yaml:" + expected), "\(found)")
  }

  @Test("Keys for numbers are refused on a text, and values on a number")
  func mixedTypes() {
    let text =
      "profiles: [{id: p, metrics: {m: {type: text, unit: bar, range: [0, 1], deadband: 1}}}]"
    #expect(problems(text).count == 3)
    let number = "profiles: [{id: p, metrics: {m: {type: number, values: [a]}}}]"
    #expect(
      problems(number) == [
        "a.yaml:1:56: error: `values` is for text, but `profiles[0].metrics.m` is number"
      ])
    let counter = "profiles: [{id: p, metrics: {m: {kind: counter, type: text}}}]"
    #expect(problems(counter) == ["a.yaml:1:40: error: a counter must have type number"])
  }

  @Test("Text that is not YAML is reported with line and column")
  func syntax() throws {
    let found = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "a.yaml", content: "profiles:\n  - id: [press\n")
    ]).diagnostics
    let first = try #require(found.first)
    #expect(found.count == 1)
    #expect(first.line == 3 && first.column == 1 && first.severity == .error)
    #expect(first.message.hasPrefix("not YAML: "))
    #expect(problems("a: b: c").first?.hasPrefix("a.yaml:1:5: error: not YAML: ") == true)
    #expect(problems("a: *nix").first?.hasPrefix("a.yaml:1:4: error: not YAML: ") == true)
    #expect(problems("a: 1\n---\nb: 1").first?.hasPrefix("a.yaml:2:1: error: not YAML: ") == true)
    #expect(problems("a: \u{1}").first?.hasPrefix("a.yaml:1:4: error: not YAML: ") == true)
  }

  @Test("Settings in two files are refused with the first place")
  func settingsTwice() {
    let found = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "a.yaml", content: "settings: {words_max: 5}"),
      ConfigurationFile(name: "b.yaml", content: "settings: {words_max: 6}"),
    ]).diagnostics.map(\.description)
    #expect(found == ["b.yaml:1:11: error: `settings` appears twice, first at a.yaml:1:11"])
  }

  @Test("Empty files are an empty configuration")
  func empty() {
    for text in ["", "# nothing\n", "profiles:\n", "~"] {
      let loaded = DeviceConfiguration.load(files: [
        ConfigurationFile(name: "a.yaml", content: text)
      ])
      #expect(loaded.configuration == DeviceConfiguration() && loaded.diagnostics.isEmpty)
    }
  }
}
