import Telemetry

/// One signal of an entity: its recent values, and how far it has drifted from its own past.
///
/// Drift is the fast fading mean (about the last 30 values) less the slow one (about the last 1,000),
/// in slow standard deviations. O(1) a value.
public struct SignalState: Sendable, Equatable {
  static let fastWeight = 1.0 / 30
  static let slowWeight = 1.0 / 1_000

  private var recent = RecentWindow()
  public private(set) var last = Double.nan
  public private(set) var count = 0
  private var fast = 0.0
  private var slow = 0.0
  private var slowVariance = 0.0

  public init() {}

  /// Takes in a value; one that is not finite is left out.
  public mutating func observe(_ value: Double) {
    guard value.isFinite else { return }
    recent.append(value)
    last = value
    count += 1
    let even = 1 / Double(count)
    fast += max(Self.fastWeight, even) * (value - fast)
    let weight = max(Self.slowWeight, even)
    let delta = value - slow
    slow += weight * delta
    slowVariance = (1 - weight) * (slowVariance + weight * delta * delta)
  }

  /// NaN below 30 values; 0 for a signal that never moved.
  public var drift: Double {
    guard count >= 30 else { return .nan }
    return slowVariance > 0 ? (fast - slow) / slowVariance.squareRoot() : 0
  }

  static let perSignal = 7

  static func features(of signal: Feature) -> [Feature] {
    [
      Feature("\(signal.name) last", unit: signal.unit),
      Feature("\(signal.name) mean 5", unit: signal.unit),
      Feature("\(signal.name) mean 10", unit: signal.unit),
      Feature("\(signal.name) mean 30", unit: signal.unit),
      Feature("\(signal.name) slope 30", unit: signal.unit),
      Feature("\(signal.name) deviation 30", unit: signal.unit),
      Feature("\(signal.name) drift"),
    ]
  }

  func append(to row: inout [Double]) {
    let trend = recent.trend()
    row.append(last)
    row.append(recent.mean(last: 5))
    row.append(recent.mean(last: 10))
    row.append(recent.mean(last: 30))
    row.append(count > 0 ? trend.slope : .nan)
    row.append(count > 0 ? trend.deviation : .nan)
    row.append(drift)
  }

  func encode(into writer: inout ByteWriter) {
    recent.encode(into: &writer)
    writer.double(last)
    writer.varint(UInt64(count))
    writer.double(fast)
    writer.double(slow)
    writer.double(slowVariance)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    recent = try RecentWindow(from: &reader)
    last = try reader.double()
    count = try reader.count()
    fast = try reader.double()
    slow = try reader.double()
    slowVariance = try reader.double()
  }
}
