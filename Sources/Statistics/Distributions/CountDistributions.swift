#if canImport(Glibc)
  import Glibc
#endif

/// Defectives in a sample of `trials` from a process with a fixed share of them.
///
/// Of 50 at 2 %, at most two are defective with probability 0.9216.
public struct BinomialDistribution: Sendable, Hashable {
  public let trials: Int
  /// 0 to 1.
  public let probability: Double

  public init(trials: Int, probability: Double) {
    precondition(trials >= 0, "a number of trials is not negative")
    precondition(probability >= 0 && probability <= 1, "a probability lies between 0 and 1")
    self.trials = trials
    self.probability = probability
  }

  public func mass(_ k: Int) -> Double {
    guard k >= 0, k <= trials else { return 0 }
    if probability == 0 { return k == 0 ? 1 : 0 }
    if probability == 1 { return k == trials ? 1 : 0 }
    return exp(
      Gamma.logChoose(trials, k) + Double(k) * log(probability)
        + Double(trials - k) * log1p(-probability))
  }

  /// Probability of at most `k`.
  public func cumulative(_ k: Int) -> Double { summed(to: min(k, trials), mass) }
}

/// Defectives in a sample of `sample` without replacement from a lot of `lot` with `defectives` among them.
///
/// Lot of 200 with 10 defective, sample of 20: at most one with probability 0.7372.
public struct HypergeometricDistribution: Sendable, Hashable {
  public let lot: Int
  public let defectives: Int
  public let sample: Int

  public init(lot: Int, defectives: Int, sample: Int) {
    precondition(
      defectives >= 0 && defectives <= lot && sample >= 0 && sample <= lot,
      "defectives and sample are parts of the lot")
    self.lot = lot
    self.defectives = defectives
    self.sample = sample
  }

  public func mass(_ k: Int) -> Double {
    let ways =
      Gamma.logChoose(defectives, k) + Gamma.logChoose(lot - defectives, sample - k)
    return ways == -.infinity ? 0 : exp(ways - Gamma.logChoose(lot, sample))
  }

  /// Probability of at most `k`.
  public func cumulative(_ k: Int) -> Double { summed(to: min(k, sample), mass) }
}

private func summed(to last: Int, _ mass: (Int) -> Double) -> Double {
  guard last >= 0 else { return 0 }
  var sum = 0.0
  for k in 0...last { sum += mass(k) }
  return min(1, sum)
}
