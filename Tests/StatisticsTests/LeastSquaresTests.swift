import Statistics
import Testing

/// Ordinary least squares against certified values, and where drivers say the same.
@Suite struct LeastSquaresTests {
  /// Longley's data of NIST StRD (public domain): employment, and six drivers that nearly say the same.
  static let longley: [(y: Double, x: [Double])] = [
    (60_323, [83.0, 234_289, 2_356, 1_590, 107_608, 1_947]),
    (61_122, [88.5, 259_426, 2_325, 1_456, 108_632, 1_948]),
    (60_171, [88.2, 258_054, 3_682, 1_616, 109_773, 1_949]),
    (61_187, [89.5, 284_599, 3_351, 1_650, 110_929, 1_950]),
    (63_221, [96.2, 328_975, 2_099, 3_099, 112_075, 1_951]),
    (63_639, [98.1, 346_999, 1_932, 3_594, 113_270, 1_952]),
    (64_989, [99.0, 365_385, 1_870, 3_547, 115_094, 1_953]),
    (63_761, [100.0, 363_112, 3_578, 3_350, 116_219, 1_954]),
    (66_019, [101.2, 397_469, 2_904, 3_048, 117_388, 1_955]),
    (67_857, [104.6, 419_180, 2_822, 2_857, 118_734, 1_956]),
    (68_169, [108.4, 442_769, 2_936, 2_798, 120_445, 1_957]),
    (66_513, [110.8, 444_546, 4_681, 2_637, 121_950, 1_958]),
    (68_655, [112.6, 482_704, 3_813, 2_552, 123_366, 1_959]),
    (69_564, [114.2, 502_601, 3_931, 2_514, 125_368, 1_960]),
    (69_331, [115.7, 518_173, 4_806, 2_572, 127_852, 1_961]),
    (70_551, [116.9, 554_894, 4_007, 2_827, 130_081, 1_962]),
  ]

  @Test("Longley's data give the certified coefficients, standard errors and R²")
  func certified() throws {
    let fit = try LeastSquares(rows: Self.longley.map(\.x), targets: Self.longley.map(\.y))
    let certified = [
      15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
      -0.0511041056535807, 1829.15146461355,
    ]
    let errors = [
      84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675,
      0.226073200069370, 455.478499142212,
    ]
    #expect(abs(fit.intercept.value / -3_482_258.63459582 - 1) < 1e-8)
    #expect(abs((fit.intercept.standardError ?? 0) / 890_420.383607373 - 1) < 1e-8)
    for index in certified.indices {
      #expect(abs(fit.coefficients[index].value / certified[index] - 1) < 1e-8)
      #expect(abs((fit.coefficients[index].standardError ?? 0) / errors[index] - 1) < 1e-8)
    }
    #expect(abs(fit.rSquared - 0.995479004577296) < 1e-10)
    #expect(abs((fit.standardError ?? 0) / 304.854073561965 - 1) < 1e-9)
  }

  @Test("Of drivers that say the same the shortest coefficients are given, and none has an error")
  func collinear() throws {
    // y = 10 + 25 where both run; the drivers are 0 and 0, or 4 and 3: (4, 3) is the shortest that adds 25.
    let rows = (0..<40).map { $0.isMultiple(of: 2) ? [0.0, 0, Double($0 % 5)] : [4, 3, Double($0 % 5)] }
    let targets = rows.enumerated().map { index, row in
      10 + row[0] * 4 + row[1] * 3 + row[2] * 2 + (index % 4 < 2 ? 0.5 : -0.5)
    }
    let fit = try LeastSquares(rows: rows, targets: targets)
    #expect(fit.rank == 3)
    #expect(fit.coefficients.map(\.isIdentified) == [false, false, true])
    #expect(fit.coefficients[0].standardError == nil && fit.coefficients[2].standardError != nil)
    #expect(fit.intercept.isIdentified)
    let joint = fit.coefficients[0].value * 4 + fit.coefficients[1].value * 3
    #expect(abs(joint - 25) < 0.1)
    #expect(abs(fit.coefficients[0].value * 3 - fit.coefficients[1].value * 4) < 1e-12)
  }

  @Test("A driver that never changes is found to say what the intercept says")
  func constant() throws {
    let fit = try LeastSquares(rows: [[1, 2], [1, 4], [1, 7], [1, 9]], targets: [3, 5, 8, 10])
    #expect(fit.rank == 2)
    #expect(!fit.intercept.isIdentified && !fit.coefficients[0].isIdentified)
    #expect(abs(fit.coefficients[1].value - 1) < 1e-12)
    #expect(abs(fit.predict([1, 3]) - 4) < 1e-12)
  }

  @Test("What cannot be fitted is refused")
  func refusals() {
    #expect(throws: LeastSquares.Refusal.tooFewRows(1, needed: 2)) {
      try LeastSquares(rows: [[1]], targets: [1])
    }
    #expect(throws: LeastSquares.Refusal.notFinite(row: 1)) {
      try LeastSquares(rows: [[1], [.nan], [3]], targets: [1, 2, 3])
    }
    #expect(throws: LeastSquares.Refusal.constantTarget) {
      try LeastSquares(rows: [[1], [2]], targets: [5, 5])
    }
  }
}
