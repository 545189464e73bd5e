import Telemetry

/// What an HTTP answer means for a delivery.
///
/// | status | |
/// |---|---|
/// | 2xx | delivered |
/// | 408, 425, 429, 5xx | tried again, after `Retry-After` at the earliest |
/// | 3xx | refused: a signed body goes where the rule says and nowhere else |
/// | other 4xx | refused |
enum WebhookAnswer {
  static func outcome(status: Int, retryAfter: String?, now: Timestamp) -> DeliveryOutcome {
    switch status {
    case 200..<300: .delivered()
    case 408, 425, 429, 500...:
      .failed("HTTP \(status)", retryAfterSeconds: retryAfter.flatMap { seconds($0, now: now) })
    case 300..<400:
      .refused("HTTP \(status): redirects are not followed; write down the new address")
    default: .refused("HTTP \(status)")
    }
  }

  /// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
  static func seconds(_ text: String, now: Timestamp) -> Int? {
    if let seconds = Int(text) { return max(0, seconds) }
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT",
      let month = months.firstIndex(where: { $0 == words[2] })
    else { return nil }
    let number = (month < 9 ? "0" : "") + String(month + 1)
    guard let time = Timestamp(rfc3339: "\(words[3])-\(number)-\(words[1])T\(words[4])Z") else {
      return nil
    }
    return Int(clamping: max(0, time.microseconds(since: now) / 1_000_000))
  }

  static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
