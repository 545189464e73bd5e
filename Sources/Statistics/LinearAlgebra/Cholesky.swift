/// The factor L of a symmetric positive definite matrix A = L·Lᵀ, for solving A·x = b.
///
/// Golub and Van Loan, Matrix Computations, algorithm 4.2.1. Cost n³/6 to build, n² to solve.
public struct Cholesky: Sendable {
  private let size: Int
  private let factor: [Double]

  /// - Parameter matrix: square; only its lower triangle is read.
  /// - Returns: `nil` when the matrix is not positive definite to working precision.
  public init?(_ matrix: Matrix) {
    precondition(matrix.rowCount == matrix.columnCount, "a Cholesky factor needs a square matrix")
    let n = matrix.rowCount
    var l = matrix.elements
    for column in 0..<n {
      var pivot = l[column * n + column]
      for k in 0..<column { pivot -= l[column * n + k] * l[column * n + k] }
      guard pivot > 0, pivot.isFinite else { return nil }
      let root = pivot.squareRoot()
      l[column * n + column] = root
      for row in column + 1..<max(n, column + 1) {
        var sum = l[row * n + column]
        for k in 0..<column { sum -= l[row * n + k] * l[column * n + k] }
        l[row * n + column] = sum / root
      }
    }
    size = n
    factor = l
  }

  /// The x of A·x = `right`.
  public func solve(_ right: [Double]) -> [Double] {
    precondition(right.count == size, "the right side has as many numbers as the matrix has rows")
    var x = right
    for row in 0..<size {
      for k in 0..<row { x[row] -= factor[row * size + k] * x[k] }
      x[row] /= factor[row * size + row]
    }
    for row in stride(from: size - 1, through: 0, by: -1) {
      for k in row + 1..<max(size, row + 1) { x[row] -= factor[k * size + row] * x[k] }
      x[row] /= factor[row * size + row]
    }
    return x
  }
}
