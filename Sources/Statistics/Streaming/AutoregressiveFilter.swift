import Telemetry

/// Predicts the next value from the last six, and learns the weights as it goes: recursive least squares with
/// forgetting.
///
/// K = P·x / (λ + xᵀ·P·x); w += K·e; P = (P - K·xᵀ·P) / λ. P is symmetric and kept as its lower triangle in
/// single precision, so that it cannot lose its symmetry. Forgetting makes P grow when the input does not
/// move; a trace above `traceMax`, a pivot that is not positive, or a weight that is not finite start P anew
/// (and in the last case the weights). Give it values of order one.
public struct AutoregressiveFilter: Sendable {
  public static let order = 6
  static let packed = order * (order + 1) / 2
  static let startingVariance: Float = 100
  static let traceMax: Float = 1e6
  /// Half of what was learned is forgotten after about 1,400 values.
  static let forgetting: Float = 0.9995

  private var weights = InlineArray<6, Float>(repeating: 0)
  /// The newest first.
  private var lags = InlineArray<6, Float>(repeating: 0)
  private var triangle = InlineArray<21, Float>(repeating: 0)

  public init() { startAnew() }

  /// What the next value should be; 0 while nothing was seen.
  public var prediction: Float {
    var sum: Float = 0
    for index in 0..<Self.order { sum += weights[index] * lags[index] }
    return sum
  }

  /// Learns from what came.
  /// - Returns: the value less what had been predicted.
  public mutating func observe(_ value: Float) -> Float {
    let error = value - prediction
    var gain = InlineArray<6, Float>(repeating: 0)
    var power = Self.forgetting
    for row in 0..<Self.order {
      var sum: Float = 0
      for column in 0..<Self.order { sum += triangle[Self.place(row, column)] * lags[column] }
      gain[row] = sum
      power += sum * lags[row]
    }
    let scale = 1 / power
    let share = error * scale
    var isFinite = true
    for row in 0..<Self.order {
      weights[row] += gain[row] * share
      isFinite = isFinite && weights[row].isFinite
    }
    shrink(gain, scale)
    if !isFinite { weights = InlineArray(repeating: 0) }
    if !isFinite || !isSound { startAnew() }
    for index in stride(from: Self.order - 1, to: 0, by: -1) { lags[index] = lags[index - 1] }
    lags[0] = value
    return error
  }

  @inline(__always)
  private static func place(_ row: Int, _ column: Int) -> Int {
    row >= column ? row * (row + 1) / 2 + column : column * (column + 1) / 2 + row
  }

  @inline(__always)
  private mutating func shrink(_ gain: InlineArray<6, Float>, _ scale: Float) {
    let growth = 1 / Self.forgetting
    var index = 0
    for row in 0..<Self.order {
      let share = gain[row] * scale
      for column in 0...row {
        triangle[index] = (triangle[index] - share * gain[column]) * growth
        index += 1
      }
    }
  }

  private var isSound: Bool {
    var trace: Float = 0
    var index = 0
    for row in 0..<Self.order {
      index = Self.place(row, row)
      guard triangle[index] > 0 else { return false }
      trace += triangle[index]
    }
    return trace < Self.traceMax
  }

  private mutating func startAnew() {
    triangle = InlineArray(repeating: 0)
    for row in 0..<Self.order { triangle[Self.place(row, row)] = Self.startingVariance }
  }

  public func encode(into writer: inout ByteWriter) {
    for index in 0..<Self.order { writer.float(weights[index]) }
    for index in 0..<Self.order { writer.float(lags[index]) }
    for index in 0..<Self.packed { writer.float(triangle[index]) }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    for index in 0..<Self.order { weights[index] = try reader.float() }
    for index in 0..<Self.order { lags[index] = try reader.float() }
    for index in 0..<Self.packed { triangle[index] = try reader.float() }
  }
}
