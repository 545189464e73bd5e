import Statistics
import Telemetry

/// A period, a day by custom, with what it used and what drives consumption.
public struct EnergyObservation: Hashable, Sendable {
  /// Such as `2026-03-01`.
  public var period: String
  public var kilowattHours: Double
  /// In the order of the baseline's drivers: parts made, degree days, 1 for a weekend.
  public var drivers: [Double]

  public init(period: String, kilowattHours: Double, drivers: [Double]) {
    self.period = period
    self.kilowattHours = kilowattHours
    self.drivers = drivers
  }
}

/// Energy baseline of ISO 50001 and ISO 50006: consumption as a linear function of its drivers in a reference time.
///
/// kWh = b₀ + b₁·x₁ + …, by least squares. Steel works (UCI, 365 days; weekend, quarters of medium and of maximum
/// load): R² 0.598, CV(RMSE) 0.356, coefficients 1354.617, −1270.964, 39.431, 29.573. There every day has either no
/// such quarters or 32 and 24, so the last two drivers say the same: the coefficients are the shortest of all
/// that fit equally well, and `collinearDrivers` says so.
public struct EnergyBaseline: Hashable, Sendable {
  public enum Warning: String, Sendable, Hashable, CaseIterable {
    /// R² below 0.75: the drivers explain too little for claims about savings.
    case weakFit = "weak_fit"
    /// CV(RMSE) above 0.25.
    case largeError = "large_error"
    /// Fewer than ten periods for each coefficient.
    case fewPeriods = "few_periods"
    /// Drivers that say the same; see `collinearDrivers`.
    case collinear = "collinear_drivers"
  }

  public let drivers: [String]
  public let fit: LeastSquares
  /// Lowest and highest of each driver in the reference time.
  public let ranges: [ClosedRange<Double>]
  /// Drivers whose coefficients cannot be told apart; only their joint effect means something.
  public let collinearDrivers: [String]
  public let warnings: [Warning]

  /// - Throws: `LeastSquares.Refusal` for too few periods, numbers that are not finite and a consumption that never
  ///   changes.
  public init(
    drivers: [String], reference: [EnergyObservation]
  ) throws(LeastSquares.Refusal) {
    precondition(
      reference.allSatisfy { $0.drivers.count == drivers.count },
      "every observation has one number for each driver")
    self.drivers = drivers
    let fit = try LeastSquares(
      rows: reference.map(\.drivers), targets: reference.map(\.kilowattHours))
    self.fit = fit
    ranges = drivers.indices.map { index in
      var (low, high) = (reference[0].drivers[index], reference[0].drivers[index])
      for observation in reference {
        low = min(low, observation.drivers[index])
        high = max(high, observation.drivers[index])
      }
      return low...high
    }
    collinearDrivers = drivers.indices.filter { !fit.coefficients[$0].isIdentified }
      .map { drivers[$0] }
    var warnings: [Warning] = []
    if fit.rSquared < 0.75 { warnings.append(.weakFit) }
    if let error = fit.cvRMSE, error > 0.25 { warnings.append(.largeError) }
    if reference.count < 10 * (drivers.count + 1) { warnings.append(.fewPeriods) }
    if !collinearDrivers.isEmpty { warnings.append(.collinear) }
    self.warnings = warnings
  }

  /// The adjusted baseline: what a period with these drivers would have used in the reference time.
  public func expectedKilowattHours(_ values: [Double]) -> Double { fit.predict(values) }

  /// Drivers outside the range of the reference time, where the line is a guess.
  public func extrapolatedDrivers(_ values: [Double]) -> [String] {
    drivers.indices.filter { !ranges[$0].contains(values[$0]) }.map { drivers[$0] }
  }
}

/// Savings against a baseline, period by period, with their running sum.
///
/// A steady slope of the sum is a steady saving; a bend is the day on which something changed.
public struct EnergySavings: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var period: String
    public var actualKilowattHours: Double
    public var expectedKilowattHours: Double
    /// Expected less actual: positive is saved.
    public var savedKilowattHours: Double
    public var cumulativeKilowattHours: Double
    public var extrapolatedDrivers: [String]
  }

  public var rows: [Row] = []

  public init(_ observations: [EnergyObservation], baseline: EnergyBaseline) {
    var sum = 0.0
    for observation in observations {
      let expected = baseline.expectedKilowattHours(observation.drivers)
      let saved = expected - observation.kilowattHours
      sum += saved
      rows.append(
        Row(
          period: observation.period, actualKilowattHours: observation.kilowattHours,
          expectedKilowattHours: expected, savedKilowattHours: saved,
          cumulativeKilowattHours: sum,
          extrapolatedDrivers: baseline.extrapolatedDrivers(observation.drivers)))
    }
  }

  public var actualKilowattHours: Double { rows.reduce(0) { $0 + $1.actualKilowattHours } }
  public var expectedKilowattHours: Double { rows.reduce(0) { $0 + $1.expectedKilowattHours } }
  public var savedKilowattHours: Double { rows.last?.cumulativeKilowattHours ?? 0 }

  /// Energy performance indicator: actual over expected; below 1 is better than the baseline. `nil` when nothing was
  /// expected.
  public var performanceIndicator: Double? {
    expectedKilowattHours > 0 ? actualKilowattHours / expectedKilowattHours : nil
  }
}

/// Degree days from the mean temperature of a day, in K·d.
public enum DegreeDays {
  /// 5 °C against a base of 15 °C: 10.
  public static func heating(meanCelsius: Double, baseCelsius: Double = 15) -> Double {
    max(0, baseCelsius - meanCelsius)
  }

  public static func cooling(meanCelsius: Double, baseCelsius: Double = 22) -> Double {
    max(0, meanCelsius - baseCelsius)
  }
}
