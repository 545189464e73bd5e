/// The values of a percentile over time, the oldest first, and the same in order of size.
///
/// Of more than 1,024 values in the window every second is dropped, and from then on every second
/// one passed by; doubled as
/// often as needed, and taken back when fewer than 256 are left.
struct ValueRing: Hashable, Sendable {
  private(set) var values: [Double] = []
  private(set) var times: [Int64] = []
  private(set) var sorted: [Double] = []
  /// Every how many values one is kept.
  private(set) var stride = 1
  private(set) var skipped = 0
  /// Values before it are forgotten; taken out when there are many.
  private(set) var start = 0

  mutating func append(_ value: Double, at time: Int64, within length: Int64) {
    skipped += 1
    guard skipped >= stride else { return }
    skipped = 0
    forget(before: time - length)
    if values.count - start >= WindowSpec.percentileValuesMax { thin() }
    values.append(value)
    times.append(time)
    sorted.insert(value, at: lowerBound(value))
  }

  mutating func forget(before time: Int64) {
    while start < times.count, times[start] < time {
      sorted.remove(at: lowerBound(values[start]))
      start += 1
    }
    if stride > 1, times.count - start < WindowSpec.percentileValuesMax / 4 { stride /= 2 }
    guard start > 0, start * 2 >= values.count else { return }
    values.removeFirst(start)
    times.removeFirst(start)
    start = 0
  }

  /// Puts saved values back.
  mutating func restore(
    values: [Double], times: [Int64], stride: Int, skipped: Int, start: Int
  ) {
    self.values = values
    self.times = times
    self.stride = stride
    self.skipped = skipped
    self.start = start
    sorted = values[start...].sorted()
  }

  func quantile(_ quantile: Double) -> Double? { interpolatedQuantile(quantile, of: sorted[...]) }

  private mutating func thin() {
    var kept = start
    for index in Swift.stride(from: start, to: values.count, by: 2) {
      values[kept] = values[index]
      times[kept] = times[index]
      kept += 1
    }
    values.removeLast(values.count - kept)
    times.removeLast(times.count - kept)
    sorted = values[start...].sorted()
    stride *= 2
  }

  private func lowerBound(_ value: Double) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
