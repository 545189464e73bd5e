import Telemetry

/// Lets a score through only when it is above the last peak; a peak is forgotten after a time.
///
/// One disturbance gives one report, and a worse one a second: a detector that repeats itself for hours is
/// soon ignored.
struct DebounceBar: Sendable, Equatable {
  private var peak: Float = 0
  private var since: Int64 = .min

  /// - Parameters:
  ///   - position: of the value in time; any unit, never going back.
  ///   - memory: how long a peak counts, in that unit.
  /// - Returns: the score if it is above the last peak, else 0.
  mutating func pass(_ score: Float, at position: Int64, memory: Int64) -> Float {
    if position.subtractingReportingOverflow(since).overflow || position - since > memory {
      peak = 0
    }
    guard score > peak else { return 0 }
    peak = score
    since = position
    return score
  }

  func encode(into writer: inout ByteWriter) {
    writer.float(peak)
    writer.fixed(since)
  }

  init() {}

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    peak = try reader.float()
    since = try reader.fixed(Int64.self)
  }
}
