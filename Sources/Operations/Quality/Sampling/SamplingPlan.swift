import Statistics

/// A single sampling plan: look at so many units of a lot, accept it with at most so many defective.
public struct SamplingPlan: Sendable, Hashable {
  public enum Decision: String, Sendable, Hashable {
    case accepted, rejected
  }

  public var sampleSize: Int
  /// Ac: the lot is accepted with up to this many nonconforming units.
  public var acceptance: Int
  /// Re: the lot is rejected with this many or more; Ac + 1.
  public var rejection: Int { acceptance + 1 }

  /// - Returns: `nil` for a sample below 1 and an acceptance number that is negative or not below the sample.
  public init?(sampleSize: Int, acceptance: Int) {
    guard sampleSize >= 1, acceptance >= 0, acceptance < sampleSize else { return nil }
    self.sampleSize = sampleSize
    self.acceptance = acceptance
  }

  public func decision(nonconforming: Int) -> Decision {
    nonconforming <= acceptance ? .accepted : .rejected
  }

  /// Operating characteristic: probability that a lot from a process with the share `p` of defectives is accepted.
  ///
  /// Binomial: right for long series and lots of more than ten samples. n 50, Ac 2 at 2 % → 0.9216.
  public func acceptanceProbability(processShare p: Double) -> Double {
    BinomialDistribution(trials: sampleSize, probability: p).cumulative(acceptance)
  }

  /// The same for one lot with so many defectives in it (hypergeometric); a lot smaller than the sample is
  /// inspected whole.
  public func acceptanceProbability(lot: Int, defectives: Int) -> Double {
    HypergeometricDistribution(lot: lot, defectives: defectives, sample: min(sampleSize, lot))
      .cumulative(acceptance)
  }
}
