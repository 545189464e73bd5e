import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct MachineLedgerTests {
  /// 06:00–14:00 with a break of 30 min: 450 min planned. Down from 07:00 to 07:50, short stops of 4 and 3 min, setup
  /// of 20 min.
  static func shift() -> Bench {
    var bench = Bench([
      (at(5, 59), .running), (at(7), .unplannedStop), (at(7, 50), .running), (at(8), .idle),
      (at(8, 4), .running), (at(9), .starved), (at(9, 3), .running), (at(11), .setup),
      (at(11, 20), .running),
    ])
    bench.count([(at(9), 120, 118), (at(12), 250, 245), (at(14), 360, 350)])
    return bench
  }

  @Test("A shift comes to the figures that a person gets with a pencil")
  func pencil() {
    let result = Self.shift().ledger.result(over: early)
    let time = result.figures.time
    #expect(time.calendarTime == minutes(480))
    #expect(time.plannedBusyTime == minutes(450))
    #expect(time.productionTime == minutes(380))
    #expect(time.smallStopTime == minutes(7))
    #expect(time.lost(.unplannedStop) == minutes(50) && time.lost(.setup) == minutes(20))
    #expect(time.lost(.idle) == 0 && time.lost(.starved) == 0)
    #expect(result.kpis.availability.value == 380.0 / 450)
    #expect(result.kpis.performance.value == 360.0 / 380)
    #expect(result.kpis.quality.value == 350.0 / 360)
    #expect(result.kpis.oee.value == 350.0 / 450)
    #expect(result.kpis["teep"]?.value == 350.0 / 480)
    let nee = Fraction(400, over: 450) * Fraction(360, over: 380) * Fraction(350, over: 360)
    #expect(result.kpis["nee"]?.value == nee.value)
    #expect(result.kpis["setup_rate"]?.value == 20.0 / 400)
    #expect(result.kpis["technical_efficiency"]?.value == 380.0 / 430)
    #expect(result.kpis["mtbf"]?.value == 12_000.0)
    #expect(result.kpis["mttr"]?.value == 3_000.0)
    #expect(result.kpis["scrap_ratio"]?.value == 10.0 / 360)
    #expect(result.kpis["throughput_of_planned_time"]?.value == 48)
    // Without the 3 min in which it was starved.
    #expect(result.kpis["oee_without_line_losses"]?.value == 350.0 / 447)
    #expect(result.figures.failures == 1 && result.figures.shifts == 1)
    #expect(result.warnings.isEmpty)
  }

  @Test("Indicators that the data cannot answer say why")
  func missing() {
    let kpis = Self.shift().ledger.result(over: early).kpis
    #expect(kpis["rework_ratio"]?.missing == "no counter of rework")
    #expect(kpis["first_pass_yield"]?.missing == "no counter of rework")
    #expect(kpis["allocation_efficiency"]?.missing == "orders are not recorded for this machine")
    #expect(kpis["worker_efficiency"]?.value == nil)
    #expect(kpis["finished_goods_ratio"]?.missing == "consumed material is not recorded")
    #expect(kpis["actual_to_planned_scrap_ratio"]?.missing == "no planned scrap")
    #expect(kpis["corrective_maintenance_ratio"]?.value == 1)
    var bench = Self.shift()
    bench.machine.idealCycle = nil
    let result = bench.ledger.result(over: early)
    #expect(result.kpis.oee.missing == "no ideal cycle")
    #expect(result.kpis.availability.value == 380.0 / 450)
    #expect(result.waterfall.missing == "no ideal cycle")
  }

  @Test("Hours, and any cut of a shift into two, sum to the shift in every figure")
  func additive() throws {
    let ledger = Self.shift().ledger
    let whole = ledger.figures(over: SpanSet(early))
    let hours = ledger.hours(in: early, zone: TransitionTable.utc)
    #expect(hours.count == 8)
    let sum = hours.map { ledger.figures(over: $0.set) }.reduce(ProductionFigures(), +)
    #expect(sum.time == whole.time)
    #expect(sum.products == whole.products)
    #expect(sum.stops == whole.stops && sum.failures == whole.failures)
    var generator = SeededGenerator(seed: 99)
    for _ in 0..<100 {
      let cut = at(6, 0, Int.random(in: 0...28_800, using: &generator))
      let parts = [Span(early.from..<cut), Span(cut..<early.to)].map {
        ledger.figures(over: SpanSet($0))
      }
      let joined = parts[0] + parts[1]
      #expect(joined.time == whole.time && joined.products == whole.products)
      #expect(joined.stops == whole.stops)
    }
  }

  @Test("Sums of numerators and denominators, never means of ratios")
  func aggregation() {
    let ledger = Self.shift().ledger
    let a = ledger.result(over: Span(at(6)..<at(7)))
    let b = ledger.result(over: Span(at(7)..<at(14)))
    let both = OEEResult(a.figures + b.figures, factors: a.factors)
    #expect(both.kpis.oee.value == 350.0 / 450)
    let mean = ((a.kpis.availability.value ?? 0) + (b.kpis.availability.value ?? 0)) / 2
    #expect(both.kpis.availability.value == 380.0 / 450)
    #expect((mean - 380.0 / 450).magnitude > 0.01)
  }

  @Test("Overlapping declared stops never make availability negative: each moment counts once")
  func overlapping() {
    var generator = SeededGenerator(seed: 3)
    let states: [MachineState] = [.unplannedStop, .idle, .plannedStop, .setup, .starved, .unknown]
    for _ in 0..<200 {
      var bench = Self.shift()
      for _ in 0..<8 {
        let start = Int.random(in: 0..<28_800, using: &generator)
        let end = Int.random(in: start...40_000, using: &generator)
        bench.record.declaredStops.append(
          DeclaredStop(
            span: Span(at(6, 0, start)..<at(6, 0, end)),
            state: states.randomElement(using: &generator) ?? .idle))
      }
      let result = bench.ledger.result(over: early)
      let time = result.figures.time
      #expect(time.calendarTime == minutes(480))
      #expect(time.productionTime >= 0 && time.productionTime <= time.plannedBusyTime)
      #expect(MachineState.allCases.allSatisfy { time.total($0) >= 0 })
      if let availability = result.kpis.availability.value {
        #expect((0...1).contains(availability))
      }
      let stops = result.figures.stops.reduce(0) { $0 + $1.microseconds }
      let counted = MachineState.allCases.filter(\.isStop).reduce(time.smallStopTime) {
        $0 + time.lost($1)
      }
      #expect(stops == counted)
    }
    var twice = Self.shift()
    twice.record.declaredStops = [
      DeclaredStop(span: Span(at(12)..<at(13))), DeclaredStop(span: Span(at(12, 30)..<at(13, 30))),
    ]
    #expect(
      twice.ledger.figures(over: SpanSet(early)).time.lost(.unplannedStop) == minutes(50 + 90))
  }

  @Test(
    "A stop is small when it is shorter than the limit, counted over states that follow each other and over a break"
  )
  func smallStops() {
    func small(_ changes: [(Timestamp, MachineState)]) -> Int64 {
      Bench([(at(5), .running)] + changes).ledger.figures(over: SpanSet(early)).time.smallStopTime
    }
    #expect(small([(at(7), .idle), (at(7, 4, 59), .running)]) == seconds(299))
    #expect(small([(at(7), .idle), (at(7, 5), .running)]) == 0)
    // Idle, then starved: one stop of 6 min.
    #expect(small([(at(7), .idle), (at(7, 3), .starved), (at(7, 6), .running)]) == 0)
    // 3 min before and 3 min behind the break from 10:00 to 10:30: one stop of 6 min.
    #expect(small([(at(9, 57), .idle), (at(10, 33), .running)]) == 0)
    #expect(small([(at(9, 58), .idle), (at(10, 32), .running)]) == minutes(4))
    // Setup and unknown are never small stops.
    #expect(small([(at(7), .setup), (at(7, 1), .running)]) == 0)
    #expect(small([(at(7), .unknown), (at(7, 1), .running)]) == 0)
  }

  @Test("The hour in which a long stop begins has the same verdict on it as the shift")
  func hourOfStop() {
    let ledger = Bench([(at(5), .running), (at(7, 58), .unplannedStop), (at(8, 8), .running)])
      .ledger
    let hour = ledger.figures(over: SpanSet(Span(at(7)..<at(8))))
    #expect(hour.time.smallStopTime == 0 && hour.time.lost(.unplannedStop) == minutes(2))
    #expect(hour.failures == 1)
    let next = ledger.figures(over: SpanSet(Span(at(8)..<at(9))))
    #expect(next.time.lost(.unplannedStop) == minutes(8) && next.failures == 0)
  }

  @Test("Missing telemetry is unknown, a loss of availability, and told as a share of planned time")
  func unknown() {
    var bench = Bench([(at(6), .running), (at(9), .running)])
    bench.machine.telemetryTimeoutMicroseconds = minutes(60)
    let result = bench.ledger.result(over: early)
    // Known from 06:00 to 07:00 and from 09:00 to 10:00.
    #expect(result.kpis.availability.value == 120.0 / 450)
    #expect(result.kpis["unknown_share"]?.value == 330.0 / 450)
    let silent = Bench().ledger.result(over: early)
    #expect(silent.kpis["unknown_share"]?.value == 1)
    #expect(silent.kpis.oee.missing == "no parts are counted")
  }

  @Test("OEE now is the shift to date: what has not happened yet is not counted")
  func now() {
    var bench = Self.shift()
    bench.until = at(8)
    let result = bench.ledger.result(over: early)
    #expect(result.figures.time.plannedBusyTime == minutes(120))
    #expect(result.figures.time.lost(.unplannedStop) == minutes(50))
  }

  @Test(
    "Parts told of by a sample at a shift's first moment belong to the shift before; those of a break to what ran before it"
  )
  func attribution() {
    var bench = Bench([(at(5), .running)])
    bench.count([
      (at(6, 1), 1, 1), (at(10, 0, 1), 240, 240), (at(10, 20), 241, 241), (at(14), 400, 400),
    ])
    let ledger = bench.ledger
    func made(_ span: Span) -> Double? {
      ledger.figures(over: SpanSet(span)).made.fraction?.value
    }
    #expect(made(Span(at(6)..<at(10))) == 240)
    #expect(made(early) == 399)
    #expect(made(Span(at(10, 30)..<at(14))) == 159)
    // The one part of the break itself is in no figure, and said.
    let result = ledger.result(over: early)
    #expect(result.figures.partsOutside == Parts(1))
    #expect(result.warnings.map(\.code) == ["produced_outside_planned_time"])
  }

  @Test("Products and orders get their own parts and cycles, and the sum is that of the shift")
  func products() throws {
    var bench = Bench([(at(5), .running)])
    bench.count([(at(8), 100, 100), (at(12), 150, 140), (at(14), 200, 190)])
    bench.record.products = [
      WordSample(time: at(5), word: "a"), WordSample(time: at(8), word: "b"),
    ]
    bench.record.orders = [
      WordSample(time: at(6), word: "1001"), WordSample(time: at(9), word: ""),
    ]
    bench.machine.profile = "press"
    bench.products = [
      Product(
        id: "a",
        idealCycles: [
          .init(machineOrProfile: "press", cycle: try #require(IdealCycle("30 s"))),
          .init(machineOrProfile: "m1", cycle: try #require(IdealCycle("45 s"))),
        ], plannedScrap: Fraction(1, over: 100)),
      Product(
        id: "b",
        idealCycles: [.init(machineOrProfile: "press", cycle: try #require(IdealCycle("2 min")))],
        plannedScrap: Fraction(1, over: 10)),
    ]
    let ledger = bench.ledger
    let result = ledger.result(over: early)
    // 100 × 45 s + 100 × 120 s over 450 min.
    #expect(result.kpis.performance.value == 16_500.0 / 27_000)
    let oee = Fraction(16_500, over: 27_000) * Fraction(190, over: 200)
    #expect(result.kpis.oee.value == oee.value)
    #expect(result.kpis["actual_to_planned_scrap_ratio"]?.value == 10.0 / 11)
    #expect(result.kpis["allocation_efficiency"]?.value == 180.0 / 450)
    #expect(result.kpis["production_process_ratio"]?.value == 450.0 / 180)
    #expect(ledger.products(in: early).map(\.name) == ["a", "b"])
    let order = try #require(ledger.orders(in: early).first)
    #expect(order.name == "1001" && order.set == SpanSet(Span(at(6)..<at(9))))
    #expect(ledger.result(over: order.set).kpis["throughput"]?.value == 100.0 / 3)
  }

  @Test("Rejects soon after a setup or the shift's begin are start-up rejects")
  func startUp() {
    var bench = Bench([(at(5), .running), (at(8), .setup), (at(9), .running)])
    bench.machine.startUpMicroseconds = minutes(10)
    bench.count([(at(6, 5), 5, 3), (at(7), 50, 48), (at(9, 8), 60, 55), (at(12), 200, 190)])
    let result = bench.ledger.result(over: early)
    #expect(result.figures.startUpRejected.fraction == Fraction(2 + 3))
    #expect(result.waterfall["start_up_rejects"]?.microseconds == minutes(5))
    #expect(result.waterfall["production_rejects"]?.microseconds == minutes(5))
  }

  @Test("Counters that contradict each other leave quality and OEE without a value, and say so")
  func contradiction() {
    var bench = Self.shift()
    bench.record.good.append(CounterSample(time: at(14), value: 370))
    let result = bench.ledger.result(over: early)
    #expect(result.kpis.quality.value == nil && result.kpis.oee.value == nil)
    #expect(result.kpis.oee.missing?.contains("370 good parts, but only 360 in total") == true)
    #expect(result.kpis.availability.value == 380.0 / 450)
    #expect(result.warnings.map(\.code) == ["contradictory_counters"])
  }

  @Test(
    "A stop takes the last reason stated during it; a planned one leaves planned time; unknown codes are told"
  )
  func reasons() {
    var bench = Bench([
      (at(5), .running), (at(7), .unplannedStop), (at(8), .running), (at(9), .idle),
      (at(9, 30), .running),
      (at(11), .unplannedStop), (at(12), .running),
    ])
    bench.record.reasons = [
      WordSample(time: at(6), word: "breakdown"), WordSample(time: at(7, 10), word: "breakdown"),
      WordSample(time: at(7, 20), word: "jam"), WordSample(time: at(9, 10), word: "jamm"),
      WordSample(time: at(11), word: "service"),
    ]
    let result = bench.ledger.result(over: early)
    #expect(result.figures.time.plannedBusyTime == minutes(390))
    #expect(result.figures.time.preventive == minutes(60))
    #expect(result.pareto.entries.map(\.reason) == ["jam", nil])
    #expect(result.pareto.entries.map(\.cumulativeShare) == [60.0 / 90, 1])
    #expect(result.warnings.map(\.message) == ["unknown reason code `jamm`, did you mean `jam`?"])
    #expect(result.kpis["corrective_maintenance_ratio"]?.value == 0.5)
  }

  @Test("A configured map moves states, and is printed with the answer")
  func factors() {
    var bench = Self.shift()
    bench.machine.factors[.setup] = .outside
    bench.machine.factors.microStopMicroseconds = minutes(60)
    let result = bench.ledger.result(over: early)
    #expect(result.figures.time.plannedBusyTime == minutes(430))
    #expect(result.figures.time.smallStopTime == minutes(57))
    #expect(result.json()["state_map"]?["factors"]?["setup"] == .string("outside"))
    #expect(result.json()["state_map"]?["micro_stop_seconds"] == .integer(3_600))
    let levels = result.waterfall.losses.filter { $0.level == .calendar }
    #expect(levels.map(\.name) == ["not_scheduled", "break", "planned_stop", "setup"])
  }

  @Test("The intervals behind a figure cover what was asked for, once, with state and reason")
  func intervals() throws {
    let ledger = Self.shift().ledger
    let json = ledger.intervals(over: SpanSet(Span(at(7, 30)..<at(10, 15))))
    let states = try #require(json["states"]?.elements)
    #expect(
      states.map { $0["state"]?.text } == [
        "unplanned_stop", "running", "idle", "running", "starved", "running", "break",
      ])
    #expect(
      states.map { $0["small_stop"] == .bool(true) } == [
        false, false, true, false, true, false, false,
      ])
    #expect(states.first?["from"] == .string("2026-11-23T07:30:00Z"))
    #expect(json["planned"]?.elements?.count == 1)
  }

  @Test("A night shift through the change of clocks counts the hours it really has")
  func clockChange() throws {
    let night = ShiftCalendar(
      id: "night", timeZone: "Europe/Berlin",
      shifts: [
        ShiftPattern(
          name: "night", days: [.sat],
          window: DayWindow(
            from: TimeOfDay(second: 79_200), to: TimeOfDay(second: 21_600), overnight: true)!)  // 8 h
      ])
    for (date, hours) in [("2026-03-28", 7), ("2026-10-24", 9)] {
      let start = instant("\(date)T22:00:00Z")
      let shift = try #require(night.shift(at: start, zone: TransitionTable.berlin))
      var bench = Bench([(shift.span.from, .running)])
      bench.schedule = night.schedule(over: shift.span, zone: TransitionTable.berlin)
      let result = bench.ledger.result(over: shift.span)
      #expect(result.figures.time.plannedBusyTime == Int64(hours) * 3_600_000_000)
      #expect(result.kpis.availability.value == 1)
      let parts = bench.ledger.hours(in: shift.span, zone: TransitionTable.berlin)
      #expect(parts.count == hours)
    }
  }
}
