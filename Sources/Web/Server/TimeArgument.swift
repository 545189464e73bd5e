import Telemetry

/// Reads moments and spans as people write them into a URL.
///
/// Moments: RFC 3339 with any offset, a date (its start in UTC), an epoch number told by its magnitude,
/// `now`, and spans before or after now: `-15m`, `now-1h`, `now+30s`. Spans: `250ms`, `30s`, `1m`, `1h`,
/// `1d`, `1w`.
enum TimeArgument {
  static func moment(_ text: String, now: Timestamp) -> Timestamp? {
    if text == "now" { return now }
    let relative = text.hasPrefix("now") ? text.dropFirst(3) : Substring(text)
    if let sign = relative.first, sign == "-" || sign == "+",
      let span = spanMicroseconds(relative.dropFirst())
    {
      return now.advanced(byMicroseconds: sign == "-" ? -span : span)
    }
    if let whole = Int64(text) { return Timestamp(epoch: whole) }
    if let number = Double(text) { return Timestamp(epoch: number) }
    // A `+` of an offset that arrives as a blank was meant as a plus.
    let repaired = text.replacing(" ", with: "+")
    return Timestamp(rfc3339: text) ?? Timestamp(rfc3339: repaired)
      ?? Timestamp(rfc3339: text + "T00:00:00Z")
  }

  static func moment(
    _ name: String, of query: QueryParameters, now: Timestamp, default standard: Timestamp
  ) throws(Problem) -> Timestamp {
    guard let text = query[name] else { return standard }
    guard let moment = moment(text, now: now) else {
      throw .badParameter(
        name,
        "`\(text)` is no moment; write 2026-11-21T08:00:00Z, 2026-11-21, 1795248000, now or -15m")
    }
    return moment
  }

  private static let units: [(name: String, microseconds: Int64)] = [
    ("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000),
    ("d", 86_400_000_000), ("w", 604_800_000_000),
  ]

  /// Microseconds of `1m`; `nil` when it is none or longer than Int64 holds.
  static func spanMicroseconds(_ text: some StringProtocol) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits), count > 0,
      let unit = units.first(where: { $0.name == text[digits.endIndex...] })
    else { return nil }
    let (span, overflow) = count.multipliedReportingOverflow(by: unit.microseconds)
    return overflow ? nil : span
  }
}
