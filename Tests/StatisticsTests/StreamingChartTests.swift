import Statistics
import Telemetry
import TestSupport
import Testing

@Suite struct StreamingChartTests {
  /// NIST/SEMATECH e-Handbook 6.3.2.4.
  @Test("The EWMA chart reproduces the limits and the averages of NIST's example")
  func ewmaOfNIST() {
    var chart = EWMAChart(target: 50, sigma: 2.0539, lambda: 0.3)
    #expect((chart.upperLimit * 1e4).rounded() == 525_884)
    #expect((chart.lowerLimit * 1e4).rounded() == 474_116)
    let data = [
      52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8,
      51.2, 52.6, 52.4, 53.6, 52.1,
    ]
    let printed = [
      50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52,
      50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99,
    ]
    for (value, average) in zip(data, printed) {
      let isOutside = chart.observe(value)
      #expect((chart.average - average).magnitude < 0.006)
      #expect(!isOutside)
    }
  }

  /// NIST/SEMATECH e-Handbook 6.3.2.3.
  @Test("The CUSUM chart signals first at group 14 of NIST's example, with an upper sum of 4.94")
  func cusumOfNIST() {
    let means = [
      324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600,
      324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350,
    ]
    var chart = CUSUMChart(target: 325, allowance: 0.3175, decision: 4.1959)
    var first: (group: Int, sum: Double)?
    for (index, mean) in means.enumerated() {
      if chart.observe(mean), first == nil { first = (index + 1, chart.upperSum) }
    }
    #expect(first?.group == 14)
    #expect(((first?.sum ?? 0) * 100).rounded() == 494)
  }

  @Test("Running moments keep their digits far from zero")
  func moments() {
    var moments = RunningMoments()
    for value in [2.0, 4, 4, 4, 5, 5, 7, 9] { moments.observe(value + 1e9) }
    #expect(moments.mean == 1e9 + 5)
    // The textbook formula, mean of squares less square of the mean, gives 0 here.
    #expect((moments.populationVariance - 4).magnitude < 1e-6)
    #expect((moments.sampleVariance - 32.0 / 7).magnitude < 1e-6)
  }

  @Test("Fading moments agree with a plain mean and variance while nothing is forgotten")
  func fading() {
    var moments = FadingMoments()
    for (index, value) in [Float(2), 4, 4, 4, 5, 5, 7, 9].enumerated() {
      moments.observe(value, weight: FadingMoments.weight(count: UInt32(index + 1), memory: 100))
    }
    #expect((moments.mean - 5).magnitude < 1e-5)
    #expect((moments.variance - 4).magnitude < 1e-4)
  }
}

@Suite struct StreamingFilterTests {
  @Test("The moving deviation agrees with one computed anew over its 64 to 72 values")
  func deviation() {
    var generator = SeededGenerator(seed: 3)
    var values: [Float] = []
    var moving = MovingDeviation()
    for _ in 0..<1_000 {
      values.append(Float.random(in: 90...110, using: &generator))
      let deviation = moving.observe(values[values.count - 1])
      let window = values.suffix(moving.count).map(Double.init)
      #expect(moving.count >= min(values.count, 64) && moving.count <= 72)
      let mean = window.reduce(0, +) / Double(window.count)
      let square = window.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(window.count)
      #expect((Double(deviation) - square.squareRoot()).magnitude < 1e-3)
    }
  }

  @Test("Recursive least squares learns an oscillation and predicts it")
  func prediction() {
    var generator = SeededGenerator(seed: 5)
    var filter = AutoregressiveFilter()
    var (a, b) = (0.0, 0.0)
    var (errors, powers) = (0.0, 0.0)
    for index in 0..<4_000 {
      let value = 1.6 * a - 0.9 * b + Double.random(in: -0.1...0.1, using: &generator)
      (a, b) = (value, a)
      let error = Double(filter.observe(Float(value)))
      guard index > 1_000 else { continue }
      errors += error * error
      powers += value * value
    }
    // The noise has variance 0.01/3; nothing can predict better.
    #expect(errors / 2_999 < 0.0036)
    #expect(powers / 2_999 > 0.02)
  }

  @Test(
    "The filter survives input that does not move, jumps and stops",
    arguments: [Float(0), 1, -1_000, 1e6])
  func flat(_ level: Float) {
    var filter = AutoregressiveFilter()
    for index in 0..<50_000 {
      let error = filter.observe(index == 40_000 ? 0 : level)
      #expect(error.isFinite)
    }
    #expect((filter.prediction - level).magnitude <= 1e-3 * max(level.magnitude, 1))
  }

  @Test("A filter restored from its bytes goes on bit for bit")
  func restored() throws {
    var generator = SeededGenerator(seed: 9)
    var filter = AutoregressiveFilter()
    var deviation = MovingDeviation()
    func feed() -> [UInt32] {
      (0..<200).flatMap { _ in
        let value = Float.random(in: -1...1, using: &generator)
        return [filter.observe(value).bitPattern, deviation.observe(value).bitPattern]
      }
    }
    _ = feed()
    var writer = ByteWriter()
    filter.encode(into: &writer)
    deviation.encode(into: &writer)
    let position = generator
    let expected = feed()
    var reader = ByteReader(writer.bytes)
    filter = try AutoregressiveFilter(from: &reader)
    deviation = try MovingDeviation(from: &reader)
    #expect(reader.remaining == 0)
    generator = position
    #expect(feed() == expected)
  }
}

@Suite struct StreamingEigenTests {
  @Test("Two equal channels have the eigenvalues 3 and 1")
  func two() {
    let eigen = SymmetricEigen([2, 1, 1, 2], size: 2)
    #expect((eigen.values[0] - 3).magnitude < 1e-12)
    #expect((eigen.values[1] - 1).magnitude < 1e-12)
    #expect((eigen.vectors[0][0] - eigen.vectors[0][1]).magnitude < 1e-12)
  }

  @Test(
    "A random symmetric matrix is rebuilt from its eigenvalues and vectors",
    arguments: [1, 3, 8, 32])
  func rebuilt(_ size: Int) {
    var generator = SeededGenerator(seed: UInt64(size))
    var matrix = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in i..<size {
        let entry = Double.random(in: -1...1, using: &generator)
        matrix[i * size + j] = entry
        matrix[j * size + i] = entry
      }
    }
    let eigen = SymmetricEigen(matrix, size: size)
    for i in 0..<size {
      for j in 0..<size {
        var sum = 0.0
        for k in 0..<size { sum += eigen.values[k] * eigen.vectors[k][i] * eigen.vectors[k][j] }
        #expect((sum - matrix[i * size + j]).magnitude < 1e-10)
      }
    }
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
  }
}
