import Telemetry

/// Mean and variance of all values so far, in one pass and without cancellation.
///
/// Welford's recurrence (Technometrics 4, 1962): after 2, 4, 4, 4, 5, 5, 7, 9 the mean is 5 and the population
/// variance 4.
public struct RunningMoments: Sendable, Equatable {
  public private(set) var count: UInt64 = 0
  public private(set) var mean = 0.0
  /// Sum of squared distances to the mean.
  public private(set) var squares = 0.0

  public init() {}

  public mutating func observe(_ value: Double) {
    count += 1
    let distance = value - mean
    mean += distance / Double(count)
    squares += distance * (value - mean)
  }

  /// Divided by n; 0 while there is nothing.
  public var populationVariance: Double { count > 0 ? squares / Double(count) : 0 }

  /// Divided by n - 1; 0 for fewer than two values.
  public var sampleVariance: Double { count > 1 ? squares / Double(count - 1) : 0 }

  public func encode(into writer: inout ByteWriter) {
    writer.varint(count)
    writer.double(mean)
    writer.double(squares)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    count = try reader.varint()
    mean = try reader.double()
    squares = try reader.double()
  }
}
