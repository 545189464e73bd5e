#if canImport(Glibc)
  import Glibc
#endif

/// Logistic regression with a ridge penalty, by Newton's method (IRLS).
///
/// McCullagh and Nelder, Generalized Linear Models, section 4.4. Features are standardised; the
/// intercept is not penalised. Minimises −Σ weight·ln p(label) + penalty/2·Σ(weight·deviation)².
public enum LogisticRegression {
  static let iterationsMax = 100

  /// - Parameters:
  ///   - rows: observations × features; NaN counts as the mean.
  ///   - labels: true for the class whose probability is wanted.
  ///   - weights: importance of each row, at or above 0; `nil` is 1 for all.
  ///   - penalty: above 0 keeps separable data finite.
  /// - Throws: `RegressionError` with one class only, or when the iteration does not settle.
  public static func fit(
    rows: Matrix, labels: [Bool], weights: [Double]? = nil, penalty: Double
  ) throws(RegressionError) -> LinearModel {
    precondition(rows.rowCount == labels.count, "every row has a label")
    guard labels.contains(true), labels.contains(false) else { throw .oneClassOnly }
    let moments = ColumnMoments(rows)
    let z = moments.standardize(rows)
    var problem = NewtonProblem(rows: z, labels: labels, weights: weights, penalty: penalty)
    for column in 0..<z.columnCount where moments.deviations[column] == 0 {
      problem.constantColumns.append(column)
    }
    let solved = try problem.minimize()
    return LinearModel(
      base: solved[z.columnCount],
      weights: (0..<z.columnCount).map {
        moments.deviations[$0] == 0 ? 0 : solved[$0] / moments.deviations[$0]
      },
      means: moments.means)
  }
}

/// The penalised likelihood; the intercept is the last coefficient.
private struct NewtonProblem {
  let rows: Matrix
  let labels: [Bool]
  let weights: [Double]?
  let penalty: Double
  var constantColumns: [Int] = []

  func minimize() throws(RegressionError) -> [Double] {
    let size = rows.columnCount
    var coefficients = [Double](repeating: 0, count: size + 1)
    var loss = self.loss(coefficients)
    for _ in 0..<LogisticRegression.iterationsMax {
      guard let step = newtonStep(coefficients) else { throw .singular }
      // Newton's step may overshoot far from the optimum; halving it keeps the loss falling.
      var scale = 1.0
      var next = coefficients
      var nextLoss = loss
      repeat {
        for index in next.indices { next[index] = coefficients[index] + scale * step[index] }
        nextLoss = self.loss(next)
        scale /= 2
      } while !(nextLoss <= loss) && scale > 1e-10
      let change = zip(next, coefficients).map { ($0 - $1).magnitude }.max() ?? 0
      let size = next.map(\.magnitude).max() ?? 0
      if nextLoss <= loss { (coefficients, loss) = (next, nextLoss) }
      if change <= 1e-9 * (1 + size) { return coefficients }
    }
    throw .notConverged(iterations: LogisticRegression.iterationsMax)
  }

  private func logit(_ row: Int, _ coefficients: [Double]) -> Double {
    var sum = coefficients[rows.columnCount]
    for column in 0..<rows.columnCount { sum += coefficients[column] * rows[row, column] }
    return sum
  }

  private func loss(_ coefficients: [Double]) -> Double {
    var sum = 0.0
    for row in 0..<rows.rowCount {
      let x = logit(row, coefficients)
      sum += (weights?[row] ?? 1) * Logistic.softplus(labels[row] ? -x : x)
    }
    for column in 0..<rows.columnCount {
      sum += penalty / 2 * coefficients[column] * coefficients[column]
    }
    return sum
  }

  private func newtonStep(_ coefficients: [Double]) -> [Double]? {
    let size = rows.columnCount
    var normal = NormalEquations(columnCount: size + 1)
    var extended = [Double](repeating: 1, count: size + 1)
    for row in 0..<rows.rowCount {
      let p = Logistic.probability(logit: logit(row, coefficients))
      let weight = weights?[row] ?? 1
      // Far from the boundary p(1 − p) underflows; a floor keeps the equations solvable.
      let curvature = max(weight * p * (1 - p), weight * 1e-12)
      guard curvature > 0 else { continue }
      for column in 0..<size { extended[column] = rows[row, column] }
      let residual = weight * ((labels[row] ? 1 : 0) - p)
      normal.add(extended[...], target: residual / curvature, weight: curvature)
    }
    for column in 0..<size {
      normal.addToDiagonal(column, penalty)
      normal.addToRight(column, -penalty * coefficients[column])
    }
    for column in constantColumns { normal.addToDiagonal(column, 1) }
    return normal.solve()
  }
}
