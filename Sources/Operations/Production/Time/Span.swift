import Telemetry

/// A stretch of time that holds its first moment and not its last: [from, to). It never runs backwards.
public struct Span: Hashable, Sendable, Comparable {
  public let from: Timestamp
  public let to: Timestamp

  /// - Returns: `nil` when `to` lies before `from`: two swapped times are an error of whoever wrote them
  ///   down, never a stretch across midnight. Equal times make an empty span.
  public init?(from: Timestamp, to: Timestamp) {
    guard from <= to else { return nil }
    self.from = from
    self.to = to
  }

  /// For times that are known to be in order.
  public init(_ range: Range<Timestamp>) {
    from = range.lowerBound
    to = range.upperBound
  }

  public var isEmpty: Bool { from == to }

  /// Length in µs; never negative, saturates.
  public var microseconds: Int64 { to.microseconds(since: from) }

  public func contains(_ moment: Timestamp) -> Bool { from <= moment && moment < to }

  public func contains(_ other: Span) -> Bool { from <= other.from && other.to <= to }

  /// What both have; `nil` when that is nothing.
  public func intersection(_ other: Span) -> Span? {
    let start = max(from, other.from)
    let end = min(to, other.to)
    return start < end ? Span(start..<end) : nil
  }

  public static func < (a: Span, b: Span) -> Bool { (a.from, a.to) < (b.from, b.to) }
}
