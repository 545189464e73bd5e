import Statistics
import Testing

/// Published quantiles and probabilities.
@Suite struct DistributionTests {
  @Test("Normal quantiles are those of the tables, and the tails mirror each other")
  func normal() {
    #expect(abs(NormalDistribution.quantile(0.975) - 1.959963984540054) < 1e-13)
    #expect(abs(NormalDistribution.quantile(0.999) - 3.090232306167813) < 1e-12)
    #expect(abs(NormalDistribution.quantile(1e-10) + 6.361340902404056) < 1e-12)
    #expect(abs(NormalDistribution.cumulative(-6) / 9.865876450376946e-10 - 1) < 1e-12)
    #expect(NormalDistribution.quantile(0.5) == 0)
    #expect(NormalDistribution.quantile(0) == -.infinity)
    #expect(NormalDistribution.quantile(1) == .infinity)
    for step in 1..<100 {
      let p = Double(step) / 100
      #expect(abs(NormalDistribution.cumulative(NormalDistribution.quantile(p)) - p) < 1e-14)
    }
  }

  @Test(
    "Chi-square quantiles are those of the tables",
    arguments: [
      (10.0, 0.975, 20.483177350807388), (1, 0.05, 0.003932140000019522),
      (99, 0.025, 73.36108019128368), (99, 0.975, 128.4219886438403),
    ])
  func chiSquare(degrees: Double, p: Double, expected: Double) {
    let distribution = ChiSquareDistribution(degrees: degrees)
    #expect(abs(distribution.quantile(p) / expected - 1) < 1e-10)
    #expect(abs(distribution.cumulative(expected) - p) < 1e-12)
    #expect(distribution.cumulative(-1) == 0 && distribution.quantile(0) == 0)
  }

  @Test("Binomial and hypergeometric sums are those of the tables, and reach one")
  func counts() {
    let binomial = BinomialDistribution(trials: 50, probability: 0.02)
    #expect(abs(binomial.cumulative(2) - 0.921572251649031) < 1e-12)
    #expect(abs(binomial.cumulative(50) - 1) < 1e-12)
    #expect(binomial.cumulative(-1) == 0)
    #expect(BinomialDistribution(trials: 5, probability: 0).cumulative(0) == 1)
    #expect(BinomialDistribution(trials: 5, probability: 1).cumulative(4) == 0)
    let lot = HypergeometricDistribution(lot: 200, defectives: 10, sample: 20)
    #expect(abs(lot.cumulative(1) - 0.7371713075078806) < 1e-12)
    #expect(abs(lot.cumulative(20) - 1) < 1e-12)
    #expect(HypergeometricDistribution(lot: 20, defectives: 3, sample: 20).mass(3) == 1)
  }

  @Test("Values of a normal distribution pass Anderson–Darling; skewed ones do not")
  func andersonDarling() throws {
    let normal = (1...100).map { NormalDistribution.quantile((Double($0) - 0.5) / 100) }
    let passed = try #require(AndersonDarling(normal))
    #expect(passed.p > 0.99)
    let skewed = try #require(AndersonDarling(normal.map { $0 * $0 * $0 }))
    #expect(skewed.p < 1e-6 && skewed.statistic > 5)
    // 1 to 20, evenly: A² 0.22073784165630173 by SciPy 1.17, adjusted for n.
    let even = try #require(AndersonDarling((1...20).map(Double.init)))
    #expect(abs(even.statistic - 0.23025716107772976) < 1e-9)
    #expect(AndersonDarling([1, 2, 3]) == nil)
    #expect(AndersonDarling([Double](repeating: 4, count: 20)) == nil)
  }
}
