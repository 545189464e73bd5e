/// A·P = Q·R of a tall matrix by Householder reflections, columns scaled to length 1, the longest rest first.
struct PivotedQR {
  /// Columns that are independent to working precision.
  let rank: Int
  /// Column of the original matrix at each place.
  private var order: [Int]
  /// By columns, upper triangle; in scaled columns.
  private var r: [[Double]]
  private var right: [Double]
  private let scales: [Double]

  struct Solution {
    var values: [Double]
    var isIdentified: [Bool]
    /// √ of the diagonal of (AᵀA)⁻¹; 0 where it is not identified.
    var lengths: [Double]
  }

  init(columns: [[Double]], right: [Double]) {
    let width = columns.count
    let scales = columns.map { column in
      let length = Self.length(column[...])
      return length > 0 ? length : 1
    }
    var a = columns.indices.map { index in columns[index].map { $0 / scales[index] } }
    var b = right
    var order = Array(0..<width)
    var rank = 0
    let tolerance = Double(max(right.count, width)) * 4 * Double.ulpOfOne
    for step in 0..<min(width, right.count) {
      // The intercept stays first, so that a constant driver is the one found to be superfluous.
      let candidates = step == 0 ? 0..<1 : step..<width
      var best = step
      var bestLength = -1.0
      for column in candidates {
        let length = Self.length(a[column][step...])
        if length > bestLength * (1 + 1e-12) { (best, bestLength) = (column, length) }
      }
      if bestLength <= tolerance { break }
      a.swapAt(step, best)
      order.swapAt(step, best)
      Self.reflect(&a, &b, at: step, length: bestLength)
      rank += 1
    }
    self.rank = rank
    self.order = order
    r = a
    self.right = b
    self.scales = scales
  }

  private static func length(_ values: ArraySlice<Double>) -> Double {
    var sum = 0.0
    for value in values { sum += value * value }
    return sum.squareRoot()
  }

  private static func reflect(
    _ a: inout [[Double]], _ b: inout [Double], at step: Int, length: Double
  ) {
    let alpha = a[step][step] > 0 ? -length : length
    var v = Array(a[step][step...])
    v[0] -= alpha
    let norm = v.reduce(0) { $0 + $1 * $1 }
    guard norm > 0 else { return }
    func apply(_ target: inout [Double]) {
      var dot = 0.0
      for index in v.indices { dot += v[index] * target[step + index] }
      let scale = 2 * dot / norm
      for index in v.indices { target[step + index] -= scale * v[index] }
    }
    for column in step..<a.count { apply(&a[column]) }
    apply(&b)
  }

  /// x of R₁₁·x = `values`.
  private func backSubstitute(_ values: [Double]) -> [Double] {
    var x = values
    for row in stride(from: rank - 1, through: 0, by: -1) {
      for column in row + 1..<max(rank, row + 1) { x[row] -= r[column][row] * x[column] }
      x[row] /= r[row][row]
    }
    return x
  }

  /// Of all solutions with the least residual the one with the shortest vector of coefficients.
  func shortestSolution() -> Solution {
    let width = order.count
    var values = [Double](repeating: 0, count: width)
    let basic = backSubstitute(Array(right[..<rank]))
    for place in 0..<rank { values[order[place]] = basic[place] / scales[order[place]] }

    // Directions along which the coefficients may move without changing any prediction.
    var directions: [[Double]] = []
    var isIdentified = [Bool](repeating: true, count: width)
    for free in rank..<max(width, rank) {
      let part = backSubstitute((0..<rank).map { r[free][$0] })
      var direction = [Double](repeating: 0, count: width)
      // Judged in scaled columns, where 1 is the size of the column itself.
      for place in 0..<rank where part[place].magnitude > 1e-9 {
        direction[order[place]] = -part[place] / scales[order[place]]
        isIdentified[order[place]] = false
      }
      direction[order[free]] = 1 / scales[order[free]]
      isIdentified[order[free]] = false
      directions.append(direction)
    }
    Self.remove(directions, from: &values)

    var lengths = [Double](repeating: 0, count: width)
    for place in 0..<rank {
      // Row `place` of R₁₁⁻¹: its length is the standard error over σ.
      var row = [Double](repeating: 0, count: rank)
      for column in place..<rank {
        var unit = [Double](repeating: 0, count: rank)
        unit[column] = 1
        row[column] = backSubstitute(unit)[place]
      }
      let column = order[place]
      if isIdentified[column] { lengths[column] = Self.length(row[...]) / scales[column] }
    }
    return Solution(values: values, isIdentified: isIdentified, lengths: lengths)
  }

  /// Takes away what lies along the directions (made orthogonal first, twice for precision).
  private static func remove(_ directions: [[Double]], from values: inout [Double]) {
    var base: [[Double]] = []
    func subtract(_ direction: [Double], from target: inout [Double]) {
      var dot = 0.0
      for index in target.indices { dot += direction[index] * target[index] }
      for index in target.indices { target[index] -= dot * direction[index] }
    }
    for direction in directions {
      var unit = direction
      for _ in 0..<2 {
        for earlier in base { subtract(earlier, from: &unit) }
        let length = Self.length(unit[...])
        for index in unit.indices { unit[index] /= length }
      }
      base.append(unit)
    }
    for direction in base { subtract(direction, from: &values) }
  }
}
