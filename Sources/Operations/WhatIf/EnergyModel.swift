import Statistics

/// Power as a line of what drives it: base + Σ coefficient × driver (speed, load, …).
///
/// Ordinary least squares, as an energy baseline is made (ISO 50006).
public struct EnergyModel: Sendable, Equatable {
  public struct Driver: Sendable, Equatable {
    public var name: String
    /// Power per unit of the driver.
    public var coefficient: Double
    /// What the history holds.
    public var range: ClosedRange<Double>
    /// What it is on average: assumed where nothing is said.
    public var mean: Double
  }

  /// Power when every driver is 0.
  public var base: Double
  public var drivers: [Driver]
  public var fit: ModelFit

  public static let rowsMin = 20
  public static let r2Min = 0.3

  /// - Parameters:
  ///   - times: in s, rising.
  ///   - power: at these times.
  ///   - drivers: each with its numbers at these times; at least one, with names of their own.
  public init(
    times: [Double], power: [Double], drivers: [(name: String, values: [Double])]
  ) throws(FitRefusal) {
    precondition(!drivers.isEmpty, "something drives the power")
    precondition(
      times.count == power.count && drivers.allSatisfy { $0.values.count == times.count },
      "one row for each time")
    try checkRows(times, [power] + drivers.map(\.values))
    let needed = max(Self.rowsMin, 10 * drivers.count)
    guard times.count >= needed else { throw .tooFew(times.count, needed: needed) }
    let excitations = drivers.map { Excitation($0.values) }
    if let still = excitations.firstIndex(where: { !$0.isEnough }) {
      throw .noExcitation(drivers[still].name)
    }
    let rows = Matrix(rows: times.indices.map { row in drivers.map { $0.values[row] } })
    let model: LinearModel
    do throws(RegressionError) {
      model = try RidgeRegression.fit(rows: rows, labels: power, penalty: 0)
    } catch {
      throw .noExcitation(drivers.map(\.name).joined(separator: " apart from "))
    }
    var base = model.base
    for index in drivers.indices { base -= model.weights[index] * model.means[index] }
    self.base = base
    self.drivers = drivers.indices.map {
      Driver(
        name: drivers[$0].name, coefficient: model.weights[$0],
        range: excitations[$0].low...excitations[$0].high, mean: excitations[$0].mean)
    }
    fit = Operations.fit(
      predictions: times.indices.map { model.value(Array(rows.row($0))) }, truths: power,
      parameters: drivers.count + 1, spanSeconds: times[times.count - 1] - times[0])
    guard fit.r2 >= Self.r2Min else { throw .weak(r2: fit.r2, needed: Self.r2Min) }
  }

  /// - Parameter setPoints: what is not named stays at its mean.
  public func power(_ setPoints: [(name: String, value: Double)]) -> Double {
    var sum = base
    for driver in drivers {
      sum += driver.coefficient * (setPoints.last { $0.name == driver.name }?.value ?? driver.mean)
    }
    return sum
  }

  /// Energy used since the start at set-points that stay, in unit of power × hours.
  ///
  /// How far off the machine's own line is does not average out over time, so the margin grows with it:
  /// ±2 × rmse × hours. It is an upper bound where errors are independent.
  public func simulate(
    _ setPoints: [(name: String, value: Double)], horizonSeconds: Double, everySeconds: Double
  ) -> Projection {
    let power = power(setPoints)
    let points = instants(horizonSeconds, every: everySeconds).map { seconds in
      let hours = seconds / 3_600
      let margin = 2 * fit.rmse * hours
      return Projection.Point(
        seconds: seconds, value: power * hours, low: power * hours - margin,
        high: power * hours + margin)
    }
    let outside = drivers.filter { driver in
      setPoints.last { $0.name == driver.name }.map { !driver.range.contains($0.value) } ?? false
    }
    return Projection(points: points, fit: fit, extrapolated: outside.map(\.name))
  }
}
