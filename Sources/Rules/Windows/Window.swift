import Telemetry

/// The state of one window of one instance: bounded, whatever the rate of samples.
///
/// A window in time is cut into 60 parts; it covers the current part and the 59 before it, so its
/// far end lies between 59/60 of the
/// length and the length back. Sums within it are exact. A percentile in time is exact for up to
/// 1,024 values; beyond that every
/// second, fourth, … value is kept, at least 512 of them. A window in samples keeps them all.
struct Window: Hashable, Sendable {
  let function: WindowFunction
  let quantile: Double
  /// Length of a part in µs; 0: a window in samples.
  let bucketMicroseconds: Int64
  let samples: Int
  let rollover: Double
  /// Differences below zero are a reset or roll-over.
  var isCounter = false

  /// Parts of a window in time, as many numbers each as the function needs; or times and values of samples,
  /// alternating.
  var numbers: [Double]
  /// The current part, counted from the zero of time; for samples the next place.
  var head: Int64 = 0
  /// Samples in the ring.
  var filled = 0
  /// Where time has come to; `Int64.min`: nothing was seen.
  var time = Int64.min
  var began: Int64 = 0
  /// The argument is known since `time`.
  var isKnown = false
  /// It is true, for conditions.
  var isTrue = false
  var lastValue = Double.nan
  var lastValueTime: Int64 = 0
  /// Sum over all parts but the current one; made again when a part ends.
  var closed = WindowPart()
  /// Values of a percentile.
  var values = ValueRing()

  init(_ spec: WindowSpec) {
    function = spec.function
    quantile = spec.quantile
    samples = spec.samples
    rollover = spec.rollover
    bucketMicroseconds =
      spec.microseconds == 0
      ? 0 : max(1, spec.microseconds / Int64(WindowSpec.bucketsMax))
    numbers = [Double](
      repeating: 0,
      count: spec.microseconds == 0
        ? spec.samples * 2 : WindowSpec.bucketsMax * spec.function.width)
  }

  /// Lets time pass up to `now`; what is known of the argument went on until then.
  mutating func advance(to now: Int64) {
    guard bucketMicroseconds > 0 else { return }
    guard time != .min else {
      (time, began, head) = (now, now, now.flooredQuotient(bucketMicroseconds))
      return
    }
    guard now > time else { return }
    let target = now.flooredQuotient(bucketMicroseconds)
    let oldest = target - Int64(WindowSpec.bucketsMax) + 1
    if target == head {
      cover(from: time, to: now)
    } else if head < oldest {
      for index in numbers.indices { numbers[index] = 0 }
      let kept = Swift.max(time, oldest * bucketMicroseconds)
      head = oldest
      pass(from: kept, to: now, until: target)
    } else {
      pass(from: time, to: now, until: target)
    }
    time = now
  }

  private mutating func pass(from start: Int64, to now: Int64, until target: Int64) {
    var from = start
    while head < target {
      let end = (head + 1) * bucketMicroseconds
      cover(from: from, to: end)
      from = end
      head += 1
      let base = place(head)
      for index in base..<base + function.width { numbers[index] = 0 }
    }
    cover(from: from, to: now)
    sumClosed()
  }

  private func place(_ bucket: Int64) -> Int {
    let count = Int64(WindowSpec.bucketsMax)
    return Int((bucket % count + count) % count) * function.width
  }

  private mutating func cover(from start: Int64, to end: Int64) {
    guard isKnown else { return }
    let base = place(head)
    let seconds = Double(end - start) / 1e6
    numbers[base] += seconds
    if function == .occupancy, isTrue { numbers[base + 2] += seconds }
  }

  private mutating func sumClosed() {
    closed = WindowPart()
    for step in stride(from: Int64(WindowSpec.bucketsMax) - 1, to: 0, by: -1) {
      closed.add(WindowPart(numbers, at: place(head - step), function), function)
    }
  }

  /// The argument has no value from `now` on.
  mutating func lose() {
    if bucketMicroseconds > 0 { isKnown = false }
  }

  /// A value of the argument at `now`; call `advance` before.
  mutating func observe(_ value: Double, at now: Int64) {
    guard bucketMicroseconds > 0 else { return observeSample(value, at: now) }
    let base = place(head)
    switch function {
    case .edges:
      if value != 0, !isTrue { numbers[base + 1] += 1 }
      isTrue = value != 0
    case .occupancy: isTrue = value != 0
    case .delta, .rate:
      if !lastValue.isNaN {
        numbers[base + 1] += 1
        numbers[base + 2] += increment(from: lastValue, to: value)
        if function == .rate { numbers[base + 3] += Double(now - lastValueTime) / 1e6 }
      }
    case .percentile:
      numbers[base + 1] += 1
      values.append(value, at: now, within: bucketMicroseconds * Int64(WindowSpec.bucketsMax))
    default:
      var part = WindowPart(numbers, at: base, function)
      part.observe(value, at: Double(now - began) / 1e6, function)
      part.store(&numbers, at: base, function)
    }
    (lastValue, lastValueTime, isKnown) = (value, now, true)
  }

  private func increment(from old: Double, to new: Double) -> Double {
    guard isCounter, new < old else { return new - old }
    return rollover > 0 && old < rollover ? new + rollover - old : new
  }

  /// What the window says; `nil`: it is covered by less than `coverage` (0 to 1) or says nothing.
  mutating func result(at now: Int64, coverage: Double) -> Double? {
    guard bucketMicroseconds > 0 else { return sampleResult(coverage) }
    let length = Double(bucketMicroseconds) * Double(WindowSpec.bucketsMax) / 1e6
    var part = closed
    part.add(WindowPart(numbers, at: place(head), function), function)
    let covered =
      function == .count
      ? Double(now - Swift.max(began, now - Int64(length * 1e6))) / 1e6 : part.covered
    guard covered >= coverage * length * 59 / 60 else { return nil }
    if function == .percentile {
      values.forget(before: (head - Int64(WindowSpec.bucketsMax) + 1) * bucketMicroseconds)
      return values.quantile(quantile)
    }
    return part.result(function)
  }

  // MARK: - Windows in samples

  private mutating func observeSample(_ value: Double, at now: Int64) {
    if time == .min { began = now }
    time = now
    let index = Int(head) * 2
    numbers[index] = Double(now - began) / 1e6
    numbers[index + 1] = value
    head = (head + 1) % Int64(samples)
    filled = Swift.min(filled + 1, samples)
  }

  /// A sample without a value takes its place as well.
  mutating func observeUnknown(at now: Int64) {
    if bucketMicroseconds == 0 { observeSample(.nan, at: now) } else { lose() }
  }

  private func sampleResult(_ coverage: Double) -> Double? {
    var part = WindowPart()
    var known = 0
    var last = Double.nan
    var lastTime = 0.0
    var list: [Double] = []
    if function == .percentile { list.reserveCapacity(filled) }
    for step in 0..<filled {
      let index = (Int(head) + samples - filled + step) % samples * 2
      let (seconds, value) = (numbers[index], numbers[index + 1])
      guard !value.isNaN else { continue }
      known += 1
      switch function {
      case .percentile: list.append(value)
      case .delta, .rate:
        if !last.isNaN {
          part.count += 1
          part.a += increment(from: last, to: value)
          part.b += seconds - lastTime
        }
        (last, lastTime) = (value, seconds)
      default: part.observe(value, at: seconds, function)
      }
    }
    guard Double(known) >= coverage * Double(samples) else { return nil }
    if function == .percentile {
      list.sort()
      return interpolatedQuantile(quantile, of: list[...])
    }
    return function == .count ? Double(known) : part.result(function)
  }
}

/// Linear interpolation between order statistics at (n − 1) q, as in R's type 7.
/// 1, 2, 3, 4 with q = 0.5 → 2.5.
func interpolatedQuantile(_ quantile: Double, of sorted: ArraySlice<Double>) -> Double? {
  guard let first = sorted.first else { return nil }
  let position = Double(sorted.count - 1) * quantile
  let index = Int(position)
  let share = position - Double(index)
  let low = sorted.isEmpty ? first : sorted[sorted.startIndex + index]
  guard share > 0, index + 1 < sorted.count else { return low }
  return low + (sorted[sorted.startIndex + index + 1] - low) * share
}
