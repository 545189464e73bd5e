import Devices
import FoundationEssentials
import Operations
import Telemetry
import Testing

@Suite struct ProductionConfigurationTests {
  /// The files of devices/ at the top of the repository, sorted by name.
  static func examples() throws -> [ConfigurationFile] {
    let folder = try top() + "/devices"
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".yaml") }.sorted().map { name in
        ConfigurationFile(name: "devices/" + name, content: try text(of: folder + "/" + name))
      }
  }

  static func top() throws -> String {
    "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
  }

  static func text(of path: String) throws -> String {
    String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
  }

  @Test("The example files load without a word, and cover the demo plant")
  func examples() throws {
    let files = try Self.examples()
    let (devices, problems) = DeviceConfiguration.load(files: files)
    #expect(problems.map(\.description) == [])
    let (loaded, diagnostics) = ProductionConfiguration.load(files: files, devices: devices)
    #expect(diagnostics.map(\.description) == [])
    let configuration = try #require(loaded)
    #expect(configuration.machines.map(\.id) == ["press1", "mill1", "conveyor1"])
    let press = try #require(configuration.machine("press1"))
    #expect(press.counters.total?.rollover == 4_294_967_296)
    #expect(press.asset == "acme/linz/hall1/line1/press1" && press.profile == "press")
    #expect(press.mapped(.text("fault"))?.state == .unplannedStop)
    #expect(press.mapped(.text("fault"))?.reason == "breakdown")
    #expect(press.mapped(.text("dancing")) == nil)
    #expect(press.telemetryTimeoutMicroseconds == 60_000_000)
    #expect(
      press.series.map(\.description) == [
        "press1/state", "press1/cycles", "press1/good", "press1/scrap",
      ])
    let product = try #require(configuration.products.first { $0.id == "bracket-40" })
    #expect(product.idealCycle(on: press)?.description == "6 s")
    let conveyor = try #require(configuration.machine("conveyor1"))
    #expect(product.idealCycle(on: conveyor)?.microseconds == Fraction(4_000_000))
    #expect(configuration.line("line1")?.constraint == "press1")
    #expect(configuration.line("cell1")?.machines == ["mill1"])
    // Every moment of an ordinary week day is in one of the three shifts.
    let calendar = try #require(configuration.calendar("three_shifts"))
    let schedule = calendar.schedule(over: early, zone: TransitionTable.berlin)
    #expect(schedule.scheduled.microseconds(within: early) == early.microseconds)
  }

  private static let plant = """
    profiles:
      - id: press
        metrics:
          state: {values: [running, idle, fault]}
          cycles: {kind: counter}
          pressure: {unit: bar}
    devices:
      - {id: press1, profile: press, asset: a/b/press1}
      - {id: press2, profile: press, asset: a/b/press2}

    """

  private static let machine = """
    machines:
      - device: press1
        states: {running: running, idle: idle, fault: unplanned_stop}
        counters: {total: cycles}

    """

  private static func problems(_ text: String, zones: [String] = ["UTC", "Europe/Vienna"])
    -> [String]
  {
    let plantFile = ConfigurationFile(name: "plant.yaml", content: plant)
    let file = ConfigurationFile(name: "p.yaml", content: text)
    let (devices, problems) = DeviceConfiguration.load(files: [plantFile, file])
    #expect(problems.isEmpty)
    let (loaded, diagnostics) = ProductionConfiguration.load(
      files: [plantFile, file], devices: devices, isKnownTimeZone: zones.contains)
    #expect((loaded == nil) == diagnostics.contains { $0.severity == .error })
    return diagnostics.map(\.description)
  }

  @Test("A right configuration draws no word")
  func right() { #expect(Self.problems(Self.machine) == []) }

  @Test(
    "What is wrong is told with file, line, column and the nearest name",
    arguments: [
      (
        "calendars:\n  - id: a\n    shift: []\n",
        ["p.yaml:3:5: error: unknown key `shift`, did you mean `shifts`?"]
      ),
      (
        "calendars:\n  - id: a\n    shifts:\n      - {name: s, days: [mon], from: 22:00, to: 06:00}\n",
        [
          "p.yaml:4:49: error: `to` 06:00 is not after `from` 22:00: are they swapped? What ends on the next day says `overnight: true`"
        ]
      ),
      (
        "calendars:\n  - id: a\n    shifts:\n      - {name: s, days: [sun], from: 22:00, to: 06:00, overnight: true}\n      - {name: e, days: [mon], from: 05:00, to: 09:00}\n",
        ["p.yaml:5:9: error: the shift `e` overlaps with `s`"]
      ),
      (
        "calendars:\n  - id: a\n    time_zone: Europe/Vena\n    holidays: [2026-02-30]\n",
        [
          "p.yaml:3:16: error: unknown time zone `Europe/Vena`: give an IANA name such as `Europe/Vienna`",
          "p.yaml:4:16: error: `calendars[0].holidays[0]` must be a date such as `2026-12-24`, found `2026-02-30`",
        ]
      ),
      (
        "calendars:\n  - id: a\n    shifts:\n      - name: s\n        days: [mo]\n        from: 06:00\n        to: 14:00\n        breaks: [{from: 15:00, to: 15:10}, {from: 9am, to: 09:10}]\n",
        [
          "p.yaml:5:16: error: `mo` is not one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, did you mean `mon`?",
          "p.yaml:8:18: error: the break does not lie inside the shift `s`",
          "p.yaml:8:51: error: `calendars[0].shifts[0].breaks[1].from` must be a time of day such as `06:00`, found `9am`",
        ]
      ),
      (
        "machines:\n  - device: pres1\n",
        ["p.yaml:2:13: error: unknown device `pres1`, did you mean `press1`?"]
      ),
      (
        "machines:\n  - asset: a/b/press3\n",
        ["p.yaml:2:12: error: no device is declared at `a/b/press3`, did you mean `a/b/press1`?"]
      ),
      (
        "machines:\n  - device: press1\n    states: {running: runing, idle: idle, fault: {state: unplanned_stop, reason: jam}}\n    micro_stop: -5 s\n    counters: {total: pressure, good: cycle}\n",
        [
          "p.yaml:3:23: error: `runing` is not one of `running`, `idle`, `setup`, `planned_stop`, `break`, `not_scheduled`, `unplanned_stop`, `starved`, `blocked`, `unknown`, did you mean `running`?",
          "p.yaml:3:82: error: unknown reason code `jam`",
          "p.yaml:4:17: error: `machines[0].micro_stop` must be a duration such as `20 s` or `5 min`, found `-5 s`",
          "p.yaml:5:23: error: `pressure` is a gauge, not a counter, in the profile `press`",
          "p.yaml:5:39: warning: `cycle` is no metric of the profile `press`, did you mean `cycles`?",
        ]
      ),
      (
        "machines:\n  - device: press1\n    states: {running: running, ide: idle}\n    calendar: day\n    ideal_cycle: 0 s\n    factors: {unknown: production, running: outside}\n",
        [
          "p.yaml:3:13: warning: `idle` of `state` is not listed and means unknown",
          "p.yaml:3:13: warning: `fault` of `state` is not listed and means unknown",
          "p.yaml:3:32: error: `state` is never `ide`, did you mean `idle`?",
          "p.yaml:4:15: error: unknown calendar `day`",
          "p.yaml:5:18: error: `machines[0].ideal_cycle` must be a time per part such as `1.2 s`, or a rate such as `900 parts/h`, above zero; found `0 s`",
          "p.yaml:6:24: error: unknown time is never production time",
          "p.yaml:6:45: error: running is always production time",
        ]
      ),
      (
        "machines:\n  - {device: press1}\n  - {device: press2, id: press1}\n",
        ["p.yaml:3:26: error: duplicate machine `press1`, first at p.yaml:2:14"]
      ),
      (
        "products:\n  - id: a\n    ideal_cycle: {pres: 5 s, press2: 4 s}\n    planned_scrap: 2\n",
        [
          "p.yaml:3:19: error: `pres` is neither a machine nor a profile, did you mean `press`?",
          "p.yaml:3:30: error: `press2` is neither a machine nor a profile, did you mean `press`?",
          "p.yaml:4:20: error: `products[0].planned_scrap` must be a share from 0 to 1, found `2`",
        ]
      ),
      (
        machine + "lines:\n  - {id: l, machines: [press1, press9], constraint: press2}\n",
        [
          "p.yaml:6:32: error: unknown machine `press9`, did you mean `press1`?",
          "p.yaml:6:53: error: `press2` is no machine of this line, did you mean `press1`?",
        ]
      ),
      (
        "reasons:\n  - {code: jam, loss: breakdowns}\n  - {code: jam}\n",
        [
          "p.yaml:2:23: error: `breakdowns` is not one of `breakdown`, `setup_and_adjustment`, `waiting`, `planned`, `preventive_maintenance`, did you mean `breakdown`?",
          "p.yaml:3:12: error: duplicate reason `jam`, first at p.yaml:2:12",
        ]
      ),
    ])
  func wrong(text: String, expected: [String]) { #expect(Self.problems(text) == expected) }

  @Test("The configuration in docs/oee.md is one that loads")
  func documentation() throws {
    let document = try Self.text(of: try Self.top() + "/docs/oee.md")
    var blocks: [String] = []
    var open: [Substring]?
    for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```yaml" {
        open = []
      } else if line == "```", let lines = open {
        blocks.append(lines.joined(separator: "\n") + "\n")
        open = nil
      } else {
        open?.append(line)
      }
    }
    #expect(blocks.count >= 4)
    let files = blocks.enumerated().map {
      ConfigurationFile(name: "block-\($0).yaml", content: $1)
    }
    let (devices, problems) = DeviceConfiguration.load(files: files)
    #expect(problems.map(\.description) == [])
    let (loaded, diagnostics) = ProductionConfiguration.load(files: files, devices: devices)
    #expect(diagnostics.map(\.description) == [])
    #expect(loaded?.isEmpty == false)
  }

  @Test("Every indicator that is computed stands in docs/oee.md, with its formula")
  func indicators() throws {
    let document = try Self.text(of: try Self.top() + "/docs/oee.md")
    for kpi in MachineLedgerTests.shift().ledger.result(over: early).kpis.list {
      #expect(document.contains("| `\(kpi.name)` |"), "\(kpi.name) is not documented")
    }
  }
}
