import Telemetry

/// How often something happens: the usual interval between two times, and the longest one of late.
///
/// Serves silence (samples) and the flat line (changes of the value). The usual interval is an EWMA with
/// weight 0.05 (a plain mean over the first twenty). The longest halves in thirty days, and one interval at
/// most doubles what is tolerated, so an outage does not teach that outages are usual.
public struct IntervalHabit: Sendable, Equatable {
  static let needed: UInt32 = 20
  private static let weight: Float = 0.05
  /// 30 days / ln 2, in µs.
  private static let fadingMicroseconds: Float = 3.74e12

  /// Intervals seen.
  public private(set) var count: UInt32 = 0
  /// µs.
  public private(set) var usual: Float = 0
  /// µs.
  public private(set) var longest: Float = 0
  /// On the clock that only moves forward; `nil` before the first and while at rest.
  public private(set) var last: Int64?

  public init() {}

  /// It happened.
  public mutating func note(at elapsed: Int64) {
    defer { last = elapsed }
    guard let last, elapsed > last else { return }
    let whole = Float(elapsed - last)
    let gap = count >= Self.needed ? min(whole, 2 * tolerated) : whole
    count = min(count, .max - 1) + 1
    usual += (gap - usual) * max(1 / Float(count), Self.weight)
    let faded = longest * max(1 - whole / Self.fadingMicroseconds, 0)
    longest = max(faded, gap)
  }

  /// Nothing is expected until it happens again: the source was reported gone, or we were not there to see.
  public mutating func rest() { last = nil }

  private var tolerated: Float { max(longest, 10 * usual) }

  /// When its absence becomes odd, on the clock of `note`; `nil` while it is not known how often it happens.
  ///
  /// - Parameters:
  ///   - factor: how many usual intervals.
  ///   - declared: how long it may stay away, in µs, when somebody said so.
  public func deadline(factor: Double, declared: Int64?) -> Int64? {
    guard let last else { return nil }
    if let declared { return last + declared }
    guard count >= Self.needed else { return nil }
    return last + Int64(max(Double(usual) * factor, Double(longest) * 1.5))
  }

  func encode(into writer: inout ByteWriter) {
    writer.fixed(count)
    writer.float(usual)
    writer.float(longest)
    writer.fixed(last ?? .min)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    count = try reader.fixed(UInt32.self)
    usual = try reader.float()
    longest = try reader.float()
    let time = try reader.fixed(Int64.self)
    last = time == .min ? nil : time
  }
}
