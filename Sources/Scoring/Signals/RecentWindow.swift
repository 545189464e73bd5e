import Telemetry

/// The last values of one signal, as many as the longest window needs; O(1) to add to.
///
/// Windows are summed when asked for, not kept as running sums: subtracting what leaves a window
/// gathers rounding errors for as long as the machine runs.
struct RecentWindow: Sendable, Equatable {
  static let capacity = 30

  private var ring: [Double] = []
  private var next = 0

  var count: Int { ring.count }

  mutating func append(_ value: Double) {
    if ring.count < Self.capacity {
      if ring.isEmpty { ring.reserveCapacity(Self.capacity) }
      ring.append(value)
    } else {
      ring[next] = value
    }
    next = (next + 1) % Self.capacity
  }

  /// The value that came `age` values before the last, 0 ≤ age < count.
  private func value(age: Int) -> Double {
    ring[(next - 1 - age + 2 * Self.capacity) % Self.capacity]
  }

  /// Mean of the last `length` values, or of those there are; NaN without any.
  func mean(last length: Int) -> Double {
    let used = min(length, count)
    guard used > 0 else { return .nan }
    var sum = 0.0
    for age in 0..<used { sum += value(age: age) }
    return sum / Double(used)
  }

  /// Slope per value of the line of least squares, and sample standard deviation; 0 below two values.
  func trend() -> (slope: Double, deviation: Double) {
    let n = Double(count)
    guard count > 1 else { return (0, 0) }
    let middle = mean(last: count)
    let centre = (n - 1) / 2
    var (product, square) = (0.0, 0.0)
    for age in 0..<count {
      let deviation = value(age: age) - middle
      product += (Double(count - 1 - age) - centre) * deviation
      square += deviation * deviation
    }
    return (product / (n * (n * n - 1) / 12), (square / (n - 1)).squareRoot())
  }

  func encode(into writer: inout ByteWriter) {
    writer.byte(UInt8(count))
    writer.byte(UInt8(next))
    for value in ring { writer.double(value) }
  }

  init() {}

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    let count = Int(try reader.byte())
    next = Int(try reader.byte())
    guard count <= Self.capacity, next < Self.capacity,
      count == Self.capacity || next == count
    else { throw ByteReader.Truncated() }
    ring.reserveCapacity(Self.capacity)
    for _ in 0..<count { ring.append(try reader.double()) }
  }
}
