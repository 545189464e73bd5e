/// What the store's row tells about a chunk, so that aggregates need not decode it.
///
/// Min, max, sum, increase and integral leave NaN out; `nanCount` says how many there were.
public struct ChunkSummary: Hashable, Sendable {
  public var count = 0
  public var nanCount = 0
  /// Microseconds of the first and the last sample.
  public var t0: Int64 = 0
  public var t1: Int64 = 0
  public var min = Double.infinity
  public var max = -Double.infinity
  public var sum = 0.0
  /// Bits of the first and the last sample.
  public var first: UInt64 = 0
  public var last: UInt64 = 0
  /// The growth of a counter inside the chunk; a drop is a restart, which adds the new value.
  public var increase = 0.0
  /// Value times microseconds from `t0` to `t1`, each value held until the next that is a number.
  public var integral = 0.0
  /// Microseconds of `t0 ... t1` with a value; less than all only when the first ones are NaN.
  public var held: Int64 = 0
  /// The first and the last value that is not NaN, when there is one.
  public var firstNumber: Double?
  public var lastNumber: Double?

  public init() {}

  /// The summary of numbers in order of time; booleans and words by their bits' number.
  public init(_ columns: ChunkColumns, isNumber: Bool = true) {
    guard let start = columns.times.first else { return }
    count = columns.count
    t0 = start
    first = columns.bits[0]
    var last: (value: Double, time: Int64)?
    for index in 0..<columns.count {
      let bits = columns.bits[index]
      let value = isNumber ? Double(bitPattern: bits) : Double(bits)
      let time = columns.times[index]
      t1 = time
      self.last = bits
      if let last {
        let duration = time - (index > 0 ? columns.times[index - 1] : time)
        integral += last.value * Double(duration)
        held += duration
      }
      guard !value.isNaN else {
        nanCount += 1
        continue
      }
      if let last { increase += counterIncrease(from: last.value, to: value) }
      firstNumber = firstNumber ?? value
      last = (value, time)
      sum += value
      min = Swift.min(min, value)
      max = Swift.max(max, value)
    }
    lastNumber = last?.value
  }
}

/// The growth of a counter from one sample to the next: a drop means it started again at 0.
@inlinable public func counterIncrease(from before: Double, to after: Double) -> Double {
  after >= before ? after - before : after
}
