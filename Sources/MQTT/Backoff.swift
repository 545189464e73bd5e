/// Waiting times between attempts: full jitter under an exponential ceiling.
///
/// Attempt n waits a uniform share of min(cap, base · 2ⁿ), so that a hundred gateways do not return to a
/// broker in step ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
/// With base 0.5 s and cap 30 s the ceilings are 0.5, 1, 2, 4, 8, 16, 30, 30 … s.
public struct Backoff: Sendable {
  public var baseSeconds: Double
  public var capSeconds: Double
  public private(set) var attempts = 0

  public init(baseSeconds: Double = 0.5, capSeconds: Double = 30) {
    self.baseSeconds = baseSeconds
    self.capSeconds = capSeconds
  }

  /// Seconds to wait before the next attempt; `share` is a fresh random number in 0 ..< 1.
  public mutating func nextDelaySeconds(share: Double) -> Double {
    let ceiling = min(capSeconds, baseSeconds * Double(1 << min(attempts, 30)))
    attempts += 1
    return ceiling * share
  }

  /// The connection held: the next failure starts from the base again.
  public mutating func reset() { attempts = 0 }
}
