import Devices
import Operations
import Telemetry
import Testing

@Suite struct EnergyCostTests {
  static let tariff = Tariff(
    currency: "EUR", timeZone: "Europe/Vienna", pricePerKilowattHour: 0.2,
    periods: [
      Tariff.Period(
        name: "night", days: [.mon, .tue, .wed, .thu, .fri],
        from: TimeOfDay(second: 79_200), to: TimeOfDay(second: 21_600), pricePerKilowattHour: 0.1),
      Tariff.Period(
        name: "sunday", days: [.sun], from: TimeOfDay(second: 0), to: TimeOfDay(second: 86_400),
        pricePerKilowattHour: 0.05),
    ], demandChargePerKilowatt: 10, fixedPerMonth: 31)

  /// `kilowatts` through the whole span, in quarters.
  static func constant(_ kilowatts: Double, _ from: String, _ to: String) -> [DemandInterval] {
    MeteringGrid(zone: MeteringTests.vienna).intervals(in: MeteringTests.span(from, to)).map {
      DemandInterval(span: $0, kilowattHours: kilowatts / 4)
    }
  }

  @Test(
    "Each quarter has the price of its local hour; a night belongs to the day on which it begins")
  func periods() {
    // Friday 6 March 12:00 to Monday 9 March 12:00 local, 72 hours of 8 kW.
    let cost = EnergyCost(
      Self.constant(8, "2026-03-06T11:00:00Z", "2026-03-09T11:00:00Z"), tariff: Self.tariff,
      emissions: EmissionFactor(kilogramsPerKilowattHour: 0.25), zone: MeteringTests.vienna)
    #expect(cost.kilowattHours == 576)
    #expect(cost.periods.map(\.name) == ["night", "sunday", "other"])
    // Night: Friday 22:00 to Saturday 06:00 alone. That of Sunday is not one of its days, so Monday
    // before 06:00 has the usual price.
    #expect(cost.periods.map(\.kilowattHours) == [64, 192, 320])
    #expect(abs(cost.energyCost - (6.4 + 9.6 + 64)) < 1e-9)
    #expect(cost.months.map(\.month) == ["2026-03"])
    #expect(cost.demandCost == 80)
    // 72 hours of a March that is an hour shorter than 31 days.
    #expect(abs(cost.fixedCost - 31 * 72 / 743.0) < 1e-9)
    #expect(cost.kilogramsCO2 == 144)
    #expect(abs(cost.total - (cost.energyCost + 80 + cost.fixedCost)) < 1e-9)
  }

  @Test("Each calendar month pays for its own highest quarter, of those that were measured")
  func months() {
    var intervals = Self.constant(8, "2026-01-31T22:00:00Z", "2026-02-01T01:00:00Z")
    #expect(intervals.count == 12)
    intervals[1].kilowattHours = 5
    intervals[6].kilowattHours = 100
    intervals[6].coverage = 0.5
    let cost = EnergyCost(intervals, tariff: Self.tariff, zone: MeteringTests.vienna)
    #expect(cost.months.map(\.month) == ["2026-01", "2026-02"])
    #expect(cost.months.map { $0.peak?.kilowatts } == [20, 8])
    #expect(cost.months.map(\.demandCost) == [200, 80])
    #expect(cost.uncoveredCount == 1 && cost.kilogramsCO2 == nil)
    #expect(cost.json["months"]?.elements?.count == 2)
  }

  private static func load(_ text: String) throws -> (EnergyConfiguration?, [String]) {
    let (configuration, diagnostics) = EnergyConfiguration.load(
      files: [ConfigurationFile(name: "e.yaml", content: text)],
      devices: try QualityConfigurationTests.devices(),
      isKnownTimeZone: { $0 == "UTC" || $0 == "Europe/Vienna" })
    return (configuration, diagnostics.map(\.description))
  }

  @Test("The example file loads without a word, beside all others")
  func example() throws {
    let (loaded, diagnostics) = EnergyConfiguration.load(
      files: try QualityConfigurationTests.examples(),
      devices: try QualityConfigurationTests.devices())
    #expect(diagnostics.map(\.description) == [])
    let energy = try #require(loaded)
    #expect(energy.meters.map(\.id) == ["main", "press1", "mill1"])
    #expect(energy.meters[0].source == .counter(metric: "energy.import", rollover: nil))
    #expect(energy.meters[0].unit.code == "kW.h" && energy.meters[0].kilowattScale == 1)
    #expect(energy.tariff?.periods.map(\.name) == ["night", "weekend"])
    #expect(energy.tariff?.demandChargePerKilowatt == 9.5)
    #expect(abs((energy.emissions?.kilogramsPerKilowattHour ?? 0) - 0.2) < 1e-12)
  }

  @Test("Every example of the document loads without a word")
  func document() throws {
    let blocks = try QualityConfigurationTests.blocks(of: "docs/energy.md", key: "energy")
    #expect(blocks.count >= 2)
    for block in blocks {
      let (configuration, diagnostics) = EnergyConfiguration.load(
        files: [block], devices: try QualityConfigurationTests.devices())
      #expect(diagnostics.map(\.description) == [], "\(block.name)")
      #expect(configuration != nil)
    }
  }

  @Test("Units of meters and of the CO₂ factor are converted")
  func units() throws {
    let (loaded, diagnostics) = try Self.load(
      """
      energy:
        meters:
          - {id: a, device: press1, power: power, unit: W}
          - {id: b, device: hmi1, energy: wh, unit: Wh, rollover: 1000000}
        co2: {factor: 250, unit: g/kWh}
      """)
    #expect(
      diagnostics == ["e.yaml:4:37: warning: `wh` is no metric of the profile `operator_hmi`"])
    let energy = try #require(loaded)
    #expect(energy.meters.map(\.kilowattScale) == [0.001, 0.001])
    #expect(energy.meters[1].source == .counter(metric: "wh", rollover: 1_000_000))
    #expect(abs((energy.emissions?.kilogramsPerKilowattHour ?? 0) - 0.25) < 1e-12)
    let curve = energy.meters[1].curve(
      MeteringTests.samples(MeteringTests.day, [(0, 999_000), (10, 1_000)]))
    #expect(abs(curve.energy(in: curve.span ?? Span(.epoch..<(.epoch))).kilowattHours - 2) < 1e-12)
  }

  @Test(
    "A mistake is reported at its place, with the nearest name",
    arguments: [
      (
        "meters: [{id: a, device: meter2, energy: x}]",
        "unknown device `meter2`, did you mean `meter1`?"
      ),
      ("meters: [{id: a, device: meter1}]", "a meter needs `energy`"),
      ("meters: [{id: a, device: meter1, energy: power}]", "`power` is a gauge, not a counter"),
      (
        "meters: [{id: a, device: meter1, energy: energy.imprt}]",
        "warning: `energy.imprt` is no metric of the profile `energy_meter`, did you mean `energy.import`?"
      ),
      ("meters: [{id: a, device: meter1, power: power, unit: kWh}]", "`kW.h` is no unit of power"),
      (
        "meters: [{id: a, device: meter1, power: power, rollover: 5}]", "`rollover` is for counters"
      ),
      (
        "meters: [{id: a, device: meter1, power: power, covers: [acme/wien]}]",
        "neither a device nor an asset"
      ),
      (
        "meters: [{id: a, device: meter1, power: power, cover: [press1]}]", "did you mean `covers`?"
      ),
      (
        "meters: [{id: a, device: meter1, power: power}, {id: a, device: press1, power: power}]",
        "duplicate meter `a`, first at e.yaml:2:17"
      ),
      ("tariff: {currency: EUR}", "`price_per_kwh` is missing"),
      ("tariff: {currency: EUR, price_per_kwh: 0.2, time_zone: Europe/Wien}", "unknown time zone"),
      ("tariff: {currency: EUR, price_per_kwh: 0.2, fixed_per_month: -1}", "must not be negative"),
      (
        "tariff: {currency: EUR, price_per_kwh: 0.2, periods: [{name: n, from: 22:00, to: 22:00, price_per_kwh: 1}]}",
        "`to` is `from`"
      ),
      ("co2: {factor: 0.2, unit: kg}", "`kg` is no mass for an energy"),
      ("co2: {factor: 0.2}", "`unit` is missing"), ("metres: []", "did you mean `meters`?"),
    ])
  func mistakes(entry: String, message: String) throws {
    let (configuration, diagnostics) = try Self.load("energy:\n  \(entry)\n")
    #expect(diagnostics.contains { $0.contains(message) }, "\(diagnostics)")
    #expect((configuration == nil) == diagnostics.contains { $0.contains(" error: ") })
  }
}
