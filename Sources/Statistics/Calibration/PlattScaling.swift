import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// Calibration that is affine in the logit: calibrated = slope·margin + offset.
///
/// Being affine, it keeps additive explanations exact. Fitted with Platt's smoothed targets
/// (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2), by Newton's method (Lin, Lin and Weng 2007).
public struct PlattScaling: Sendable, Equatable {
  public var slope: Double
  public var offset: Double

  public init(slope: Double, offset: Double) {
    self.slope = slope
    self.offset = offset
  }

  /// Leaves margins as they are.
  public static let identity = PlattScaling(slope: 1, offset: 0)

  public func logit(margin: Double) -> Double { slope * margin + offset }

  /// - Parameter margins: of rows the model was not trained on.
  /// - Throws: `RegressionError` with one class only.
  public static func fit(margins: [Double], labels: [Bool]) throws(RegressionError) -> PlattScaling
  {
    precondition(margins.count == labels.count, "every margin has a label")
    var positives = 0.0
    for label in labels where label { positives += 1 }
    let negatives = Double(labels.count) - positives
    guard positives > 0, negatives > 0 else { throw .oneClassOnly }
    let high = (positives + 1) / (positives + 2)
    let low = 1 / (negatives + 2)
    let targets = labels.map { $0 ? high : low }
    var fit = PlattScaling(slope: 0, offset: log((positives + 1) / (negatives + 1)))
    var loss = fit.loss(margins, targets)
    for _ in 0..<100 {
      let step = fit.newtonStep(margins, targets)
      var scale = 1.0
      var next = fit
      var nextLoss = loss
      repeat {
        next.slope = fit.slope + scale * step.slope
        next.offset = fit.offset + scale * step.offset
        nextLoss = next.loss(margins, targets)
        scale /= 2
      } while !(nextLoss <= loss) && scale > 1e-10
      guard nextLoss <= loss else { break }
      let settled = loss - nextLoss <= 1e-12 * (1 + loss.magnitude)
      (fit, loss) = (next, nextLoss)
      if settled { break }
    }
    return fit
  }

  private func loss(_ margins: [Double], _ targets: [Double]) -> Double {
    var sum = 0.0
    for index in margins.indices {
      let x = logit(margin: margins[index])
      sum += Logistic.softplus(x) - targets[index] * x
    }
    return sum
  }

  private func newtonStep(_ margins: [Double], _ targets: [Double]) -> PlattScaling {
    var (h11, h12, h22, g1, g2) = (1e-12, 0.0, 1e-12, 0.0, 0.0)
    for index in margins.indices {
      let m = margins[index]
      let p = Logistic.probability(logit: logit(margin: m))
      let curvature = p * (1 - p)
      h11 += curvature * m * m
      h12 += curvature * m
      h22 += curvature
      g1 += (targets[index] - p) * m
      g2 += targets[index] - p
    }
    let determinant = h11 * h22 - h12 * h12
    guard determinant > 0 else { return PlattScaling(slope: 0, offset: g2 / h22) }
    return PlattScaling(
      slope: (h22 * g1 - h12 * g2) / determinant, offset: (h11 * g2 - h12 * g1) / determinant)
  }

  public func encode(into writer: inout ByteWriter) {
    writer.double(slope)
    writer.double(offset)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    slope = try reader.double()
    offset = try reader.double()
  }
}
