/// How long one unit ran, and whether it ended in a failure.
public struct Life: Sendable, Equatable {
  /// Usage from its beginning, above 0, in the usage unit (hours, cycles, parts).
  public var duration: Double
  /// False when the unit was still running or was replaced before it failed: the life is censored.
  public var isFailure: Bool

  public init(duration: Double, isFailure: Bool) {
    self.duration = duration
    self.isFailure = isFailure
  }
}
