/// What is taken off a column of whole numbers before it is coded; all arithmetic wraps.
enum Predictor: UInt8 {
  /// Nothing.
  case none = 0
  /// The number before.
  case delta = 1
  /// The number before plus its increment.
  case deltaOfDelta = 2
  /// A straight line: ticks of a clock with jitter around them.
  case line = 3
}

/// Writes a column of whole numbers: predictor, its start, then what it leaves over.
final class PredictedEncoder {
  private let integers: IntegerEncoder
  private let buffers = (ScratchBuffer<Int64>(), ScratchBuffer<Int64>())

  init(integers: IntegerEncoder) { self.integers = integers }

  /// Tries those of `predictors` that leave the least, and writes the smallest.
  func write(
    _ column: UnsafeBufferPointer<Int64>, predictors: [Predictor], to writer: ChunkWriter
  ) {
    var best: (predictor: Predictor, interval: Int64, plan: IntegerPlan)?
    // The stream of the best predictor stays in one buffer while the other is tried.
    var (kept, tried) = buffers
    for (predictor, interval) in promising(predictors, column) {
      let stream = leftOver(column, predictor, interval, into: tried)
      let plan = integers.plan(stream)
      if let best, best.plan.bytes <= plan.bytes { continue }
      best = (predictor, interval, plan)
      swap(&kept, &tried)
    }
    guard var best else { preconditionFailure("a column needs a predictor") }
    writer.byte(best.predictor.rawValue)
    if best.predictor != .none { writer.signed(column[0]) }
    if best.predictor == .line || (best.predictor == .deltaOfDelta && column.count > 1) {
      writer.signed(best.interval)
    }
    let count = best.predictor.streamCount(column.count)
    if count > 0 {
      integers.write(
        UnsafeBufferPointer(start: kept.start, count: count), plan: &best.plan, to: writer)
    }
  }

  /// The predictors that leave no more than a quarter of a bit a sample above the least.
  private func promising(
    _ predictors: [Predictor], _ column: UnsafeBufferPointer<Int64>
  ) -> [(Predictor, Int64)] {
    let first = column[0]
    var bits = [0, 0, 0, 0]
    var last = first
    var lastIncrement: Int64 = 0
    let lineInterval = predictors.contains(.line) ? interval(of: column) : 0
    var expected = first
    for number in column {
      let increment = number &- last
      bits[0] &+= (number &- first).zigzag.bitLength
      bits[1] &+= increment.zigzag.bitLength
      bits[2] &+= (increment &- lastIncrement).zigzag.bitLength
      bits[3] &+= (number &- expected).zigzag.bitLength
      expected &+= lineInterval
      last = number
      lastIncrement = increment
    }
    // The increment itself counts little where it hardly varies.
    let steady = bits[2] + column.count
    bits[1] = min(bits[1], max(steady, bits[2]))
    let least = predictors.map { bits[Int($0.rawValue)] }.min() ?? 0
    let slack = column.count < 256 ? Int.max : least + column.count / 4
    let firstIncrement = column.count > 1 ? column[1] &- first : 0
    return predictors.filter { bits[Int($0.rawValue)] <= slack }
      .map { ($0, $0 == .line ? lineInterval : firstIncrement) }
  }

  private func leftOver(
    _ column: UnsafeBufferPointer<Int64>, _ predictor: Predictor, _ interval: Int64,
    into buffer: ScratchBuffer<Int64>
  ) -> UnsafeBufferPointer<Int64> {
    let count = predictor.streamCount(column.count)
    let stream = buffer.prepare(count)
    switch predictor {
    case .none:
      for index in 0..<count { stream[index] = column[index] }
    case .delta:
      for index in 0..<count { stream[index] = column[index + 1] &- column[index] }
    case .deltaOfDelta:
      for index in 0..<count {
        let increment = column[index + 2] &- column[index + 1]
        stream[index] = increment &- (column[index + 1] &- column[index])
      }
    case .line:
      var expected = column[0]
      for index in 0..<count {
        expected &+= interval
        stream[index] = column[index + 1] &- expected
      }
    }
    return UnsafeBufferPointer(stream)
  }

  /// The roundest interval that stays within the jitter from the first to the last number.
  private func interval(of column: UnsafeBufferPointer<Int64>) -> Int64 {
    guard column.count > 2 else { return column.count == 2 ? column[1] &- column[0] : 0 }
    let steps = Int64(column.count - 1)
    let (span, overflow) = column[column.count - 1].subtractingReportingOverflow(column[0])
    guard !overflow, span.magnitude < 1 << 60 else { return 0 }
    var smallest = Int64.max
    var largest = Int64.min
    for index in 1..<column.count {
      let increment = column[index] &- column[index - 1]
      smallest = min(smallest, increment)
      largest = max(largest, increment)
    }
    let (jitter, tooWide) = largest.subtractingReportingOverflow(smallest)
    guard !tooWide, jitter < 1 << 40 else { return span / steps }
    var power: Int64 = 1_000_000_000
    while power > 1 {
      let rounded = Int64((Double(span) / Double(steps) / Double(power)).rounded()) * power
      let (total, overflow) = rounded.multipliedReportingOverflow(by: steps)
      if !overflow, rounded != 0, (total &- span).magnitude <= UInt64(jitter) * 2 { return rounded }
      power /= 10
    }
    return Int64((Double(span) / Double(steps)).rounded())
  }
}

extension Predictor {
  /// How many numbers of a column of `count` are left to code after the start.
  func streamCount(_ count: Int) -> Int {
    switch self {
    case .none: count
    case .delta, .line: count - 1
    case .deltaOfDelta: max(0, count - 2)
    }
  }
}

/// Reads the columns that `PredictedEncoder` writes.
struct PredictedDecoder {
  let integers: IntegerDecoder

  /// Fills all of `column`, which must not be empty.
  func read(
    into column: UnsafeMutableBufferPointer<Int64>, from reader: inout ChunkReader
  ) throws(ChunkError) {
    guard let predictor = Predictor(rawValue: try reader.byte()) else {
      throw reader.malformed("a predictor is unknown")
    }
    let start = predictor == .none ? 0 : try reader.signed()
    let hasInterval =
      predictor == .line || (predictor == .deltaOfDelta && column.count > 1)
    let interval = hasInterval ? try reader.signed() : 0
    let streamCount = predictor.streamCount(column.count)
    let skipped = column.count - streamCount
    let stream = UnsafeMutableBufferPointer(rebasing: column[skipped...])
    if streamCount > 0 { try integers.read(into: stream, from: &reader) }
    if predictor != .none { column[0] = start }
    if skipped == 2 { column[1] = start &+ interval }
    restore(column, predictor, start: start, interval: interval)
  }

  private func restore(
    _ column: UnsafeMutableBufferPointer<Int64>, _ predictor: Predictor, start: Int64,
    interval: Int64
  ) {
    var last = start
    switch predictor {
    case .none: break
    case .delta:
      for index in 1..<max(1, column.count) {
        last &+= column[index]
        column[index] = last
      }
    case .deltaOfDelta:
      var increment = interval
      last &+= interval
      for index in 2..<max(2, column.count) {
        increment &+= column[index]
        last &+= increment
        column[index] = last
      }
    case .line:
      for index in 1..<max(1, column.count) {
        last &+= interval
        column[index] &+= last
      }
    }
  }
}
