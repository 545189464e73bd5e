/// Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations.
///
/// Deterministic: the order of rotations is fixed, and a vector's largest entry is made positive. Meant for up to a
/// few dozen rows (Golub and Van Loan, Matrix Computations, 8.5). Example: [[2, 1], [1, 2]] → 3 and 1.
public struct SymmetricEigen: Sendable {
  /// The largest first.
  public private(set) var values: [Double]
  /// `vectors[i]` belongs to `values[i]`, of length one.
  public private(set) var vectors: [[Double]]

  /// - Parameter matrix: `size` rows of `size` numbers, one row after the other; only finite numbers.
  public init(_ matrix: [Double], size: Int) {
    precondition(matrix.count == size * size, "the matrix has size × size numbers")
    var rows = matrix
    var basis = [Double](repeating: 0, count: size * size)
    for index in 0..<size { basis[index * size + index] = 1 }
    for _ in 0..<60 where !Self.isDiagonal(rows, size) {
      for first in 0..<max(size - 1, 0) {
        for second in first + 1..<size { Self.rotate(&rows, &basis, size, first, second) }
      }
    }
    let order = (0..<size).sorted {
      let (a, b) = (rows[$0 * size + $0], rows[$1 * size + $1])
      return a == b ? $0 < $1 : a > b
    }
    values = order.map { rows[$0 * size + $0] }
    vectors = order.map { column in Self.signed((0..<size).map { basis[$0 * size + column] }) }
  }

  private static func isDiagonal(_ rows: [Double], _ size: Int) -> Bool {
    var (outside, inside) = (0.0, 0.0)
    for row in 0..<size {
      for column in 0..<size {
        let square = rows[row * size + column] * rows[row * size + column]
        if row == column { inside += square } else { outside += square }
      }
    }
    return outside <= 1e-28 * inside
  }

  private static func rotate(
    _ rows: inout [Double], _ basis: inout [Double], _ size: Int, _ p: Int, _ q: Int
  ) {
    let off = rows[p * size + q]
    guard off != 0 else { return }
    let half = (rows[q * size + q] - rows[p * size + p]) / (2 * off)
    let tangent = (half < 0 ? -1 : 1) / (half.magnitude + (half * half + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    for k in 0..<size {
      let (a, b) = (rows[k * size + p], rows[k * size + q])
      rows[k * size + p] = cosine * a - sine * b
      rows[k * size + q] = sine * a + cosine * b
    }
    for k in 0..<size {
      let (a, b) = (rows[p * size + k], rows[q * size + k])
      rows[p * size + k] = cosine * a - sine * b
      rows[q * size + k] = sine * a + cosine * b
      let (c, d) = (basis[k * size + p], basis[k * size + q])
      basis[k * size + p] = cosine * c - sine * d
      basis[k * size + q] = sine * c + cosine * d
    }
  }

  private static func signed(_ vector: [Double]) -> [Double] {
    let largest = vector.max { $0.magnitude < $1.magnitude } ?? 0
    return largest < 0 ? vector.map { -$0 } : vector
  }
}
