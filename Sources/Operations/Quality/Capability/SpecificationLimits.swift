/// What a characteristic must be: limits, of which one may be open, and the value aimed at.
public struct SpecificationLimits: Sendable, Hashable {
  public var lower: Double?
  public var upper: Double?
  public var target: Double?

  /// - Returns: `nil` when the limits are not in order.
  public init?(lower: Double? = nil, upper: Double? = nil, target: Double? = nil) {
    if let lower, let upper, lower >= upper { return nil }
    self.lower = lower
    self.upper = upper
    self.target = target
  }

  public var isOpen: Bool { lower == nil && upper == nil }

  /// Whether a part with this value is good; a value on a limit is.
  public func accepts(_ value: Double) -> Bool {
    lower.map { value >= $0 } != false && upper.map { value <= $0 } != false
  }
}
