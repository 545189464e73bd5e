import Telemetry
import Testing

@testable import Web

@Suite("Energy over HTTP")
struct EnergyTests {
  private static let devices =
    Bench.devices.replacing(
      "temperature: {unit: °C}",
      with: "temperature: {unit: °C}\n      energy: {kind: counter, unit: kW.h}")
      + """

      energy:
        meters:
          - {id: press, device: press1, energy: energy}
        tariff: {currency: EUR, time_zone: UTC, price_per_kwh: 0.25, demand_charge_per_kw: 10}
        co2: {factor: 0.2, unit: kg/kWh, source: label}
      """

  private static func number(_ value: JSONValue?) -> Double? {
    guard case .number(let digits)? = value else { return nil }
    return Double(digits)
  }

  /// An hour: 30 kWh in the first quarter, 10 in each other; 60 strokes of which 50 were good.
  private static func work(_ bench: Bench) async throws {
    for (minute, energy, cycles, good) in [
      (0, 100.0, 0, 0), (15, 130, 20, 15), (30, 140, 40, 30), (45, 150, 50, 40), (60, 160, 60, 50),
    ] {
      let answer = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": \#(1_795_248_000 + minute * 60), "metrics": {"energy": \#(energy), "cycles": \#(cycles), "good": \#(good), "state": "running"}}"#
      )
      #expect(answer.status == 200, "\(answer.text)")
    }
  }

  @Test("A meter tells energy, peak, cost, CO₂ and energy for each good part")
  func report() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await Self.work(bench)
      let items = try await bench.get("/api/v1/energy?from=1795248000&to=1795251600").json["items"]
      let meter = try #require(items?.elements?.first)
      #expect(Self.number(meter["energy_kwh"]) == 60)
      #expect(Self.number(meter["coverage"]) == 1)
      // 30 kWh in a quarter of an hour are 120 kW.
      let peak = meter["peak_demand"]?["highest"]?.elements?.first
      #expect(Self.number(peak?["demand_kw"]) == 120)
      #expect(Self.number(meter["cost"]?["energy_cost"]) == 15)
      #expect(Self.number(meter["cost"]?["demand_cost"]) == 1_200)
      #expect(Self.number(meter["co2_kg"]) == 12)
      #expect(meter["machines"]?.elements == [.string("press1")])
    }
  }

  @Test("What is not there is refused with what is near; a baseline needs days")
  func mistakes() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      let unknown = try await bench.get("/api/v1/energy?meter=pres")
      #expect(unknown.status == 404)
      #expect(unknown.text.contains("did you mean `press`?"))
      let reversed = try await bench.get("/api/v1/energy?from=1795251600&to=1795248000")
      #expect(reversed.status == 400)
      let bare = try await bench.get("/api/v1/energy/savings?meter=press")
      #expect(bare.status == 400)
      #expect(bare.text.contains("baseline_from"))
      try await Self.work(bench)
      let few = try await bench.get(
        "/api/v1/energy/savings?meter=press&baseline_from=1795248000&baseline_to=1795334400")
      #expect(few.status == 400)
      #expect(few.text.contains("no baseline from"))
    }
  }

  @Test("Savings are what the days would have used in the reference time, less what they used")
  func savings() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      // Midnight of Sunday 2026-11-01 UTC; each day 10 kWh and 1 for each of its parts, then a kWh less.
      let first = 1_793_491_200
      var energy = 0.0
      var cycles = 0
      for day in 0...20 {
        let answer = try await bench.post(
          IngestTests.path,
          #"{"device_id": "press1", "timestamp": \#(first + day * 86_400), "metrics": {"energy": \#(energy), "cycles": \#(cycles), "good": \#(cycles), "state": "running"}}"#
        )
        #expect(answer.status == 200, "\(answer.text)")
        // A counter that is read once a day has gaps; a reading each hour makes the day covered.
        let parts = 20 + day % 5
        let used = 10 + Double(parts) - (day >= 14 ? 1 : 0)
        for hour in 1..<24 {
          let share = Double(hour) / 24
          _ = try await bench.post(
            IngestTests.path,
            #"{"device_id": "press1", "timestamp": \#(first + day * 86_400 + hour * 3_600), "metrics": {"energy": \#(energy + used * share), "cycles": \#(cycles + Int(Double(parts) * min(1, share * 1.2))), "good": \#(cycles), "state": "running"}}"#
          )
        }
        energy += used
        cycles += parts
      }
      let answer = try await bench.get(
        "/api/v1/energy/savings?meter=press&baseline_from=\(first)&baseline_to=\(first + 14 * 86_400)"
          + "&from=\(first + 14 * 86_400)&to=\(first + 20 * 86_400)"
      ).json
      let saved = try #require(Self.number(answer["savings"]?["saved_kwh"]), "\(answer.encoded)")
      #expect((saved - 6).magnitude < 1e-6, "\(saved)")
      #expect(answer["savings"]?["periods"]?.elements?.count == 6)
    }
  }
}
