/// Linear least squares with a penalty on the squared weights (Hoerl and Kennard 1970).
///
/// Features are standardised first, so that one penalty is fair to all units; the intercept is not
/// penalised. Minimises Σ(y − ŷ)² + penalty·Σ(weight·deviation)².
public enum RidgeRegression {
  /// - Parameters:
  ///   - rows: observations × features; NaN is a missing number and counts as the mean.
  ///   - penalty: at or above 0; 0 is ordinary least squares.
  /// - Throws: `RegressionError` without rows, with labels that are not finite, or when the features
  ///   are collinear and the penalty is 0.
  public static func fit(
    rows: Matrix, labels: [Double], penalty: Double
  ) throws(RegressionError) -> LinearModel {
    precondition(rows.rowCount == labels.count, "every row has a label")
    guard !labels.isEmpty else { throw .tooFewRows(0, needed: 1) }
    if let bad = labels.firstIndex(where: { !$0.isFinite }) { throw .notFinite(row: bad) }
    let moments = ColumnMoments(rows)
    let z = moments.standardize(rows)
    var sum = 0.0
    for label in labels { sum += label }
    let mean = sum / Double(labels.count)
    var normal = NormalEquations(columnCount: z.columnCount)
    for row in 0..<z.rowCount { normal.add(z.row(row), target: labels[row] - mean, weight: 1) }
    for column in 0..<z.columnCount {
      // A constant column has nothing to say; a unit pivot gives it the weight 0.
      normal.addToDiagonal(column, moments.deviations[column] == 0 ? 1 : penalty)
    }
    guard let solved = normal.solve() else { throw .singular }
    let weights = solved.indices.map {
      moments.deviations[$0] == 0 ? 0 : solved[$0] / moments.deviations[$0]
    }
    // Missing numbers are at the mean of the others, so standardised columns may not average to 0.
    return LinearModel(base: mean, weights: weights, means: moments.means)
  }
}

/// The sums XᵀWX and XᵀWy of weighted least squares, gathered row by row.
struct NormalEquations {
  private var square: [Double]
  private var right: [Double]
  private let size: Int

  init(columnCount: Int) {
    size = columnCount
    square = [Double](repeating: 0, count: size * size)
    right = [Double](repeating: 0, count: size)
  }

  mutating func add(_ row: ArraySlice<Double>, target: Double, weight: Double) {
    row.withUnsafeBufferPointer { x in
      for i in 0..<size {
        let scaled = weight * x[i]
        right[i] += scaled * target
        for j in 0...i { square[i * size + j] += scaled * x[j] }
      }
    }
  }

  mutating func addToDiagonal(_ column: Int, _ amount: Double) {
    square[column * size + column] += amount
  }

  mutating func addToRight(_ column: Int, _ amount: Double) { right[column] += amount }

  /// `nil` when the equations have no single solution.
  func solve() -> [Double]? {
    guard size > 0 else { return [] }
    var matrix = Matrix(rowCount: size, columnCount: size)
    for i in 0..<size { for j in 0...i { matrix[i, j] = square[i * size + j] } }
    return Cholesky(matrix)?.solve(right)
  }
}
