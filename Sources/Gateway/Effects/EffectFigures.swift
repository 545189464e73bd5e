import Telemetry

/// What has left the box since the start and what waits to, by lane.
public struct EffectFigures: Sendable {
  public struct Lane: Sendable, Hashable {
    /// `mqtt`, `webhook`, `email`, `log` or `unreadable`.
    public var kind = ""
    public var delivered: UInt64 = 0
    /// Attempts that failed and were or will be made again.
    public var retried: UInt64 = 0
    /// Refused for good; in the loss ledger.
    public var refused: UInt64 = 0
    /// Tried for as long as the settings allow; in the loss ledger.
    public var givenUp: UInt64 = 0
    /// Not sent because their time was over.
    public var expired: UInt64 = 0
    /// States that were not sent because a newer one of the same topic was.
    public var superseded: UInt64 = 0
    /// Those in flight among them.
    public var waiting = 0
    public var oldestWaiting: Timestamp?

    public init() {}
  }

  /// In the order in which they were first needed; the name of a webhook's lane holds its host.
  public var lanes: [(name: String, figures: Lane)] = []

  public init() {}

  /// Longer than this nothing should have to wait.
  public static let waitSecondsMax: Int64 = 600

  public func oldestWaitSeconds(now: Timestamp) -> Int64 {
    let oldest = lanes.compactMap(\.figures.oldestWaiting).min()
    return oldest.map { max(0, now.microseconds(since: $0) / 1_000_000) } ?? 0
  }
}
