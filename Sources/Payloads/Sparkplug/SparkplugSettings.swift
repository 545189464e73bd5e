import Telemetry

/// How patient the host is and whether it speaks; `sparkplug:` of the settings in devices/*.yaml.
public struct SparkplugSettings: Hashable, Sendable {
  /// Whether topics below `spBv1.0/` are understood as Sparkplug B.
  public var isOn = true
  /// How long a message that is ahead waits for the missing one.
  public var reorderTimeout: Duration = .seconds(5)
  /// Whether nodes are asked for a rebirth when something was missed.
  public var asksForRebirth = true
  /// Least time between two requests to one node; doubles up to 64 times that while it does not help.
  public var rebirthInterval: Duration = .seconds(30)
  /// Messages of one node that may wait for a missing one; with more the wait is over.
  public var heldMax = 200
  /// Tells gateways apart, so that several of them do not ask at the same moment.
  public var seed: UInt64 = 0

  public init() {}
}
