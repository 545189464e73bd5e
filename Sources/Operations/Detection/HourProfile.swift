import Telemetry

/// What a series usually is at this hour: one mean for each hour of the day, and another one for each hour of
/// weekday, Saturday and Sunday that takes over when it explains clearly more.
///
/// Hours are those of UTC. A mean is plain over its first ten values, then follows with weight 0.1.
struct HourProfile: Sendable {
  private static let slots = 96
  private static let plainCount: UInt8 = 10
  private static let weight: Float = 0.1
  /// Weight of the squared errors by which the two means compete: about the last 500 values.
  private static let errorWeight: Float = 0.002
  /// The finer mean must leave less than this share of the squared error.
  private static let clearly: Float = 0.7

  /// 0–23 any day, 24–47 weekdays, 48–71 Saturday, 72–95 Sunday.
  private var means = InlineArray<96, Float>(repeating: 0)
  private var counts = InlineArray<96, UInt8>(repeating: 0)
  private var dayError: Float = 0
  private var weekError: Float = 0

  /// Whether weekdays and the weekend are told apart.
  var isWeekly: Bool { weekError < Self.clearly * dayError }

  /// Where a moment falls.
  struct Slot {
    var day: Int
    var week: Int

    init(_ time: Timestamp) {
      let hours = time.microseconds.flooredQuotient(3_600_000_000)
      let days = hours.flooredQuotient(24)
      day = Int(hours - days * 24)
      // 1970-01-01 was a Thursday.
      let weekday = Int(days + 4 - (days + 4).flooredQuotient(7) * 7)
      week = (weekday == 6 ? 48 : weekday == 0 ? 72 : 24) + day
    }
  }

  /// - Returns: `nil` for an hour that was not seen yet.
  func expectation(at slot: Slot) -> Float? {
    if isWeekly && counts[slot.week] > 0 { return means[slot.week] }
    return counts[slot.day] > 0 ? means[slot.day] : nil
  }

  /// - Parameters:
  ///   - mean: of the whole series, for hours not seen yet.
  ///   - variance: of the whole series; single errors count at most nine times that.
  mutating func observe(_ value: Float, at slot: Slot, mean: Float, variance: Float) {
    dayError += Self.errorWeight * (squareError(value, slot.day, mean, variance) - dayError)
    weekError += Self.errorWeight * (squareError(value, slot.week, mean, variance) - weekError)
    follow(value, slot.day)
    follow(value, slot.week)
  }

  private func squareError(_ value: Float, _ index: Int, _ mean: Float, _ variance: Float) -> Float
  {
    let error = value - (counts[index] > 0 ? means[index] : mean)
    return min(error * error, 9 * variance)
  }

  private mutating func follow(_ value: Float, _ index: Int) {
    if counts[index] < Self.plainCount { counts[index] += 1 }
    means[index] += (value - means[index]) * max(1 / Float(counts[index]), Self.weight)
  }

  /// Hours without values take half a byte.
  func encode(into writer: inout ByteWriter) {
    for pair in 0..<Self.slots / 2 { writer.byte(counts[2 * pair] | counts[2 * pair + 1] << 4) }
    for index in 0..<Self.slots where counts[index] > 0 { writer.float(means[index]) }
    writer.float(dayError)
    writer.float(weekError)
  }

  init() {}

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    for pair in 0..<Self.slots / 2 {
      let byte = try reader.byte()
      counts[2 * pair] = min(byte & 15, Self.plainCount)
      counts[2 * pair + 1] = min(byte >> 4, Self.plainCount)
    }
    for index in 0..<Self.slots where counts[index] > 0 { means[index] = try reader.float() }
    dayError = try reader.float()
    weekError = try reader.float()
  }
}
