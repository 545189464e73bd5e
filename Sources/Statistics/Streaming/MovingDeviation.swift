import Telemetry

/// Standard deviation of about the last 72 values, from eight blocks of nine.
///
/// Each block keeps its mean and its sum of squares (Welford); blocks are merged by Chan, Golub and LeVeque
/// (1979). The window moves a block at a time, so it spans 64 to 72 values; that costs 66 bytes instead of the
/// 288 of a ring, and no sum can drift.
public struct MovingDeviation: Sendable {
  public static let blocks = 8
  public static let blockLength = 9

  private var means = InlineArray<8, Float>(repeating: 0)
  private var squares = InlineArray<8, Float>(repeating: 0)
  private var current: UInt8 = 0
  /// Values in the current block.
  private var filling: UInt8 = 0
  /// Complete blocks beside the current one.
  private var complete: UInt8 = 0

  public init() {}

  /// Values in the window.
  public var count: Int { Int(complete) * Self.blockLength + Int(filling) }

  /// - Returns: the population standard deviation of the window, this value included.
  public mutating func observe(_ value: Float) -> Float {
    if filling == Self.blockLength { openBlock() }
    let block = Int(current)
    filling += 1
    let distance = value - means[block]
    means[block] += distance / Float(filling)
    squares[block] += distance * (value - means[block])
    return merged()
  }

  private mutating func openBlock() {
    current = (current + 1) % UInt8(Self.blocks)
    complete = min(complete + 1, UInt8(Self.blocks - 1))
    filling = 0
    means[Int(current)] = 0
    squares[Int(current)] = 0
  }

  /// From the current block back in time.
  @inline(__always)
  private func merged() -> Float {
    var (count, mean, sum) = (Float(filling), means[Int(current)], squares[Int(current)])
    let length = Float(Self.blockLength)
    var block = Int(current)
    for _ in 0..<Int(complete) {
      block = (block + Self.blocks - 1) % Self.blocks
      let total = count + length
      let distance = means[block] - mean
      let share = length / total
      sum += squares[block] + distance * distance * count * share
      mean += distance * share
      count = total
    }
    return (max(sum, 0) / count).squareRoot()
  }

  public func encode(into writer: inout ByteWriter) {
    for index in 0..<Self.blocks {
      writer.float(means[index])
      writer.float(squares[index])
    }
    writer.byte(current)
    writer.byte(filling)
    writer.byte(complete)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    for index in 0..<Self.blocks {
      means[index] = try reader.float()
      squares[index] = try reader.float()
    }
    current = try reader.byte() % UInt8(Self.blocks)
    filling = min(try reader.byte(), UInt8(Self.blockLength))
    complete = min(try reader.byte(), UInt8(Self.blocks - 1))
  }
}
