import Foundation
import Telemetry

/// A span of time as people write it: `90s`, `5m`, `12h`, `7d`, `500ms`.
enum Span {
  private static let units: [(suffix: String, microseconds: Double)] = [
    ("ms", 1e3), ("s", 1e6), ("m", 60e6), ("min", 60e6), ("h", 3_600e6), ("d", 86_400e6),
    ("w", 604_800e6),
  ]

  /// - Returns: `nil` for what is no span, or nothing.
  static func microseconds(_ text: String) -> Int64? {
    let number = text.prefix { $0.isNumber || $0 == "." }
    let suffix = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces)
    guard let value = Double(number), value > 0,
      let unit = units.first(where: { $0.suffix == suffix })
    else { return nil }
    let result = value * unit.microseconds
    return result < 9e18 ? Int64(result) : nil
  }
}

/// A moment as people write it, and as they read it.
enum Moment {
  /// RFC 3339, a date, `2026-11-21 08:15` in local time, epoch numbers, `now`, or back from now: `-1h`.
  static func time(_ text: String, now: Timestamp) -> Timestamp? {
    if text == "now" { return now }
    if text.hasPrefix("-"), let span = Span.microseconds(String(text.dropFirst())) {
      return now.advanced(byMicroseconds: -span)
    }
    if let time = Timestamp(rfc3339: text) { return time }
    if let number = Int64(text) { return Timestamp(epoch: number) }
    if let number = Double(text) { return Timestamp(epoch: number) }
    return local(text)
  }

  static func help(_ text: String) -> String {
    "'\(text)' is no time; write 2026-11-21T08:15:00Z, 2026-11-21, '2026-11-21 08:15', -1h or now."
  }

  /// A date or a date with a time without a zone is meant where the command is run.
  private static func local(_ text: String) -> Timestamp? {
    for padded in [text, text + ":00", text + " 00:00:00"] {
      guard let wall = Timestamp(rfc3339: padded + "Z") else { continue }
      let date = Date(timeIntervalSince1970: Double(wall.microseconds) / 1e6)
      // The offset that holds at the local time, found from the one that holds near it.
      let near = TimeZone.current.secondsFromGMT(for: date)
      let offset = TimeZone.current.secondsFromGMT(for: date.addingTimeInterval(-Double(near)))
      return wall.advanced(byMicroseconds: -Int64(offset) * 1_000_000)
    }
    return nil
  }
}

/// Shows moments for people: in the zone of the machine the command runs on, unless UTC is asked for.
struct MomentFormat {
  let zone: TimeZone
  /// Fraction digits: 0, 3 or 6, by the finest of the moments shown.
  var fraction = 0

  init(isUTC: Bool) { zone = isUTC ? TimeZone(identifier: "GMT") ?? .gmt : .current }

  /// For the head of a column: `time (Europe/Vienna)`.
  var title: String { "time (\(isUTC ? "UTC" : zone.identifier))" }

  private var isUTC: Bool { zone.identifier == "GMT" || zone.identifier == "UTC" }

  mutating func cover(_ time: Timestamp) {
    let rest = time.microseconds - time.microseconds.flooredQuotient(1_000_000) * 1_000_000
    if rest % 1_000 != 0 { fraction = 6 } else if rest != 0 { fraction = max(fraction, 3) }
  }

  func text(_ time: Timestamp) -> String {
    let seconds = Double(time.microseconds.flooredQuotient(1_000_000))
    let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: seconds))
    let wall = time.advanced(byMicroseconds: Int64(offset) * 1_000_000)
    let parts = wall.rfc3339.dropLast().split(separator: ".")
    var text = parts[0].replacingOccurrences(of: "T", with: " ")
    if fraction > 0 {
      let digits = parts.count > 1 ? String(parts[1]) : ""
      text += "." + (digits + "000000").prefix(fraction)
    }
    return text
  }
}

/// Numbers for people.
enum Number {
  static func text(_ value: Double, decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// Six significant digits, without an exponent where that is readable.
  static func short(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value == value.rounded(), value.magnitude < 1e12 { return String(Int64(value)) }
    let text = String(format: value.magnitude >= 1e6 ? "%.3f" : "%.6g", value)
    return text
  }

  static func bytes(_ count: Int) -> String {
    var value = Double(count)
    var unit = "B"
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1_024 {
      value /= 1_024
      unit = next
    }
    return unit == "B" ? "\(count) B" : text(value, decimals: 1) + " " + unit
  }
}
