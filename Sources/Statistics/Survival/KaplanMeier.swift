#if canImport(Glibc)
  import Glibc
#endif

/// The share that survives each age, without assuming a distribution (Kaplan and Meier 1958).
///
/// Worked number: 6-MP remission times of Freireich et al. (1963), 21 patients, S(10) = 0.753,
/// S(23) = 0.448.
public struct KaplanMeier: Sendable {
  public struct Step: Sendable, Equatable {
    public var age: Double
    public var atRisk: Int
    public var failures: Int
    /// Share that survives this age.
    public var survival: Double
    /// Greenwood's standard error of `survival`.
    public var standardError: Double
  }

  /// One per age at which something failed, in order of age.
  public let steps: [Step]

  public init(_ lives: [Life]) {
    let ordered = lives.sorted { $0.duration < $1.duration }
    var steps: [Step] = []
    var survival = 1.0
    var variance = 0.0
    var index = 0
    while index < ordered.count {
      let age = ordered[index].duration
      let atRisk = ordered.count - index
      var failures = 0
      // Lives censored at an age at which others fail were at risk then, as is the custom.
      while index < ordered.count, ordered[index].duration == age {
        if ordered[index].isFailure { failures += 1 }
        index += 1
      }
      guard failures > 0 else { continue }
      survival *= 1 - Double(failures) / Double(atRisk)
      variance += Double(failures) / (Double(atRisk) * Double(atRisk - failures))
      steps.append(
        Step(
          age: age, atRisk: atRisk, failures: failures, survival: survival,
          standardError: survival == 0 ? 0 : survival * variance.squareRoot()))
    }
    self.steps = steps
  }

  /// Share that survives `age`; 1 before the first failure.
  public func survival(at age: Double) -> Double {
    steps.last { $0.age <= age }?.survival ?? 1
  }

  /// The age that half do not survive; `nil` while more than half survive.
  public var median: Double? { steps.first { $0.survival <= 0.5 }?.age }
}
