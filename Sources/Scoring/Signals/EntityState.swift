import Telemetry

/// What the gateway keeps about one entity, device or user, to score it: bounded, O(1) a sample.
///
/// Signals are numbered by the profile that made the state, so that a sample needs no look-up by name.
public struct EntityState: Sendable, Equatable {
  private static let formatVersion: UInt8 = 1

  public private(set) var activity = ActivityState()
  public private(set) var signals: [SignalState]
  /// Usage since the last reset of life (operating hours, cycles, strokes), in the profile's unit.
  public private(set) var usage = 0.0

  public init(signalCount: Int) {
    signals = [SignalState](repeating: SignalState(), count: signalCount)
  }

  /// Takes in a sample of signal number `signal`.
  public mutating func observe(signal: Int, value: Double, at time: Timestamp) {
    signals[signal].observe(value)
    activity.observe(at: time)
  }

  /// Takes in something that happened without a value: an event, a visit.
  public mutating func observeEvent(at time: Timestamp) { activity.observe(at: time) }

  public mutating func addUsage(_ amount: Double) { if amount > 0 { usage += amount } }

  /// After a replacement that resets life: age begins anew, and so do the signals' pasts.
  public mutating func resetLife() {
    usage = 0
    signals = [SignalState](repeating: SignalState(), count: signals.count)
  }

  /// Names and units of `values(at:)` for signals of these names and units.
  public static func features(of signals: [Feature], usageUnit: String) -> [Feature] {
    signals.flatMap(SignalState.features) + ActivityState.features
      + [Feature("age", unit: usageUnit)]
  }

  /// The feature vector at `now`; NaN where too little was seen.
  public func values(at now: Timestamp) -> [Double] {
    var row: [Double] = []
    row.reserveCapacity(signals.count * SignalState.perSignal + ActivityState.features.count + 1)
    for signal in signals { signal.append(to: &row) }
    row += activity.values(at: now)
    row.append(usage)
    return row
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    activity.encode(into: &writer)
    writer.double(usage)
    writer.varint(UInt64(signals.count))
    for signal in signals { signal.encode(into: &writer) }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    activity = try ActivityState(from: &reader)
    usage = try reader.double()
    signals = []
    for _ in 0..<(try reader.length()) { signals.append(try SignalState(from: &reader)) }
  }
}
