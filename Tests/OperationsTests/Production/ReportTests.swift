import Operations
import Telemetry
import Testing

@Suite struct ReportTests {
  private static func report(_ bench: Bench, computed: Timestamp = at(14, 5)) -> ProductionReport {
    let ledger = bench.ledger
    return ProductionReport(
      shift: ledger.schedule.shifts[0], ledger: ledger, reasons: bench.reasons, computed: computed)
  }

  @Test(
    "A shift computed again from the same data is the same report, however its samples were ordered"
  )
  func same() {
    let first = Self.report(MachineLedgerTests.shift())
    var bench = MachineLedgerTests.shift()
    bench.record.states.reverse()
    bench.record.total.reverse()
    let again = Self.report(bench, computed: at(20))
    #expect(again.hasSameContent(as: first))
    #expect(first.superseded(by: again) == nil)
    #expect(first.content.encoded == again.content.encoded)
  }

  @Test("A late sample makes a new version, with its number one higher")
  func late() throws {
    let first = Self.report(MachineLedgerTests.shift())
    var bench = MachineLedgerTests.shift()
    bench.record.states.append(StateSample(time: at(12, 30), state: .unplannedStop))
    bench.record.states.append(StateSample(time: at(12, 40), state: .running))
    let again = Self.report(bench, computed: at(20))
    let next = try #require(first.superseded(by: again))
    #expect(next.version == 2 && next.computed == at(20) && next.part == "2026-11-23/early")
    #expect(first.content["result"]?["oee"] == next.content["result"]?["oee"])
    #expect(first.content["result"]?["availability"] != next.content["result"]?["availability"])
  }

  @Test("An operator's edit makes a new version that shows it")
  func edited() throws {
    var bench = MachineLedgerTests.shift()
    let first = Self.report(bench)
    bench.record.edits = [
      StopEdit(
        id: "e1", machine: "m1", stop: Span(at(7)..<at(7, 50)), action: .relabel(reason: "jam"),
        author: "anna", time: at(15))
    ]
    let next = try #require(first.superseded(by: Self.report(bench)))
    #expect(next.content["edits"]?.elements?.count == 1)
    #expect(next.content["result"]?["reasons"]?.elements?.first?["reason"] == .string("jam"))
  }

  @Test("The report of a shift is the same whether the shift was loaded alone or among others")
  func loading() throws {
    let noon = DayWindow(
      from: try #require(TimeOfDay("14:00")), to: try #require(TimeOfDay("22:00")))
    var calendar = dayCalendar
    calendar.shifts.append(
      ShiftPattern(name: "late", days: [.mon], window: try #require(noon)))
    let day = Span(at(6)..<at(22))
    var bench = MachineLedgerTests.shift()
    bench.record.states += [
      StateSample(time: at(13, 50), state: .unplannedStop),
      StateSample(time: at(14, 20), state: .running),
    ]
    bench.record.total += [
      CounterSample(time: at(14, 1), value: 362), CounterSample(time: at(22), value: 700),
    ]
    bench.record.reasons = [WordSample(time: at(14, 10), word: "oops")]
    bench.record.edits = [
      StopEdit(
        id: "e1", machine: "m1", stop: Span(at(13, 50)..<at(14, 20)),
        action: .relabel(reason: "jam"),
        author: "anna", time: at(15))
    ]
    var alone = bench
    var among = bench
    alone.schedule = calendar.schedule(over: Span(at(7)..<at(8)), zone: TransitionTable.utc)
    among.schedule = calendar.schedule(over: day, zone: TransitionTable.utc)
    #expect(alone.schedule.shifts.count == 1 && among.schedule.shifts.count == 2)
    alone.record.total.removeAll { $0.time > at(14) }
    #expect(Self.report(alone).content.encoded == Self.report(among).content.encoded)
    #expect(Self.report(among).content["edits"]?.elements?.count == 1)
    #expect(among.ledger.audits.map(\.refusal) == [nil, nil])
    #expect(
      among.ledger.stops.filter { $0.reason == "jam" }.map(\.span) == [
        Span(at(13, 50)..<at(14)), Span(at(14)..<at(14, 20)),
      ])
  }

  @Test("A stored report reads back as the same report")
  func stored() throws {
    let report = Self.report(MachineLedgerTests.shift())
    let text = report.json.encoded
    let read = try #require(ProductionReport(json: try JSONReader.read(Array(text.utf8))))
    #expect(read == report)
    #expect(read.json.encoded == text)
    #expect(ProductionReport(json: .object([("kind", .string("machine"))])) == nil)
  }

  @Test("Durations are seconds with every digit, under names that say so; members keep their order")
  func shape() throws {
    let json = Self.report(MachineLedgerTests.shift()).content
    #expect(json.members?.map(\.0) == ["machine", "shift", "calendar", "result", "edits"])
    #expect(json["result"]?["time"]?["production_time_seconds"] == .integer(22_800))
    let steps = try #require(json["result"]?["waterfall"]?["steps"]?.elements)
    #expect(
      steps.compactMap { $0["step"]?.text } == [
        "calendar_time", "not_scheduled", "break", "planned_stop", "planned_busy_time",
        "breakdowns",
        "setup_and_adjustment", "idle", "starved", "blocked", "unknown", "production_time",
        "small_stops", "reduced_speed", "ideal_time", "start_up_rejects", "production_rejects",
        "fully_productive_time",
      ])
    #expect(json["result"]?["losses"]?.members?.count == 6)
  }
}
