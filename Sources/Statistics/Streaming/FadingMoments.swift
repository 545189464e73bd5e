import Telemetry

/// Mean and variance that forget: plain averages over the first `memory` values, then exponentially weighted.
///
/// Each value moves the mean by 1/n of its distance, n being the count but at most `memory`; the variance by
/// West's update with the same weight. With a memory of 1/α from the first value on this is the EWMA mean and
/// variance of Roberts (1959). Two floats, so that five of them fit beside a detector: values should be given
/// relative to a nearby anchor.
public struct FadingMoments: Sendable, Equatable {
  public private(set) var mean: Float = 0
  public private(set) var variance: Float = 0

  public init() {}

  /// - Parameter weight: share of the new value, 1 for the first, in 0…1.
  public mutating func observe(_ value: Float, weight: Float) {
    let distance = value - mean
    let step = distance * weight
    mean += step
    variance = (1 - weight) * (variance + distance * step)
  }

  /// The weight of the value numbered `count` (the first is 1) for a memory of so many values.
  public static func weight(count: UInt32, memory: UInt32) -> Float {
    1 / Float(min(count, memory))
  }

  public func encode(into writer: inout ByteWriter) {
    writer.float(mean)
    writer.float(variance)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    mean = try reader.float()
    variance = try reader.float()
  }
}
