import Statistics
import Telemetry

/// What a control chart needs of one subgroup: a sample taken under the same conditions.
public struct Subgroup: Sendable, Hashable {
  /// Of its last value.
  public var time: Timestamp
  /// Values measured, or units inspected; at least 1.
  public var size: Int
  /// Mean of the values; for attributes the number of defectives or defects.
  public var value: Double
  /// Largest less smallest; 0 for attributes and single values.
  public var range: Double
  /// Sample standard deviation (n − 1); 0 for attributes and single values.
  public var deviation: Double

  /// - Parameter values: finite, at least one.
  public init(time: Timestamp, values: [Double]) {
    precondition(!values.isEmpty, "a subgroup has at least one value")
    var moments = RunningMoments()
    var (low, high) = (values[0], values[0])
    for value in values {
      moments.observe(value)
      low = min(low, value)
      high = max(high, value)
    }
    self.init(
      time: time, size: values.count, value: moments.mean, range: high - low,
      deviation: moments.sampleVariance.squareRoot())
  }

  /// A count of defectives or defects among `inspected` units.
  public init(time: Timestamp, count: Int, inspected: Int) {
    precondition(count >= 0 && inspected > 0, "a count of defects is of units inspected")
    self.init(time: time, size: inspected, value: Double(count), range: 0, deviation: 0)
  }

  init(time: Timestamp, size: Int, value: Double, range: Double, deviation: Double) {
    self.time = time
    self.size = size
    self.value = value
    self.range = range
    self.deviation = deviation
  }

  func encode(into writer: inout ByteWriter) {
    writer.zigzag(time.microseconds)
    writer.varint(UInt64(size))
    for number in [value, range, deviation] { writer.double(number) }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    time = Timestamp(microseconds: try reader.zigzag())
    size = Int(truncatingIfNeeded: try reader.varint())
    value = try reader.double()
    range = try reader.double()
    deviation = try reader.double()
  }
}
