import Operations
import Statistics
import Telemetry
import TestSupport
import Testing

@Suite struct EnergyBaselineTests {
  /// 100 kWh a day, 2 for each part, 15 for each degree day.
  private func days(_ count: Int, saving: Double = 0) -> [EnergyObservation] {
    var random = SeededGenerator(seed: 2)
    return (0..<count).map { day in
      let parts = Double(Int.random(in: 50...150, using: &random))
      let degrees = DegreeDays.heating(meanCelsius: Double(day % 25) - 3)
      let noise = Double.random(in: -5...5, using: &random)
      return EnergyObservation(
        period: "day \(day)", kilowattHours: 100 + 2 * parts + 15 * degrees + noise - saving,
        drivers: [parts, degrees])
    }
  }

  @Test("What made the energy is found again, with errors to match")
  func fit() throws {
    let baseline = try EnergyBaseline(drivers: ["parts", "degree_days"], reference: days(120))
    let fit = baseline.fit
    #expect(abs(fit.coefficients[0].value - 2) < 4 * (fit.coefficients[0].standardError ?? 0))
    #expect(abs(fit.coefficients[1].value - 15) < 4 * (fit.coefficients[1].standardError ?? 0))
    #expect((fit.coefficients[0].standardError ?? 1) < 0.02)
    #expect(fit.rSquared > 0.99 && (fit.cvRMSE ?? 1) < 0.02)
    #expect(baseline.warnings.isEmpty && baseline.collinearDrivers.isEmpty)
    #expect(baseline.json["drivers"]?.elements?.count == 2)
  }

  @Test("Savings add up against the adjusted baseline, and strange drivers are named")
  func savings() throws {
    let baseline = try EnergyBaseline(drivers: ["parts", "degree_days"], reference: days(120))
    var later = days(60, saving: 20)
    later[59].drivers[0] = 400
    later[59].kilowattHours = baseline.expectedKilowattHours(later[59].drivers) - 20
    let savings = EnergySavings(later, baseline: baseline)
    #expect(abs(savings.savedKilowattHours - 60 * 20) < 60)
    #expect(abs(savings.rows[29].cumulativeKilowattHours - 600) < 60)
    #expect(
      abs(
        savings.expectedKilowattHours - savings.actualKilowattHours - savings.savedKilowattHours)
        < 1e-6)
    #expect((savings.performanceIndicator ?? 1) < 1)
    #expect(savings.rows[59].extrapolatedDrivers == ["parts"])
    #expect(savings.rows[58].extrapolatedDrivers.isEmpty)
    // The reference time itself saves nothing: residuals of least squares sum to zero.
    let none = EnergySavings(days(120), baseline: baseline)
    #expect(abs(none.savedKilowattHours) < 1e-6)
  }

  @Test("A weak baseline says so")
  func weak() throws {
    let reference = (0..<12).map {
      EnergyObservation(
        period: "\($0)", kilowattHours: [10, 90, 30, 70][$0 % 4],
        drivers: [Double($0 % 3), Double($0 % 3) * 2])
    }
    let baseline = try EnergyBaseline(drivers: ["a", "b"], reference: reference)
    #expect(baseline.warnings == EnergyBaseline.Warning.allCases)
    #expect(baseline.collinearDrivers == ["a", "b"])
  }

  @Test("Degree days count from their base")
  func degreeDays() {
    #expect(DegreeDays.heating(meanCelsius: 5) == 10 && DegreeDays.heating(meanCelsius: 16) == 0)
    #expect(DegreeDays.cooling(meanCelsius: 25) == 3 && DegreeDays.cooling(meanCelsius: 10) == 0)
  }
}
