import Telemetry

/// Prediction intervals from the errors a model made on rows it was not trained on.
///
/// Split conformal prediction (Lei et al. 2018), two-sided and by level of the prediction
/// (Mondrian, Vovk 2012): rows are cut into bins of equal count by their prediction, and each bin has
/// its own pair of error quantiles with the finite-sample rank ⌈(n + 1)(1 − α/2)⌉. Errors that grow
/// with the prediction so get honest, narrower intervals where the model is sure.
public struct ConformalIntervals: Sendable, Equatable {
  /// Nominal share of truths inside, e.g. 0.9.
  public let level: Double
  /// Upper ends of the bins of predictions; the last bin has none.
  private let edges: [Double]
  private let lowerErrors: [Double]
  private let upperErrors: [Double]

  /// - Parameters:
  ///   - predictions: made by cross-validation or on a set held back, not on training rows.
  ///   - binCount: bins with fewer than 50 rows are not made.
  /// - Throws: `RegressionError.tooFewRows` below 20 rows.
  public init(
    predictions: [Double], truths: [Double], level: Double, binCount: Int = 12
  ) throws(RegressionError) {
    precondition(predictions.count == truths.count, "every prediction has a truth")
    precondition(level > 0 && level < 1, "the level of an interval lies between 0 and 1")
    guard predictions.count >= 20 else { throw .tooFewRows(predictions.count, needed: 20) }
    self.level = level
    let order = predictions.indices.sorted {
      (predictions[$0], $0) < (predictions[$1], $1)
    }
    let bins = max(1, min(binCount, predictions.count / 50))
    var edges: [Double] = []
    var lower: [Double] = []
    var upper: [Double] = []
    var start = 0
    for bin in 0..<bins {
      var end = (bin + 1) * order.count / bins
      // Equal predictions share a bin, or an edge would not tell them apart.
      while end < order.count, predictions[order[end]] == predictions[order[end - 1]] { end += 1 }
      guard end > start else { continue }
      let errors = order[start..<end].map { truths[$0] - predictions[$0] }.sorted()
      lower.append(Self.quantile(errors, share: (1 - level) / 2, isUpper: false))
      upper.append(Self.quantile(errors, share: (1 - level) / 2, isUpper: true))
      if end < order.count {
        edges.append((predictions[order[end - 1]] + predictions[order[end]]) / 2)
      }
      start = end
    }
    (self.edges, lowerErrors, upperErrors) = (edges, lower, upper)
  }

  public func interval(for prediction: Double) -> ClosedRange<Double> {
    var bin = 0
    while bin < edges.count, prediction > edges[bin] { bin += 1 }
    let low = prediction + lowerErrors[bin]
    return low...max(low, prediction + upperErrors[bin])
  }

  private static func quantile(_ sorted: [Double], share: Double, isUpper: Bool) -> Double {
    let rank = Int((Double(sorted.count + 1) * (1 - share)).rounded(.up))
    let place = min(max(rank, 1), sorted.count) - 1
    return isUpper ? sorted[place] : sorted[sorted.count - 1 - place]
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(1)
    writer.double(level)
    writer.varint(UInt64(edges.count))
    for edge in edges { writer.double(edge) }
    for index in lowerErrors.indices {
      writer.double(lowerErrors[index])
      writer.double(upperErrors[index])
    }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == 1 else { throw ByteReader.Truncated() }
    level = try reader.double()
    let count = try reader.length()
    var edges: [Double] = []
    var lower: [Double] = []
    var upper: [Double] = []
    for _ in 0..<count { edges.append(try reader.double()) }
    for _ in 0...count {
      lower.append(try reader.double())
      upper.append(try reader.double())
    }
    (self.edges, lowerErrors, upperErrors) = (edges, lower, upper)
  }
}
