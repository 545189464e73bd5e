import Telemetry

/// One step of an aggregated series.
public struct AggregateBucket: Hashable, Sendable {
  /// Microseconds; the bucket is `start ..< start + step`.
  public var start: Int64
  /// Samples in the bucket, NaN among them.
  public var count = 0
  public var nanCount = 0
  public var min = Double.infinity
  public var max = -Double.infinity
  public var sum = 0.0
  public var first: UInt64 = 0
  public var last: UInt64 = 0
  /// The growth of a counter; the delta across a border belongs to the later sample's bucket.
  public var increase = 0.0
  /// Value times microseconds, and the microseconds, over which a value was held.
  public var integral = 0.0
  public var held: Int64 = 0
  /// Microseconds for each value by its bits; only when asked for.
  public var stateDurations: [UInt64: Int64] = [:]

  public init(start: Int64) { self.start = start }

  /// `nil` without a number.
  public var mean: Double? { count > nanCount ? sum / Double(count - nanCount) : nil }
  /// Each value weighs as long as it held; `nil` when none held for any time.
  public var timeWeightedMean: Double? { held > 0 ? integral / Double(held) : nil }
}

/// Cuts samples in order of time into steps; constant memory, finished buckets leave at once.
///
/// Each value holds until the next sample, across borders, and from the sample before the range when
/// `precede` gave one; before the first sample nothing is held. NaN counts, but changes no aggregate:
/// the number before it goes on holding. A bucket without a sample and without a held value is not emitted; one
/// in which a value only held is, with `count` 0.
public struct StepAggregator {
  public let range: Range<Int64>
  public let step: Int64
  public let origin: Int64
  private let isNumber: Bool
  private let tracksStates: Bool
  private var bucket: AggregateBucket?
  /// Up to where durations are accounted for.
  private var heldUntil: Int64
  private var value: Double?
  private var state: UInt64?

  /// - Parameters:
  ///   - range: Microseconds; samples outside are not to be given.
  ///   - step: Microseconds, above 0.
  ///   - origin: A moment at which a step starts; the epoch of UTC unless said.
  public init(
    range: Range<Int64>, step: Int64, origin: Int64 = 0, type: ValueType = .number,
    tracksStates: Bool = false
  ) {
    precondition(step > 0, "a step is longer than nothing")
    self.range = range
    self.step = step
    self.origin = origin
    isNumber = type == .number
    self.tracksStates = tracksStates
    heldUntil = range.lowerBound
  }

  /// Says what held when the range began: the last sample before it.
  public mutating func precede(bits: UInt64) {
    state = bits
    let number = number(bits)
    if !number.isNaN { value = number }
  }

  public mutating func add(
    time: Int64, bits: UInt64, emit: (AggregateBucket) -> Void
  ) {
    hold(until: time, emit)
    enter(time, emit)
    let number = number(bits)
    observe(bits, number)
    state = bits
    if !number.isNaN { value = number }
  }

  public mutating func add(_ columns: ChunkColumns, emit: (AggregateBucket) -> Void) {
    columns.times.withUnsafeBufferPointer { times in
      columns.bits.withUnsafeBufferPointer { bits in
        var index = 0
        while index < times.count {
          add(time: times[index], bits: bits[index], emit: emit)
          index = addWithinBucket(times, bits, from: index + 1)
        }
      }
    }
  }

  /// The short way for samples that stay in the present bucket after a number: what `add(time:bits:)` does,
  /// step by step in the same order, so that both ways give the same bits.
  /// - Returns: the first sample that needs the long way.
  private mutating func addWithinBucket(
    _ times: UnsafeBufferPointer<Int64>, _ bits: UnsafeBufferPointer<UInt64>, from start: Int
  ) -> Int {
    guard !tracksStates, isNumber, var value, var bucket, start < times.count else { return start }
    self.bucket = nil
    let border = bucket.start + step
    var index = start
    while index < times.count, times[index] < border {
      let number = Double(bitPattern: bits[index])
      if number.isNaN { break }
      let duration = times[index] - heldUntil
      if duration > 0 {
        bucket.integral += value * Double(duration)
        bucket.held += duration
        heldUntil = times[index]
      }
      bucket.sum += number
      bucket.min = Swift.min(bucket.min, number)
      bucket.max = Swift.max(bucket.max, number)
      bucket.increase += counterIncrease(from: value, to: number)
      value = number
      index += 1
    }
    if index > start {
      bucket.count += index - start
      bucket.last = bits[index - 1]
      state = bits[index - 1]
      self.value = value
    }
    self.bucket = bucket
    return index
  }

  /// Whether `add(_ summary:)` can take a chunk of these times: it lies in one step.
  public func takesWhole(t0: Int64, t1: Int64) -> Bool {
    !tracksStates && range.contains(t0) && range.contains(t1) && start(of: t0) == start(of: t1)
  }

  /// Adds a whole chunk without its samples.
  ///
  /// - Precondition: `takesWhole` says so, and nothing later was added.
  public mutating func add(_ summary: ChunkSummary, emit: (AggregateBucket) -> Void) {
    guard summary.count > 0 else { return }
    precondition(takesWhole(t0: summary.t0, t1: summary.t1), "a whole chunk lies in one step")
    hold(until: summary.t0, emit)
    enter(summary.t0, emit)
    guard var bucket else { return }
    if bucket.count == 0 { bucket.first = summary.first }
    bucket.last = summary.last
    bucket.count += summary.count
    bucket.nanCount += summary.nanCount
    bucket.min = Swift.min(bucket.min, summary.min)
    bucket.max = Swift.max(bucket.max, summary.max)
    bucket.sum += summary.sum
    bucket.increase += summary.increase
    // A value from before holds through NaNs at the chunk's start.
    let unheld = summary.t1 - summary.t0 - summary.held
    bucket.integral += summary.integral + (value ?? 0) * Double(unheld)
    bucket.held += summary.held + (value == nil ? 0 : unheld)
    if let value, let first = summary.firstNumber {
      bucket.increase += counterIncrease(from: value, to: first)
    }
    self.bucket = bucket
    heldUntil = summary.t1
    state = summary.last
    value = summary.lastNumber ?? value
  }

  /// Ends the range: the last value holds to its end, or to `now` when that is earlier.
  public mutating func finish(now: Int64 = .max, emit: (AggregateBucket) -> Void) {
    hold(until: min(range.upperBound, now), emit)
    if let bucket { emit(bucket) }
    bucket = nil
  }

  private func number(_ bits: UInt64) -> Double {
    isNumber ? Double(bitPattern: bits) : Double(bits)
  }

  private func start(of time: Int64) -> Int64 {
    (time - origin).flooredQuotient(step) * step + origin
  }

  /// Makes the bucket of `time` the current one.
  private mutating func enter(_ time: Int64, _ emit: (AggregateBucket) -> Void) {
    if let bucket {
      if time - bucket.start < step { return }
      emit(bucket)
    }
    bucket = AggregateBucket(start: start(of: time))
  }

  /// Accounts for the value that holds from `heldUntil` to `time`, split at the borders.
  private mutating func hold(until time: Int64, _ emit: (AggregateBucket) -> Void) {
    guard state != nil, time > heldUntil else {
      heldUntil = max(heldUntil, time)
      return
    }
    while heldUntil < time {
      enter(heldUntil, emit)
      guard let border = bucket.map({ $0.start + step }) else { return }
      let duration = min(border, time) - heldUntil
      if let value {
        bucket?.integral += value * Double(duration)
        bucket?.held += duration
      }
      if tracksStates, let state { bucket?.stateDurations[state, default: 0] += duration }
      heldUntil += duration
    }
  }

  private mutating func observe(_ bits: UInt64, _ number: Double) {
    guard var bucket else { return }
    self.bucket = nil
    if bucket.count == 0 { bucket.first = bits }
    bucket.last = bits
    bucket.count += 1
    if number.isNaN {
      bucket.nanCount += 1
    } else {
      bucket.sum += number
      bucket.min = Swift.min(bucket.min, number)
      bucket.max = Swift.max(bucket.max, number)
      if let value { bucket.increase += counterIncrease(from: value, to: number) }
    }
    self.bucket = bucket
  }
}
