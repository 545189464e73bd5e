import Statistics

#if canImport(Glibc)
  import Glibc
#endif

/// A body that is heated by power and cools to its surroundings, of first order:
/// τ·dT/dt = ambient + gain·power − T.
///
/// Between two rows at constant power the equation has the exact step
/// T′ = a·T + (1 − a)·(ambient + gain·P) with a = e^(−Δt/τ). From it follows, for a given τ, the whole course as
/// a sum of three known ones, T = ambient + (T₀ − ambient)·e + gain·x, so that the rest is linear least squares;
/// τ itself is found by a search over its logarithm. The course is fitted, not the step (Ljung, System
/// Identification, 2nd ed., section 4.2, output error): noise of the thermometer then does not make τ too short.
public struct ThermalModel: Sendable, Equatable {
  /// Seconds to 63 % of a change.
  public var tauSeconds: Double
  /// Rise above the surroundings per unit of power, once settled.
  public var gain: Double
  /// What it cools to without power.
  public var ambient: Double
  /// Of the temperature along the whole history.
  public var fit: ModelFit
  /// Powers the history holds.
  public var powers: ClosedRange<Double>
  private var powerMean: Double
  private var powerDeviation: Double

  public static let rowsMin = 30
  /// Least R².
  public static let r2Min = 0.5

  /// Fits a history. Cost: about a hundred passes over the rows.
  ///
  /// - Parameters:
  ///   - times: in s, rising; steps need not be equal.
  ///   - temperatures: at these times.
  ///   - powers: from each time to the next; load may stand for it.
  public init(times: [Double], temperatures: [Double], powers: [Double]) throws(FitRefusal) {
    precondition(
      times.count == temperatures.count && times.count == powers.count, "one row for each time")
    try checkRows(times, [temperatures, powers])
    guard times.count >= Self.rowsMin else { throw .tooFew(times.count, needed: Self.rowsMin) }
    let excitation = Excitation(powers)
    guard excitation.isEnough else { throw .noExcitation("power") }
    let span = times[times.count - 1] - times[0]
    let step = span / Double(times.count - 1)
    let search = ThermalSearch(times: times, temperatures: temperatures, powers: powers)
    // Faster than a step or slower than half the history cannot be told from faster or slower still.
    let (low, high) = (0.5 * step, 0.5 * span)
    guard let best = search.best(from: low, to: high) else { throw .noExcitation("power") }
    guard best.tau > 1.05 * low, best.tau < 0.95 * high else {
      throw .unresolved(
        "the temperature settles faster than \(rounded(low)) s or slower than "
          + "\(rounded(high)) s, which this history cannot show")
    }
    guard best.gain > 0 else { throw .implausible("more power makes it colder") }
    tauSeconds = best.tau
    gain = best.gain
    ambient = best.ambient
    self.powers = excitation.low...excitation.high
    powerMean = excitation.mean
    powerDeviation = excitation.deviation
    fit = Operations.fit(
      predictions: search.course(best), truths: temperatures, parameters: 4, spanSeconds: span)
    guard fit.r2 >= Self.r2Min else { throw .weak(r2: fit.r2, needed: Self.r2Min) }
  }

  /// Where it settles at a power.
  public func settled(power: Double) -> Double { ambient + gain * power }

  /// The course from `start` at a power that stays.
  ///
  /// The margin begins at 2 × RMSE, that of one reading, and grows as the course leaves `start` behind for the
  /// settled temperature, which is the less certain the further the power is from those of the history:
  /// 2·rmse·√(1 + s²·(1 + ((P − P̄)/σ)²)) with s = 1 − e^(−t/τ). No averaging over rows is claimed, for
  /// what a model leaves out is alike from row to row.
  public func simulate(
    from start: Double, power: Double, horizonSeconds: Double, everySeconds: Double
  ) -> Projection {
    let target = settled(power: power)
    let distance = (power - powerMean) / powerDeviation
    let points = instants(horizonSeconds, every: everySeconds).map { seconds in
      let share = -expm1(-seconds / tauSeconds)
      let value = start + (target - start) * share
      let margin = 2 * fit.rmse * (1 + share * share * (1 + distance * distance)).squareRoot()
      return Projection.Point(
        seconds: seconds, value: value, low: value - margin, high: value + margin)
    }
    return Projection(
      points: points, fit: fit, extrapolated: powers.contains(power) ? [] : ["power"])
  }
}

/// The least-squares problem of a history, for one τ after the other.
private struct ThermalSearch {
  let times: [Double]
  let temperatures: [Double]
  let powers: [Double]

  struct Solution {
    var tau: Double
    var ambient: Double
    /// Of the first row, less the ambient.
    var excess: Double
    var gain: Double
    var squares: Double
  }

  /// The best τ between two: a grid over the logarithm, then the golden section about its best point.
  func best(from low: Double, to high: Double) -> Solution? {
    let count = 40
    let taus = (0...count).map { low * exp(log(high / low) * Double($0) / Double(count)) }
    var best: Solution?
    var place = 0
    for (index, tau) in taus.enumerated() {
      guard let solution = solve(tau), solution.squares < best?.squares ?? .infinity else {
        continue
      }
      best = solution
      place = index
    }
    var left = log(taus[max(0, place - 1)])
    var right = log(taus[min(count, place + 1)])
    let ratio = 0.5 * (5.0.squareRoot() - 1)
    for _ in 0..<30 {
      let (a, b) = (right - ratio * (right - left), left + ratio * (right - left))
      let (first, second) = (solve(exp(a)), solve(exp(b)))
      if first?.squares ?? .infinity <= second?.squares ?? .infinity { right = b } else { left = a }
      for candidate in [first, second] {
        if let candidate, candidate.squares < best?.squares ?? .infinity { best = candidate }
      }
    }
    return best
  }

  /// What is left of the start, and the power as the body has taken it up, at each row.
  private func courses(_ tau: Double) -> (left: [Double], taken: [Double]) {
    var left = [1.0]
    var taken = [0.0]
    for row in 1..<times.count {
      let a = exp(-(times[row] - times[row - 1]) / tau)
      left.append(left[row - 1] * a)
      taken.append(a * taken[row - 1] + (1 - a) * powers[row - 1])
    }
    return (left, taken)
  }

  func course(_ solution: Solution) -> [Double] {
    let (left, taken) = courses(solution.tau)
    return times.indices.map {
      solution.ambient + solution.excess * left[$0] + solution.gain * taken[$0]
    }
  }

  /// Least squares of two courses and a constant, about the means.
  /// - Returns: `nil` when the courses are too much alike to be told apart.
  private func solve(_ tau: Double) -> Solution? {
    let (left, taken) = courses(tau)
    let count = Double(times.count)
    var (leftMean, takenMean, mean) = (0.0, 0.0, 0.0)
    for row in times.indices {
      leftMean += left[row] / count
      takenMean += taken[row] / count
      mean += temperatures[row] / count
    }
    var (ll, lt, tt, ly, ty) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for row in times.indices {
      let (l, t) = (left[row] - leftMean, taken[row] - takenMean)
      let y = temperatures[row] - mean
      ll += l * l
      lt += l * t
      tt += t * t
      ly += l * y
      ty += t * y
    }
    let determinant = ll * tt - lt * lt
    guard determinant > 1e-12 * ll * tt else { return nil }
    var solution = Solution(
      tau: tau, ambient: 0, excess: (ly * tt - ty * lt) / determinant,
      gain: (ty * ll - ly * lt) / determinant, squares: 0)
    solution.ambient = mean - solution.excess * leftMean - solution.gain * takenMean
    for row in times.indices {
      let error =
        temperatures[row] - solution.ambient - solution.excess * left[row]
        - solution.gain * taken[row]
      solution.squares += error * error
    }
    return solution
  }
}
