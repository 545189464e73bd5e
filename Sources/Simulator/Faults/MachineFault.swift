import Telemetry

/// A fault of a machine or of the whole plant: what, where, how bad, from when to when. It is the truth that
/// detectors are judged by.
public struct MachineFault: Sendable, Hashable {
  public var kind: FaultKind
  /// Empty for a fault of the whole plant.
  public var device: String
  /// The signal of a stuck or drifting sensor.
  public var metric: String
  /// As `kind.severityUnit` says; above 0.
  public var severity: Double
  public var begin: Timestamp
  /// When it is repaired.
  public var end: Timestamp
  /// From the begin to the full extent; of bearing wear the life that is left at the begin.
  public var growthSeconds: Double
  /// The machine is kept running while it has not failed, so that the fault shows.
  public var keepsRunning = false

  /// - Parameter growthSeconds: above 0 for kinds that grow; `nil`: the whole time.
  public init(
    _ kind: FaultKind, device: String? = nil, metric: String? = nil, severity: Double,
    begin: Timestamp, seconds: Double, growthSeconds: Double? = nil
  ) {
    self.kind = kind
    self.device = kind.isOfPlant ? "" : device ?? kind.usualDevice
    self.metric = metric ?? kind.usualMetric ?? ""
    self.severity = severity
    self.begin = begin
    end = begin.advanced(byMicroseconds: Int64(seconds * 1e6))
    self.growthSeconds = growthSeconds ?? seconds
  }

  public func isActive(at time: Timestamp) -> Bool { begin <= time && time < end }

  func seconds(at time: Timestamp) -> Double { Double(time.microseconds(since: begin)) / 1e6 }

  /// 0 … 1: how far it has grown.
  func extent(at time: Timestamp) -> Double {
    growthSeconds > 0 ? min(1, max(0, seconds(at: time) / growthSeconds)) : 1
  }

  /// The true remaining life of a wearing bearing in seconds, 0 once it has failed; `nil` of other kinds and
  /// before and after it.
  public func remainingLife(at time: Timestamp) -> Double? {
    guard kind == .bearingWear, isActive(at: time) else { return nil }
    return max(0, growthSeconds - seconds(at: time))
  }

  /// 0 … 1: damage of a wearing bearing, the square of the share of its life that is used up.
  public func damage(at time: Timestamp) -> Double? {
    guard kind == .bearingWear, isActive(at: time) else { return nil }
    let used = extent(at: time)
    return used * used
  }
}
