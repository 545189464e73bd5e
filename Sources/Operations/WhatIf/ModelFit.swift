import Statistics

/// How well a model fits the history it was made of; stands beside everything that is projected with it.
public struct ModelFit: Sendable, Equatable {
  /// Root of the mean squared error of one step, in the unit of what is projected.
  public var rmse: Double
  /// Share of the variance of what is fitted that the model explains: 1 all of it, 0 none.
  public var r2: Double
  /// Rows that were fitted.
  public var count: Int
  /// From the first to the last row, in s.
  public var spanSeconds: Double
}

/// Why a model cannot be fitted to a history.
public enum FitRefusal: Error, Equatable, CustomStringConvertible {
  case tooFew(Int, needed: Int)
  /// What is to explain the rest hardly ever changes.
  case noExcitation(String)
  /// The history is too short or too coarse for what is sought.
  case unresolved(String)
  /// Rows go back in time, or have numbers that are not finite.
  case disorder(row: Int)
  /// The best fit contradicts physics.
  case implausible(String)
  /// It explains less than the model's least share.
  case weak(r2: Double, needed: Double)

  /// Snake case, for programs.
  public var code: String {
    switch self {
    case .tooFew: "too_few_points"
    case .noExcitation: "no_excitation"
    case .unresolved: "unresolved"
    case .disorder: "disordered"
    case .implausible: "implausible"
    case .weak: "weak_fit"
    }
  }

  public var description: String {
    switch self {
    case .tooFew(let count, let needed):
      "\(count) usable rows are too few: at least \(needed) are needed; take a longer history"
    case .noExcitation(let name):
      "\(name) hardly changes in this history, so its effect cannot be told; take a history in "
        + "which the machine ran differently"
    case .unresolved(let reason): reason
    case .disorder(let row):
      "row \(row + 1) is not later than the one before, or holds a number that is not finite"
    case .implausible(let reason): "\(reason), which no such machine does: another cause is at work"
    case .weak(let r2, let needed):
      "the model explains \(percent(r2)) % of the history; at least \(percent(needed)) % are needed"
    }
  }

  private func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10)" }
}

/// A course that a model expects: never a measurement, and said so.
public struct Projection: Sendable, Equatable {
  public struct Point: Sendable, Equatable {
    /// From the start of the projection, in s.
    public var seconds: Double
    public var value: Double
    /// About 95 of 100 courses stay between them, if the model is right: ±2 × the error it has grown to.
    public var low: Double
    public var high: Double
  }

  /// Stands in every answer.
  public static let label = "projection"

  public var points: [Point]
  public var fit: ModelFit
  /// Set-points outside what the history holds: the model was never tried there.
  public var extrapolated: [String]
}

/// Numbers of a history: bounds and spread of what a model depends on.
struct Excitation: Sendable, Equatable {
  var low: Double
  var high: Double
  /// Standard deviation, n − 1.
  var deviation: Double
  var mean: Double

  init(_ values: [Double]) {
    var sum = 0.0
    low = values.first ?? 0
    high = low
    for value in values {
      sum += value
      low = min(low, value)
      high = max(high, value)
    }
    mean = sum / Double(max(1, values.count))
    var squares = 0.0
    for value in values { squares += (value - mean) * (value - mean) }
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
  }

  /// Changes enough to show an effect: by at least 2 % of its magnitude.
  var isEnough: Bool { deviation > 0 && deviation >= 0.02 * mean.magnitude }

  func contains(_ value: Double) -> Bool { low <= value && value <= high }
}

/// Checks that times rise and numbers are finite.
func checkRows(_ times: [Double], _ columns: [[Double]]) throws(FitRefusal) {
  for row in times.indices {
    let isLater = row == 0 || times[row] > times[row - 1]
    guard isLater, times[row].isFinite, columns.allSatisfy({ $0[row].isFinite }) else {
      throw .disorder(row: row)
    }
  }
}

/// RMSE and R² of predictions.
func fit(
  predictions: [Double], truths: [Double], parameters: Int, spanSeconds: Double
) -> ModelFit {
  let spread = Excitation(truths).deviation
  var squares = 0.0
  for index in truths.indices {
    let error = predictions[index] - truths[index]
    squares += error * error
  }
  // Fitted parameters make the residuals smaller than new ones would be.
  let freedom = Double(max(1, truths.count - parameters))
  let total = spread * spread * Double(max(1, truths.count - 1))
  return ModelFit(
    rmse: (squares / freedom).squareRoot(), r2: total > 0 ? 1 - squares / total : 0,
    count: truths.count, spanSeconds: spanSeconds)
}

/// From 0 to the horizon, in s; at most 10,000 steps.
func instants(_ horizonSeconds: Double, every stepSeconds: Double) -> [Double] {
  precondition(stepSeconds > 0 && horizonSeconds >= 0, "time goes forward")
  let count = min(10_000, (horizonSeconds / stepSeconds + 1e-9).rounded(.down))
  return (0...Int(count)).map { Double($0) * stepSeconds }
}

/// For sentences.
func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
