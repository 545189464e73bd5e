import Statistics
import Telemetry
import Testing

@Suite struct CalibrationTests {
  @Test("Platt scaling undoes a distortion of the logit")
  func platt() throws {
    var random = SplitMix64(seed: 5)
    var margins: [Double] = []
    var labels: [Bool] = []
    for _ in 0..<20_000 {
      let logit = Double.random(in: -4...4, using: &random)
      labels.append(
        Double.random(in: 0..<1, using: &random) < Logistic.probability(logit: logit))
      margins.append(3 * logit + 2)
    }
    let fit = try PlattScaling.fit(margins: margins, labels: labels)
    #expect((fit.slope - 1.0 / 3).magnitude < 0.02)
    #expect((fit.offset + 2.0 / 3).magnitude < 0.06)
    let before = margins.map(Logistic.probability)
    let after = margins.map { Logistic.probability(logit: fit.logit(margin: $0)) }
    #expect(ClassificationMetrics.calibrationError(probabilities: before, labels: labels) > 0.05)
    #expect(ClassificationMetrics.calibrationError(probabilities: after, labels: labels) < 0.015)
    #expect(
      ClassificationMetrics.logLoss(probabilities: after, labels: labels)
        < ClassificationMetrics.logLoss(probabilities: before, labels: labels))
  }

  @Test("Platt's targets keep a perfect separation finite")
  func separated() throws {
    let fit = try PlattScaling.fit(
      margins: [-3, -2, -1, 1, 2, 3], labels: [false, false, false, true, true, true])
    #expect(fit.slope.isFinite && fit.slope > 0)
    #expect(throws: RegressionError.oneClassOnly) {
      try PlattScaling.fit(margins: [1, 2], labels: [true, true])
    }
  }

  @Test("Conformal intervals hold what they promise on rows they have not seen, at every level")
  func conformal() throws {
    var random = SplitMix64(seed: 8)
    func draw() -> (Double, Double) {
      let prediction = Double.random(in: 0...100, using: &random)
      // Errors that grow with the prediction, and lean to one side.
      let error = prediction / 10 * (Double.random(in: -1...2, using: &random))
      return (prediction, prediction + error)
    }
    let fitted = (0..<4_000).map { _ in draw() }
    let intervals = try ConformalIntervals(
      predictions: fitted.map(\.0), truths: fitted.map(\.1), level: 0.9)
    let fresh = (0..<8_000).map { _ in draw() }
    for range in [0.0...30, 30...60, 60...100] {
      let used = fresh.filter { range.contains($0.0) }
      let coverage = RegressionMetrics.coverage(
        intervals: used.map { intervals.interval(for: $0.0) }, truths: used.map(\.1))
      #expect((0.87...0.93).contains(coverage), "\(coverage) at \(range)")
    }
    let narrow = intervals.interval(for: 10)
    let wide = intervals.interval(for: 90)
    #expect(narrow.upperBound - narrow.lowerBound < (wide.upperBound - wide.lowerBound) / 3)
  }

  @Test("The interval of a few rows is the widest there was, and equal predictions share a bin")
  func ranks() throws {
    let truths = (0..<20).map(Double.init)
    let intervals = try ConformalIntervals(
      predictions: [Double](repeating: 10, count: 20), truths: truths, level: 0.9)
    #expect(intervals.interval(for: 10) == 0...19)
    #expect(throws: RegressionError.tooFewRows(3, needed: 20)) {
      try ConformalIntervals(predictions: [1, 2, 3], truths: [1, 2, 3], level: 0.9)
    }
  }

  @Test("Intervals survive being written and read; cut short they are refused")
  func coding() throws {
    var random = SplitMix64(seed: 9)
    let predictions = (0..<300).map { _ in Double.random(in: 0...1, using: &random) }
    let truths = predictions.map { $0 + Double.random(in: -1...1, using: &random) }
    let intervals = try ConformalIntervals(predictions: predictions, truths: truths, level: 0.8)
    var writer = ByteWriter()
    intervals.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    #expect(try ConformalIntervals(from: &reader) == intervals)
    for length in 0..<writer.count {
      var cut = ByteReader(UnsafeRawBufferPointer(rebasing: writer.bytes[..<length]))
      #expect(throws: ByteReader.Truncated.self) { try ConformalIntervals(from: &cut) }
    }
  }
}

@Suite struct MetricsTests {
  @Test("ROC-AUC counts pairs, ties as half")
  func area() {
    let scores = [0.1, 0.4, 0.35, 0.8, 0.4]
    let labels = [false, false, true, true, true]
    // Of six pairs: 0.35 beats one, 0.8 beats two, 0.4 beats one and ties one.
    #expect(ClassificationMetrics.areaUnderROC(scores: scores, labels: labels) == 4.5 / 6)
    #expect(ClassificationMetrics.areaUnderROC(scores: [1, 2], labels: [true, true]) == nil)
  }

  @Test("F1 at the best threshold is that of trying them all")
  func f1() {
    var random = SplitMix64(seed: 4)
    let scores = (0..<200).map { _ in Double(Int.random(in: 0..<40, using: &random)) }
    let labels = scores.map { Double.random(in: 0...60, using: &random) < $0 }
    let threshold = ClassificationMetrics.bestF1Threshold(scores: scores, labels: labels)
    let best = ClassificationMetrics.f1(scores: scores, labels: labels, threshold: threshold)
    for other in stride(from: -0.5, to: 40, by: 1) {
      #expect(
        ClassificationMetrics.f1(scores: scores, labels: labels, threshold: other) <= best)
    }
    #expect(
      ClassificationMetrics.f1(scores: [3, 2, 1], labels: [true, false, true], threshold: 1.5)
        == 0.5)
  }

  @Test("PHM08 punishes being late more than being early")
  func phm08() {
    #expect(
      (RegressionMetrics.phm08(predictions: [60, 37], truths: [50, 50]) - 2 * 1.718281828459045)
        .magnitude < 1e-12)
    #expect(RegressionMetrics.rmse(predictions: [1, 5], truths: [4, 1]) == 12.5.squareRoot())
  }

  @Test("Log loss and calibration error have their textbook values")
  func probabilities() {
    let loss = ClassificationMetrics.logLoss(probabilities: [0.5, 0.5], labels: [true, false])
    #expect((loss - 0.6931471805599453).magnitude < 1e-15)
    let error = ClassificationMetrics.calibrationError(
      probabilities: [0.2, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9, 0.9, 0.9, 0.9],
      labels: [true, false, false, false, false, true, true, true, true, false], binCount: 2)
    #expect((error - 0.05).magnitude < 1e-12)
  }

  @Test("Folds keep groups together, spread labels evenly and depend on the seed alone")
  func folds() {
    let groups = (0..<200).map { $0 / 9 }
    let grouped = Folds.grouped(groups, count: 5, seed: 3)
    for group in 0..<23 {
      let folds = groups.indices.filter { groups[$0] == group }.map { grouped.foldOfRow[$0] }
      #expect(Set(folds).count == 1)
    }
    #expect(Folds.grouped(groups, count: 5, seed: 3) == grouped)
    #expect(Folds.grouped(groups, count: 5, seed: 4) != grouped)
    let labels = (0..<100).map { $0 % 10 == 0 }
    let stratified = Folds.stratified(labels, count: 5, seed: 1)
    for fold in 0..<5 {
      #expect(stratified.test(in: fold).count { labels[$0] } == 2)
      #expect(stratified.test(in: fold).count + stratified.training(without: fold).count == 100)
    }
  }
}
