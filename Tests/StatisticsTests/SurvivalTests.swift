import Statistics
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct SurvivalTests {
  /// NIST/SEMATECH e-Handbook 8.4.1.3: 20 units, ten failures, the rest censored at 500 hours.
  static let nist =
    [54.0, 187, 216, 240, 244, 335, 361, 373, 375, 386].map { Life(duration: $0, isFailure: true) }
    + [Life](repeating: Life(duration: 500, isFailure: false), count: 10)

  @Test("Weibull with censored lives gives the handbook's shape and scale")
  func weibull() throws {
    let fit = try Weibull.fit(Self.nist)
    #expect((fit.shape - 1.7208).magnitude < 5e-5)
    #expect((fit.scale - 606.528).magnitude < 5e-4)
  }

  @Test("Weibull fitted in hours and in seconds is the same life")
  func scaleFree() throws {
    let seconds = Self.nist.map { Life(duration: $0.duration * 3_600, isFailure: $0.isFailure) }
    let (hours, fine) = (try Weibull.fit(Self.nist), try Weibull.fit(seconds))
    #expect((hours.shape - fine.shape).magnitude < 1e-9)
    #expect((hours.scale * 3_600 / fine.scale - 1).magnitude < 1e-9)
  }

  @Test("Too few failures or all at one age are no Weibull")
  func tooFew() {
    let one = [Life(duration: 5, isFailure: true), Life(duration: 9, isFailure: false)]
    #expect(throws: RegressionError.tooFewRows(1, needed: 2)) { try Weibull.fit(one) }
    #expect(throws: RegressionError.tooFewRows(2, needed: 2)) {
      try Weibull.fit([Life](repeating: one[0], count: 2))
    }
  }

  @Test("Quantile, mean and remaining life agree with the survival function")
  func distribution() {
    let weibull = Weibull(shape: 2, scale: 1_000)
    #expect((weibull.survival(at: weibull.quantile(0.3)) - 0.7).magnitude < 1e-12)
    #expect((weibull.mean - 886.2269254527580).magnitude < 1e-9)
    let more = weibull.remaining(at: 700, survival: 0.5)
    #expect((weibull.survival(at: 700 + more) / weibull.survival(at: 700) - 0.5).magnitude < 1e-12)
    #expect(Weibull(shape: 1, scale: 50).remaining(at: 10, survival: 0.5).isFinite)
  }

  @Test("Kaplan–Meier gives the published remission times of 6-MP")
  func kaplanMeier() {
    let failures: [Double] = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    let censored: [Double] = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    let curve = KaplanMeier(
      failures.map { Life(duration: $0, isFailure: true) }
        + censored.map { Life(duration: $0, isFailure: false) })
    let published = [
      (6.0, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448),
    ]
    #expect(curve.steps.count == published.count)
    for (age, survival) in published {
      #expect((curve.survival(at: age) - survival).magnitude < 5e-4, "at \(age)")
    }
    #expect((curve.steps[0].standardError - 0.0764).magnitude < 5e-5)
    #expect(curve.survival(at: 5) == 1)
    #expect(curve.median == 23)
  }

  @Test("A hazard without features is failures over periods at risk")
  func hazard() throws {
    // Ten units watched for up to four periods, the first three of which fail in their second.
    var periods = PersonPeriods(featureCount: 1)
    for unit in 0..<10 {
      let length = unit < 3 ? 2 : 4
      periods.append(
        unit: unit, periods: [[Double]](repeating: [0], count: length), endsInFailure: unit < 3)
    }
    #expect(periods.labels.count == 34)
    let model = try LogisticRegression.fit(
      rows: periods.rows, labels: periods.labels, penalty: 1)
    #expect((Logistic.probability(logit: model.base) - 3.0 / 34).magnitude < 1e-9)
    let cumulative = DiscreteHazard.cumulative(logit: model.base, periods: 2)
    let survival = 31.0 / 34
    #expect((exp(-cumulative) - survival * survival).magnitude < 1e-9)
  }

  @Test("Half a period is half of its hazard, and age moves the next one")
  func periods() {
    let one = DiscreteHazard.cumulative(logit: -2, periods: 1)
    #expect(DiscreteHazard.cumulative(logit: -2, periods: 0.5) == one / 2)
    let two = DiscreteHazard.cumulative(logit: -2, periods: 2, drift: 0.5)
    #expect((two - one - Logistic.softplus(-1.5)).magnitude < 1e-15)
    #expect(DiscreteHazard.cumulative(logit: -2, periods: 0) == 0)
  }
}
