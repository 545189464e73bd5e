/// How far a sample can be trusted: an OPC UA severity and the reasons for it, in one byte.
///
/// ```
/// bit  0–1  severity: 0 good, 1 uncertain, 2 bad
/// bit  2    outside the engineering range of its profile
/// bit  3    source clock not plausible: receive time used instead
/// bit  4    counter went back (reset or roll-over)
/// bit  5    replaced an earlier value of the same time
/// bit  6    stale: the source was reported gone
/// bit  7    our own clock was not trustworthy when it was received
/// ```
public struct Quality: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let good: Quality = []
  public static let uncertain = Quality(rawValue: 1)
  public static let bad = Quality(rawValue: 2)
  public static let outOfRange = Quality(rawValue: 1 << 2)
  public static let clockReplaced = Quality(rawValue: 1 << 3)
  public static let counterReset = Quality(rawValue: 1 << 4)
  public static let correction = Quality(rawValue: 1 << 5)
  public static let stale = Quality(rawValue: 1 << 6)
  public static let ownClockUncertain = Quality(rawValue: 1 << 7)

  public enum Severity: UInt8, Sendable, Comparable {
    case good = 0
    case uncertain = 1
    case bad = 2

    public static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }
  }

  public var severity: Severity { Severity(rawValue: min(rawValue & 3, 2)) ?? .bad }

  /// `good`, `uncertain` or `bad`, followed by its reasons: `uncertain (out_of_range)`.
  public var text: String {
    let severityText = ["good", "uncertain", "bad"][Int(severity.rawValue)]
    let names: [(Quality, String)] = [
      (.outOfRange, "out_of_range"), (.clockReplaced, "clock_replaced"),
      (.counterReset, "counter_reset"), (.correction, "correction"), (.stale, "stale"),
      (.ownClockUncertain, "own_clock_uncertain"),
    ]
    let reasons = names.filter { contains($0.0) }.map(\.1)
    return reasons.isEmpty ? severityText : "\(severityText) (\(reasons.joined(separator: ", ")))"
  }
}
