import Statistics
import Telemetry
import TestSupport
import Testing

@Suite struct RegressionTests {
  /// NIST Statistical Reference Datasets, Longley (1967): ill-conditioned by design.
  static let longley: [[Double]] = [
    [60323, 83.0, 234289, 2356, 1590, 107608, 1947],
    [61122, 88.5, 259426, 2325, 1456, 108632, 1948],
    [60171, 88.2, 258054, 3682, 1616, 109773, 1949],
    [61187, 89.5, 284599, 3351, 1650, 110929, 1950],
    [63221, 96.2, 328975, 2099, 3099, 112075, 1951],
    [63639, 98.1, 346999, 1932, 3594, 113270, 1952],
    [64989, 99.0, 365385, 1870, 3547, 115094, 1953],
    [63761, 100.0, 363112, 3578, 3350, 116219, 1954],
    [66019, 101.2, 397469, 2904, 3048, 117388, 1955],
    [67857, 104.6, 419180, 2822, 2857, 118734, 1956],
    [68169, 108.4, 442769, 2936, 2798, 120445, 1957],
    [66513, 110.8, 444546, 4681, 2637, 121950, 1958],
    [68655, 112.6, 482704, 3813, 2552, 123366, 1959],
    [69564, 114.2, 502601, 3931, 2514, 125368, 1960],
    [69331, 115.7, 518173, 4806, 2572, 127852, 1961],
    [70551, 116.9, 554894, 4007, 2827, 130081, 1962],
  ]

  @Test("Without a penalty ridge gives the certified coefficients of Longley")
  func certified() throws {
    let model = try RidgeRegression.fit(
      rows: Matrix(rows: Self.longley.map { Array($0.dropFirst()) }),
      labels: Self.longley.map { $0[0] }, penalty: 0)
    let certified = [
      15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
      -0.0511041056535807, 1829.15146461355,
    ]
    for (ours, theirs) in zip(model.weights, certified) {
      #expect((ours / theirs - 1).magnitude < 1e-8, "\(ours) is not \(theirs)")
    }
    let intercept = model.value([Double](repeating: 0, count: 6))
    #expect((intercept / -3482258.63459582 - 1).magnitude < 1e-8)
  }

  @Test("A larger penalty shrinks the weights; contributions sum to the value less the base")
  func penalty() throws {
    let rows = Matrix(rows: Self.longley.map { Array($0.dropFirst()) })
    let labels = Self.longley.map { $0[0] }
    let mild = try RidgeRegression.fit(rows: rows, labels: labels, penalty: 1)
    let strong = try RidgeRegression.fit(rows: rows, labels: labels, penalty: 1_000)
    for index in 0..<6 { #expect(strong.weights[index].magnitude < mild.weights[0].magnitude) }
    let row = Array(rows.row(3))
    #expect((mild.contributions(row).reduce(mild.base, +) - mild.value(row)).magnitude < 1e-9)
    #expect(mild.value([Double](repeating: .nan, count: 6)) == mild.base)
  }

  @Test("Collinear features need a penalty, and a constant one gets no weight")
  func collinear() throws {
    let rows = Matrix(rows: [[1, 2, 7], [2, 4, 7], [3, 6, 7], [4, 8, 7]])
    #expect(throws: RegressionError.singular) {
      try RidgeRegression.fit(rows: rows, labels: [1, 2, 3, 4], penalty: 0)
    }
    let model = try RidgeRegression.fit(rows: rows, labels: [1, 2, 3, 4], penalty: 1e-9)
    #expect(model.weights[2] == 0)
    #expect((model.value([5, 10, 7]) - 5).magnitude < 1e-6)
  }

  @Test("Logistic regression gives the published fit of the Challenger O-rings")
  func challenger() throws {
    // Dalal, Fowlkes and Hoadley (1989): intercept 15.0429, −0.2322 per °F.
    let temperatures: [Double] = [
      66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58,
    ]
    let failed: [Double] = [
      0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1,
    ]
    let model = try LogisticRegression.fit(
      rows: Matrix(rows: temperatures.map { [$0] }), labels: failed.map { $0 == 1 }, penalty: 0)
    #expect((model.weights[0] + 0.2322).magnitude < 5e-5)
    #expect((model.value([0]) - 15.0429).magnitude < 5e-5)
  }

  @Test("Separable rows stay finite with a penalty; one class is refused")
  func separable() throws {
    let rows = Matrix(rows: (0..<20).map { [Double($0)] })
    let labels = (0..<20).map { $0 >= 10 }
    let model = try LogisticRegression.fit(rows: rows, labels: labels, penalty: 0.1)
    #expect(model.weights[0] > 0 && model.weights[0].isFinite)
    #expect(model.value([0]) < 0 && model.value([19]) > 0)
    #expect(throws: RegressionError.oneClassOnly) {
      try LogisticRegression.fit(
        rows: rows, labels: [Bool](repeating: true, count: 20), penalty: 1)
    }
  }

  @Test("A row that weighs three counts as three rows")
  func weights() throws {
    var random = SplitMix64(seed: 3)
    let base = (0..<30).map { _ in [Double.random(in: -1...1, using: &random)] }
    let labels = base.map { $0[0] + Double.random(in: -1...1, using: &random) > 0 }
    let weighted = try LogisticRegression.fit(
      rows: Matrix(rows: base), labels: labels,
      weights: (0..<30).map { $0 == 4 ? 3 : 1 }, penalty: 0)
    let repeated = try LogisticRegression.fit(
      rows: Matrix(rows: base + [base[4], base[4]]), labels: labels + [labels[4], labels[4]],
      penalty: 0)
    #expect((weighted.weights[0] - repeated.weights[0]).magnitude < 1e-6)
  }

  @Test("Cholesky solves what it factored and refuses what is not positive definite")
  func cholesky() throws {
    let factor = try #require(Cholesky(Matrix(rows: [[4, 2, 0], [2, 5, 3], [0, 3, 6]])))
    let x = factor.solve([8, 21, 24])
    for (ours, theirs) in zip(x, [1.0, 2, 3]) { #expect((ours - theirs).magnitude < 1e-12) }
    #expect(Cholesky(Matrix(rows: [[1, 2], [2, 1]])) == nil)
    #expect(Cholesky(Matrix(rows: [[.nan]])) == nil)
  }
}
