#if canImport(Glibc)
  import Glibc
#endif

/// How well scores tell true rows from false ones.
public enum ClassificationMetrics {
  /// Area under the ROC curve: the chance that a true row scores above a false one, ties counting
  /// half (Mann and Whitney). `nil` with one class only. Cost n log n.
  public static func areaUnderROC(scores: [Double], labels: [Bool]) -> Double? {
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var (positives, rankSum, place) = (0.0, 0.0, 0)
    while place < order.count {
      var end = place
      while end < order.count, scores[order[end]] == scores[order[place]] { end += 1 }
      let rank = Double(place + 1 + end) / 2
      for index in order[place..<end] where labels[index] {
        positives += 1
        rankSum += rank
      }
      place = end
    }
    let negatives = Double(scores.count) - positives
    guard positives > 0, negatives > 0 else { return nil }
    return (rankSum - positives * (positives + 1) / 2) / (positives * negatives)
  }

  /// 2·TP / (2·TP + FP + FN); 0 when nothing is true and nothing was called true.
  public static func f1(scores: [Double], labels: [Bool], threshold: Double) -> Double {
    var (hits, called, positives) = (0.0, 0.0, 0.0)
    for index in scores.indices {
      if scores[index] > threshold { called += 1 }
      if labels[index] { positives += 1 }
      if scores[index] > threshold, labels[index] { hits += 1 }
    }
    return called + positives == 0 ? 0 : 2 * hits / (called + positives)
  }

  /// The threshold with the highest F1 on these rows, halfway to the next score; choose it on rows
  /// other than those it is judged on.
  public static func bestF1Threshold(scores: [Double], labels: [Bool]) -> Double {
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var positives = 0.0
    for label in labels where label { positives += 1 }
    var (hits, best, threshold) = (0.0, -1.0, 0.0)
    for (place, index) in order.enumerated() {
      if labels[index] { hits += 1 }
      let next = place + 1 < order.count ? scores[order[place + 1]] : scores[index] - 1
      guard next < scores[index] else { continue }
      let f1 = 2 * hits / (Double(place + 1) + positives)
      if f1 > best { (best, threshold) = (f1, (scores[index] + next) / 2) }
    }
    return threshold
  }

  /// Mean of −ln of the probability given to what happened; probabilities are kept off 0 and 1 by
  /// 1e-15.
  public static func logLoss(probabilities: [Double], labels: [Bool]) -> Double {
    var sum = 0.0
    for index in labels.indices {
      let p = min(max(probabilities[index], 1e-15), 1 - 1e-15)
      sum -= labels[index] ? log(p) : log1p(-p)
    }
    return sum / Double(max(1, labels.count))
  }

  /// Expected calibration error: |mean probability − observed share| over bins of equal count,
  /// weighted by their rows (Naeini et al. 2015, with equal counts).
  public static func calibrationError(
    probabilities: [Double], labels: [Bool], binCount: Int = 10
  ) -> Double {
    let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
    var error = 0.0
    for bin in 0..<binCount {
      let rows = order[bin * order.count / binCount..<(bin + 1) * order.count / binCount]
      var difference = 0.0
      for index in rows { difference += probabilities[index] - (labels[index] ? 1 : 0) }
      error += difference.magnitude
    }
    return error / Double(max(1, labels.count))
  }
}
