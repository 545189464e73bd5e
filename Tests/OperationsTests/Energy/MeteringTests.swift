import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct MeteringTests {
  static func moment(_ text: String) -> Timestamp { Timestamp(rfc3339: text) ?? .epoch }

  /// From `start`, in minutes.
  static func samples(_ start: String, _ pairs: [(Double, Double)]) -> [MeterSample] {
    pairs.map {
      MeterSample(
        time: moment(start).advanced(byMicroseconds: Int64($0.0 * 60_000_000)), value: $0.1)
    }
  }

  static func span(_ from: String, _ to: String) -> Span {
    Span(from: moment(from), to: moment(to)) ?? Span(.epoch..<(.epoch))
  }

  /// Vienna in 2026: summer time from 29 March to 25 October.
  static let vienna = TransitionTable(
    initialOffsetSeconds: 3_600,
    transitions: [
      TransitionTable.Transition(moment: moment("2026-03-29T01:00:00Z"), offsetSeconds: 7_200),
      TransitionTable.Transition(moment: moment("2026-10-25T01:00:00Z"), offsetSeconds: 3_600),
    ])

  static let day = "2026-03-02T00:00:00Z"

  @Test("Energy at borders between readings is interpolated, and adjoining intervals sum to the whole")
  func interpolation() {
    let curve = EnergyCurve(counter: Self.samples(Self.day, [(0, 100), (10, 110), (30, 150)]))
    let first = curve.energy(in: Self.span(Self.day, "2026-03-02T00:15:00Z"))
    let second = curve.energy(in: Self.span("2026-03-02T00:15:00Z", "2026-03-02T00:30:00Z"))
    #expect(first.kilowattHours == 20 && second.kilowattHours == 30)
    #expect(first.coverage == 1 && second.coverage == 1)
    let whole = curve.energy(in: Self.span(Self.day, "2026-03-02T01:00:00Z"))
    #expect(whole.kilowattHours == 50 && whole.coverage == 0.5)
    #expect(curve.energy(in: Self.span("2026-03-01T00:00:00Z", Self.day)).kilowattHours == 0)
  }

  @Test("A counter that starts again higher than anything could have used is another meter, and counts from there")
  func replacement() {
    let curve = EnergyCurve(
      counter: Self.samples(Self.day, [(0, 20_000), (5, 20_005), (10, 11_542), (15, 11_546)]))
    #expect(curve.resets == 0 && curve.replacements.count == 1)
    let amount = curve.energy(in: Self.span(Self.day, "2026-03-02T00:15:00Z"))
    #expect(amount.kilowattHours == 9)
    #expect((amount.coverage - 2.0 / 3).magnitude < 1e-9)
  }

  @Test("A reset, a rollover and a small step back are told apart")
  func counters() {
    let reset = EnergyCurve(counter: Self.samples(Self.day, [(0, 900), (5, 905), (10, 3), (15, 4)]))
    #expect(reset.resets == 1)
    #expect(reset.energy(in: Self.span(Self.day, "2026-03-02T00:15:00Z")).kilowattHours == 9)
    let over = EnergyCurve(
      counter: Self.samples(Self.day, [(0, 995), (5, 999), (10, 4)]), rollover: 1_000)
    #expect(over.rollovers == 1 && over.resets == 0)
    #expect(over.energy(in: Self.span(Self.day, "2026-03-02T00:10:00Z")).kilowattHours == 9)
    let back = EnergyCurve(counter: Self.samples(Self.day, [(0, 900), (5, 899), (10, 901)]))
    #expect(back.setBacks.count == 1 && back.resets == 0)
    #expect(back.energy(in: Self.span(Self.day, "2026-03-02T00:10:00Z")).kilowattHours == 1)
    let wattHours = EnergyCurve(
      counter: Self.samples(Self.day, [(0, 0), (5, 2_500)]), kilowattHoursPerUnit: 0.001)
    #expect(wattHours.energy(in: Self.span(Self.day, "2026-03-02T00:05:00Z")).kilowattHours == 2.5)
  }

  @Test("Readings that are bad, stale or no numbers are passed over; of two at one time the later counts")
  func badReadings() {
    var samples = Self.samples(Self.day, [(0, 10), (5, 9_999), (6, .nan), (10, 12), (10, 14)])
    samples[1].quality = .bad
    let curve = EnergyCurve(counter: samples)
    #expect(curve.energy(in: Self.span(Self.day, "2026-03-02T00:10:00Z")).kilowattHours == 4)
    #expect(curve.resets == 0)
  }

  @Test("A counter knows the energy of a gap; power knows nothing of it")
  func gaps() {
    let pairs = [(0.0, 10.0), (4, 10), (64, 70), (68, 70)]
    let hour = Self.span(Self.day, "2026-03-02T01:08:00Z")
    let counter = EnergyCurve(counter: Self.samples(Self.day, pairs), gapMax: .seconds(600))
    #expect(counter.energy(in: hour).kilowattHours == 60)
    #expect(abs(counter.energy(in: hour).coverage - 8.0 / 68) < 1e-12)
    let power = EnergyCurve(power: Self.samples(Self.day, pairs))
    // 10 kW for four minutes and 70 kW for four minutes.
    #expect(abs(power.energy(in: hour).kilowattHours - 80.0 * 4 / 60) < 1e-12)
    #expect(abs(power.energy(in: hour).coverage - 8.0 / 68) < 1e-12)
  }

  @Test("Power is integrated by trapezoids")
  func power() {
    let curve = EnergyCurve(
      power: Self.samples(Self.day, [(0, 10), (5, 20), (10, 20)]), kilowattsPerUnit: 1)
    let amount = curve.energy(in: Self.span(Self.day, "2026-03-02T00:10:00Z"))
    #expect(abs(amount.kilowattHours - (15.0 + 20) / 12) < 1e-12)
  }

  @Test(
    "A day has 96 quarters of local time, 92 when the clocks go forward and 100 when they go back",
    arguments: [("2026-03-02", 96), ("2026-03-29", 92), ("2026-10-25", 100), ("2026-07-01", 96)])
  func quarters(day: String, count: Int) throws {
    let date = try #require(LocalDate(day))
    let from = Self.vienna.moment(of: LocalTime(date: date, second: 0))
    let to = Self.vienna.moment(of: LocalTime(date: date.adding(days: 1), second: 0))
    let span = try #require(Span(from: from, to: to))
    let intervals = MeteringGrid(zone: Self.vienna).intervals(in: span)
    #expect(intervals.count == count)
    #expect(intervals.first?.from == from && intervals.last?.to == to)
    for (a, b) in zip(intervals, intervals.dropFirst()) { #expect(a.to == b.from) }
    #expect(MeteringGrid(minutes: 60, zone: Self.vienna).intervals(in: span).count == count / 4)
    // Quarters that are not whole within the span are left out.
    let inner = try #require(
      Span(from: from.advanced(byMicroseconds: 1), to: to.advanced(byMicroseconds: -1)))
    #expect(MeteringGrid(zone: Self.vienna).intervals(in: inner).count == count - 2)
  }

  @Test("Quarters of a zone half an hour off begin at its own midnight")
  func halfHour() throws {
    let kolkata = TransitionTable(initialOffsetSeconds: 19_800)
    let intervals = MeteringGrid(zone: kolkata).intervals(
      in: Self.span("2026-03-01T18:30:00Z", "2026-03-02T18:30:00Z"))
    #expect(intervals.count == 96 && intervals[0].from == Self.moment("2026-03-01T18:30:00Z"))
  }

  @Test("The peak is the highest quarter of which enough was measured")
  func peak() {
    // 157.18 kWh in the second quarter; a spike in a quarter measured for a minute does not count.
    let curve = EnergyCurve(
      counter: Self.samples(
        Self.day, [(0, 0), (15, 40), (30, 197.18), (45, 237.18), (60, 240)]
      ), gapMax: .seconds(900))
    let demand = curve.demand(in: Self.span(Self.day, "2026-03-02T02:00:00Z"), zone: Self.vienna)
    #expect(demand.count == 8)
    let peak = PeakDemand(demand, count: 2)
    #expect(abs((peak.peak?.kilowatts ?? 0) - 628.72) < 1e-9)
    #expect(peak.peak?.span.from == Self.moment("2026-03-02T00:15:00Z"))
    #expect(peak.uncoveredCount == 4 && peak.highest.count == 2)
  }

  @Test("The load profile tells workdays, Saturdays and Sundays apart, by local time")
  func profile() throws {
    // Monday 06:00 local is 05:00 UTC in winter; a holiday counts as a Sunday.
    let intervals = [
      ("2026-03-02T05:00:00Z", 10.0), ("2026-03-03T05:15:00Z", 20), ("2026-03-07T05:00:00Z", 3),
      ("2026-03-08T05:00:00Z", 1), ("2026-03-04T05:00:00Z", 2),
    ].map { start, kilowatts in
      DemandInterval(
        span: Span(
          Self.moment(start)..<Self.moment(start).advanced(byMicroseconds: 900_000_000)),
        kilowattHours: kilowatts / 4)
    }
    let profile = LoadProfile(
      intervals, zone: Self.vienna, holidays: [try #require(LocalDate("2026-03-04"))])
    #expect(profile.slots.map(\.day) == [.workday, .saturday, .sunday])
    #expect(profile.slots.allSatisfy { $0.start.description == "06:00" })
    #expect(profile.slots.map(\.count) == [2, 1, 2])
    #expect(profile.slots[0].meanKilowatts == 15 && profile.slots[0].highestKilowatts == 20)
    #expect(profile.slots[2].lowestKilowatts == 1)
  }

  @Test("Energy is told by state; what is drawn without making parts is idle consumption")
  func states() {
    let curve = EnergyCurve(
      counter: Self.samples(Self.day, [(0, 0), (30, 30), (60, 35), (90, 65), (120, 66)]))
    let rows = [("running", 0, 30), ("idle", 30, 60), ("running", 60, 90), ("off", 90, 120)].map {
      StateConsumption.Interval(
        span: Span(
          Self.moment(Self.day).advanced(byMicroseconds: Int64($0.1) * 60_000_000)..<Self.moment(
            Self.day
          ).advanced(byMicroseconds: Int64($0.2) * 60_000_000)), state: $0.0)
    }
    let consumption = StateConsumption(rows, curve: curve)
    #expect(consumption.rows.map(\.state) == ["running", "idle", "off"])
    #expect(consumption.rows.map(\.kilowattHours) == [60, 5, 1])
    #expect(consumption.rows.map(\.meanKilowatts) == [60, 10, 2])
    #expect(consumption.idleKilowattHours == 6 && consumption.idleShare == 6.0 / 66)
    let perPart = EnergyPerPart(curve: curve, spans: rows.map(\.span), goodParts: 33)
    #expect(perPart.kilowattHoursPerGoodPart == 2 && perPart.coverage == 1)
    let none = EnergyPerPart(curve: curve, spans: rows.map(\.span), goodParts: 0)
    #expect(none.kilowattHoursPerGoodPart == nil && none.missing == "no good parts were made")
  }

  @Test("The base load is what 95 % of the intervals exceed")
  func baseLoad() {
    let intervals = (1...100).map { index in
      DemandInterval(
        span: Span(
          Timestamp(microseconds: Int64(index) * 900_000_000)..<Timestamp(
            microseconds: Int64(index + 1) * 900_000_000)), kilowattHours: Double(index) / 4)
    }
    #expect(BaseLoad.kilowatts(intervals.reversed()) == 5)
    #expect(BaseLoad.kilowatts([]) == nil)
  }

  @Test("However it is cut, the parts of a random counter sum to the whole")
  func sums() {
    var random = SeededGenerator(seed: 5)
    var (time, value) = (0.0, 0.0)
    let pairs = (0..<300).map { _ in
      time += Double.random(in: 0.2...20, using: &random)
      value = Int.random(in: 0..<40, using: &random) == 0 ? 0 : value + Double.random(in: 0...9, using: &random)
      return (time, value)
    }
    let curve = EnergyCurve(counter: Self.samples(Self.day, pairs))
    guard let whole = curve.span else { return #expect(Bool(false), "no readings") }
    let total = curve.energy(in: whole).kilowattHours
    #expect(curve.resets > 0 && total > 0)
    var sum = 0.0
    var from = whole.from
    while from < whole.to {
      let step = Int64.random(in: 1...3_000_000_000, using: &random)
      let to = min(whole.to, from.advanced(byMicroseconds: step))
      sum += curve.energy(in: Span(from..<to)).kilowattHours
      from = to
    }
    #expect(abs(sum - total) < 1e-9 * total)
  }
}
