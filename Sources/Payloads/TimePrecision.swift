import Telemetry

/// The unit in which line protocol counts its timestamps; the text alone does not tell.
public enum TimePrecision: Sendable, Hashable, CaseIterable {
  case nanoseconds
  case microseconds
  case milliseconds
  case seconds

  /// Reads the `precision` of Influx's write API: `ns`, `us`, `ms` or `s`.
  public init?(name: String) {
    switch name {
    case "ns": self = .nanoseconds
    case "us": self = .microseconds
    case "ms": self = .milliseconds
    case "s": self = .seconds
    default: return nil
    }
  }

  /// Reads the parameter `precision` of a MIME type: `application/vnd.influx.line; precision=ms`.
  public init?(contentType: String) {
    for parameter in contentType.split(separator: ";").dropFirst() {
      let parts = parameter.split(separator: "=", maxSplits: 1).map {
        String($0).trimmingASCIISpaces()
      }
      if parts.count == 2, parts[0].lowercased() == "precision" {
        self.init(name: parts[1])
        return
      }
    }
    return nil
  }

  /// `ns`, `us`, `ms` or `s`.
  public var name: String {
    switch self {
    case .nanoseconds: "ns"
    case .microseconds: "us"
    case .milliseconds: "ms"
    case .seconds: "s"
    }
  }

  /// The moment that `count` units after the epoch is; `nil` when it is outside `Timestamp`.
  func timestamp(_ count: Int64) -> Timestamp? {
    let scale: Int64
    switch self {
    case .nanoseconds: return Timestamp(microseconds: count.flooredQuotient(1_000))
    case .microseconds: return Timestamp(microseconds: count)
    case .milliseconds: scale = 1_000
    case .seconds: scale = 1_000_000
    }
    let (microseconds, overflow) = count.multipliedReportingOverflow(by: scale)
    return overflow ? nil : Timestamp(microseconds: microseconds)
  }
}
