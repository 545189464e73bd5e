/// Ordinary least squares with an intercept: y = b₀ + b₁·x₁ + …, by Householder QR with column pivoting.
///
/// Golub and Van Loan, Matrix Computations, algorithms 5.2.1 and 5.4.1. Drivers that say the same thing (one is a
/// sum of multiples of others) leave a whole line of equally good coefficients; of these the shortest is
/// given, and the drivers concerned are named: together they predict well, apart they mean nothing.
/// Longley's data (NIST StRD) come out with the certified coefficients to nine digits.
public struct LeastSquares: Sendable, Hashable {
  public struct Coefficient: Sendable, Hashable {
    public var value: Double
    /// `nil` when no degree of freedom is left, or when the data do not tell it from the other drivers.
    public var standardError: Double?
    /// False: other values, with other values elsewhere, fit just as well.
    public var isIdentified: Bool
  }

  public enum Refusal: Error, Hashable, Sendable {
    /// At least as many rows as coefficients are needed.
    case tooFewRows(Int, needed: Int)
    case notFinite(row: Int)
    /// Every y is the same: there is nothing to explain.
    case constantTarget
  }

  public let intercept: Coefficient
  /// In the order of the columns.
  public let coefficients: [Coefficient]
  public let rowCount: Int
  /// Independent columns, the intercept among them.
  public let rank: Int
  /// Σ(y − ŷ)².
  public let residualSquares: Double
  /// Σ(y − ȳ)².
  public let totalSquares: Double
  public let meanTarget: Double

  /// Share of the variance of y that is explained.
  public var rSquared: Double { 1 - residualSquares / totalSquares }

  /// R² less what any further driver would explain by chance; `nil` without a degree of freedom.
  public var adjustedRSquared: Double? {
    guard rowCount > rank else { return nil }
    return 1 - (1 - rSquared) * Double(rowCount - 1) / Double(rowCount - rank)
  }

  /// √(Σ(y − ŷ)²/n) / |ȳ|: the usual error as a share of the usual value; `nil` when ȳ is 0.
  public var cvRMSE: Double? {
    meanTarget == 0
      ? nil : (residualSquares / Double(rowCount)).squareRoot() / meanTarget.magnitude
  }

  /// √(Σ(y − ŷ)²/(n − rank)), in the unit of y; `nil` without a degree of freedom.
  public var standardError: Double? {
    rowCount > rank ? (residualSquares / Double(rowCount - rank)).squareRoot() : nil
  }

  public func predict(_ row: [Double]) -> Double {
    precondition(row.count == coefficients.count, "a row has one number for each driver")
    var sum = intercept.value
    for (index, x) in row.enumerated() { sum += coefficients[index].value * x }
    return sum
  }

  /// - Parameters:
  ///   - rows: one array for each observation, all of one length (which may be 0: the mean alone).
  ///   - targets: as many as rows.
  public init(rows: [[Double]], targets: [Double]) throws(Refusal) {
    precondition(rows.count == targets.count, "every row has a target")
    let width = (rows.first?.count ?? 0) + 1
    precondition(rows.allSatisfy { $0.count == width - 1 }, "rows have one length")
    guard rows.count >= width else { throw .tooFewRows(rows.count, needed: width) }
    for (index, row) in rows.enumerated()
    where !targets[index].isFinite || !row.allSatisfy(\.isFinite) {
      throw .notFinite(row: index)
    }
    var columns = [[Double](repeating: 1, count: rows.count)]
    for column in 0..<width - 1 { columns.append(rows.map { $0[column] }) }
    var sum = 0.0
    for target in targets { sum += target }
    let mean = sum / Double(targets.count)
    var total = 0.0
    for target in targets { total += (target - mean) * (target - mean) }
    guard total > 0 else { throw .constantTarget }

    let factors = PivotedQR(columns: columns, right: targets)
    let solution = factors.shortestSolution()
    var residual = 0.0
    for (index, target) in targets.enumerated() {
      var fitted = solution.values[0]
      for column in 1..<max(width, 1) { fitted += solution.values[column] * columns[column][index] }
      residual += (target - fitted) * (target - fitted)
    }
    let freedom = rows.count - factors.rank
    let deviation = freedom > 0 ? (residual / Double(freedom)).squareRoot() : nil
    let all = (0..<width).map { column in
      Coefficient(
        value: solution.values[column],
        standardError: deviation.flatMap { deviation in
          solution.isIdentified[column] ? deviation * solution.lengths[column] : nil
        }, isIdentified: solution.isIdentified[column])
    }
    intercept = all[0]
    coefficients = Array(all.dropFirst())
    rowCount = rows.count
    rank = factors.rank
    residualSquares = residual
    totalSquares = total
    meanTarget = mean
  }
}
