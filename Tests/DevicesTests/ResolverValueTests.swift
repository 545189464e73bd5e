import Devices
import Telemetry
import Testing

@Suite struct ResolverValueTests {
  static let profile = """
    profiles:
      - id: p
        metrics:
          n: {unit: bar, range: [0, 10]}
          b: {type: boolean}
          t: {type: text}
          s: {values: {0: idle, 1: running, RUN: running}}
          l: {values: [idle, running]}
          e: {kind: event, type: text}
    devices: [{id: d, profile: p, topic: d}]
    """

  @Test("Definitions come before the samples that use them, and only once")
  func definitions() throws {
    var f = try Fixture(Self.profile)
    let outcome = f.send("d", #"{"n": 1, "s": "idle"}"#)
    #expect(
      f.batch.items == [
        .device(DeviceDefinition(index: 0, id: "d", profile: "p")),
        .series(
          SeriesDefinition(
            index: 0, device: 0, metric: "n", type: .number, kind: .gauge, unit: "bar")),
        .series(SeriesDefinition(index: 1, device: 0, metric: "s", type: .text, kind: .state)),
        .word(id: 0, text: "idle"),
      ])
    #expect(outcome.newDevices == 1 && outcome.newSeries == 2)
    f.send("d", #"{"n": 1, "s": "idle"}"#)
    #expect(f.batch.items.isEmpty && f.batch.samples.count == 2)
  }

  @Test(
    "Values take the type of their series",
    arguments: [
      (#"{"n": 2.5}"#, "d/n=2.5"), (#"{"n": true}"#, "d/n=1.0"), (#"{"n": "2.5"}"#, "d/n=2.5"),
      (#"{"n": " 1e1 "}"#, "d/n=10.0"),
      (#"{"b": true}"#, "d/b=true"), (#"{"b": 0}"#, "d/b=false"), (#"{"b": "ON"}"#, "d/b=true"),
      (#"{"t": "x"}"#, "d/t=x"), (#"{"t": 1}"#, "d/t=1"), (#"{"t": 1.5}"#, "d/t=1.5"),
      (#"{"t": false}"#, "d/t=false"), (#"{"s": 1}"#, "d/s=running"),
      (#"{"s": "RUN"}"#, "d/s=running"),
      (#"{"s": "idle"}"#, "d/s=idle"), (#"{"s": 0}"#, "d/s=idle"),
    ])
  func coercion(payload: String, expected: String) throws {
    var f = try Fixture(Self.profile)
    for _ in 0..<2 {
      let outcome = f.send("d", payload)
      #expect(f.values == [expected] && outcome.refusedFields == 0 && f.quarantined.isEmpty)
      #expect(f.batch.samples.first?.quality == .good)
    }
  }

  @Test(
    "Values that do not fit are refused with metric and device, the rest goes on",
    arguments: [
      (
        #"{"n": "hot", "t": "x"}"#, "not_a_number",
        "`hot` is not a number, as metric `n` of device `d` needs"
      ),
      (
        #"{"n": "0x10", "t": "x"}"#, "not_a_number",
        "`0x10` is not a number, as metric `n` of device `d` needs"
      ),
      (
        #"{"n": "NaN", "t": "x"}"#, "not_finite",
        "`NaN` is not a number, as metric `n` of device `d` needs"
      ),
      (
        #"{"b": 2, "t": "x"}"#, "not_a_boolean",
        "`2.0` is not a boolean, as metric `b` of device `d` needs"
      ),
      (
        #"{"b": "maybe", "t": "x"}"#, "not_a_boolean",
        "`maybe` is not a boolean, as metric `b` of device `d` needs"
      ),
    ])
  func refusals(payload: String, code: String, detail: String) throws {
    var f = try Fixture(Self.profile)
    let outcome = f.send("d", payload)
    #expect(outcome.refusedFields == 1 && outcome.refusals.map(\.code) == [code])
    #expect(outcome.refusals.map(\.detail) == [detail])
    #expect(f.values == ["d/t=x"])
    let row = try #require(f.quarantined.first)
    #expect(row.cause == .partlyRefused && row.device == "d" && row.payload == Array(payload.utf8))
  }

  @Test("Values outside the engineering range or the list are stored as uncertain")
  func ranges() throws {
    var f = try Fixture(Self.profile)
    #expect(f.send("d", #"{"n": 11, "l": "flying", "s": 7}"#).outOfRange == 3)
    #expect(f.values == ["d/n=11.0", "d/l=flying", "d/s=7"])
    for sample in f.batch.samples { #expect(sample.quality == [.uncertain, .outOfRange]) }
    f.send("d", #"{"n": 10, "l": "flying", "s": 7}"#)
    #expect(
      f.batch.samples.map(\.quality) == [
        .good, [.uncertain, .outOfRange], [.uncertain, .outOfRange],
      ])
  }

  @Test("Source times that cannot be are replaced by the receive time")
  func clocks() throws {
    var f = try Fixture()
    let ms = Fixture.now.microseconds / 1_000
    f.send("d", #"{"ts": \#(ms - 5_000), "a": 1}"#)
    #expect(f.batch.samples[0].time.microseconds == (ms - 5_000) * 1_000)
    #expect(!f.batch.samples[0].isReceiveStamped && f.batch.samples[0].quality == .good)
    f.send("d", #"{"ts": \#(ms + 3_600_000), "a": 1}"#)
    #expect(f.batch.samples[0].quality == .good)
    for bad in [ms + 3_600_001, ms - 3_650 * 86_400_000 - 1] {
      #expect(f.send("d", #"{"ts": \#(bad), "a": 1}"#).replacedTimes == 1)
      #expect(f.batch.samples[0].time == Fixture.now && f.batch.samples[0].isReceiveStamped)
      #expect(f.batch.samples[0].quality == [.uncertain, .clockReplaced])
    }
    f.send("d", #"{"a": 1}"#)
    #expect(f.batch.samples[0].time == Fixture.now && f.batch.samples[0].isReceiveStamped)
    #expect(f.batch.samples[0].quality == .good)
  }

  @Test("A retained message without a source time only fills current values and makes no event")
  func retained() throws {
    var f = try Fixture(Self.profile)
    let outcome = f.send("d", #"{"n": 1, "e": "pressed"}"#, retained: true)
    #expect(outcome.retainedSkips == 1 && f.values == ["d/n=1.0"])
    #expect(f.batch.samples[0].isCurrentOnly)
    let ms = Fixture.now.microseconds / 1_000
    #expect(f.send("d", #"{"ts": \#(ms), "n": 1, "e": "x"}"#, retained: true).samples == 2)
    #expect(!f.batch.samples[0].isCurrentOnly)
    #expect(!f.batch.samples[1].isCurrentOnly)
  }

  @Test("Unprofiled series are guessed from name and first value")
  func guesses() throws {
    var f = try Fixture()
    f.send(
      "d",
      #"{"t": 1, "on": true, "mode": "auto", "parts_total": 1, "goodCount": 2, "cycle.counter": 3, "account": 4}"#
    )
    let kinds = f.resolver.registry.series.map { "\($0.metric) \($0.type.name) \($0.kind.name)" }
    #expect(
      kinds == [
        "t number gauge", "on boolean state", "mode text state", "parts_total number counter",
        "goodCount number counter", "cycle.counter number counter", "account number gauge",
      ])
  }

  @Test("Field order, missing fields and other devices do not confuse the cached series")
  func order() throws {
    var f = try Fixture()
    let payloads = [
      #"{"aa": 1, "ab": 2, "b": 3}"#, #"{"b": 3, "ab": 2, "aa": 1}"#, #"{"ab": 2}"#,
      #"{"b": 3, "c": 4}"#,
      #"{"aa": 1, "aa": 1}"#,
    ]
    for round in 0..<3 {
      for device in ["x", "y"] {
        for payload in payloads {
          f.send(device, payload)
          for value in f.values {
            let digit = ["aa": "1", "ab": "2", "b": "3", "c": "4"]
            let parts = value.split(separator: "=")
            let metric = String(parts[0].dropFirst(2))
            #expect(value == "\(device)/\(metric)=\(digit[metric] ?? "").0", "round \(round)")
          }
        }
      }
    }
    #expect(f.resolver.registry.series.count == 8)
  }

  @Test("More fields than are predicted are all found")
  func manyFields() throws {
    var f = try Fixture()
    let payload = "{" + (0..<100).map { #""m\#($0)": \#($0)"# }.joined(separator: ",") + "}"
    f.send("d", payload)
    f.send("d", payload)
    #expect(f.values == (0..<100).map { "d/m\($0)=\($0).0" } && f.batch.items.isEmpty)
  }

  @Test("Names and texts that cannot be stored are refused")
  func bounds() throws {
    var f = try Fixture("settings: {devices_max: 1, series_max: 2, words_max: 1}")
    #expect(f.send("d", #"{"": 1}"#).isQuarantined)
    let long = String(repeating: "x", count: 257)
    #expect(f.send("d", #"{"\#(long)": 1}"#).refusals.first?.code == "bad_metric_name")
    let word = String(repeating: "x", count: 4_097)
    #expect(f.send("d", #"{"t": "\#(word)"}"#).refusals.first?.code == "text_too_long")
    #expect(f.send("d", #"{"t": "a"}"#).samples == 1)
    #expect(f.send("d", #"{"t": "b"}"#).refusals.first?.code == "too_many_words")
    f.send("d", #"{"u": 1}"#)
    #expect(f.send("d", #"{"v": 1}"#).refusals.first?.code == "too_many_series")
    #expect(f.send("e", #"{"v": 1}"#).refusals.first?.code == "too_many_devices")
    #expect(f.send("d", #"{"t": "a", "u": 2}"#).samples == 2)
  }

  @Test("A bare value with words behind it stays whole in a series of text")
  func scalarText() throws {
    var f = try Fixture(
      "profiles: [{id: p, metrics: {t: {type: text}, n: {unit: mbar}}}]\ndevices: [{id: d, profile: p, topic: d/+}]"
    )
    f.send("d/t", " 3 rolls ")
    #expect(f.values == ["d/t=3 rolls"])
    f.send("d/t", "3")
    #expect(f.values == ["d/t=3"])
    f.send("d/n", "1.5 bar")
    #expect(f.values == ["d/n=1500.0"])
  }

  @Test(
    "Units of the payload convert, unknown ones are counted, others of another dimension refused")
  func units() throws {
    var f = try Fixture(Self.profile)
    f.send("d", #"{"n": {"value": 1013, "unit": "mbar"}}"#)
    #expect(f.values == ["d/n=1.013"])
    let unknown = f.send("d", #"{"n": {"value": 5, "unit": "furlong"}}"#)
    #expect(unknown.unknownUnits == 1 && unknown.refusedFields == 0 && f.values == ["d/n=5.0"])
    for _ in 0..<2 {
      let outcome = f.send("d", #"{"n": {"value": 5, "unit": "°C"}, "t": "x"}"#)
      #expect(outcome.refusals.map(\.code) == ["incompatible_unit"] && f.values == ["d/t=x"])
      #expect(
        outcome.refusals.first?.detail == "`d/n` is stored in `bar`; `°C` does not convert to it")
    }
    f.send("e", #"{"w": {"value": 5, "unit": "kWh"}, "x": {"value": 1, "unit": "furlong"}}"#)
    #expect(try f.series("e/w").unit == "kW.h")
    #expect(try f.series("e/w").description == "sent in `kWh`")
    #expect(try f.series("e/x").unit == "")
    f.send("e", #"{"w": {"value": 5, "unit": "MWh"}}"#)
    #expect(f.values == ["e/w=5000.0"])
  }

  @Test("A value that leaves the range of numbers is refused, also by its conversion")
  func overflow() throws {
    var f = try Fixture(Self.profile)
    let outcome = f.send("d", #"{"n": {"value": 1e308, "unit": "MPa"}, "t": "x"}"#)
    #expect(outcome.refusals.map(\.code) == ["not_finite"] && f.values == ["d/t=x"])
  }

  @Test("Refusals are listed up to a bound and all counted")
  func manyRefusals() throws {
    var f = try Fixture(Self.profile)
    let point = #"{"device_id":"d","metrics":{"n":"x"}}"#
    let outcome = f.send(
      "d", "[" + Array(repeating: point, count: 150).joined(separator: ",") + "]")
    #expect(outcome.refusedFields == 150 && outcome.refusals.count == Outcome.refusalsMax)
    #expect(f.quarantined.count == 1)
    #expect(f.quarantined[0].reason.hasSuffix("(and 149 more)"))
  }
}
