import Telemetry

/// Moments as a sorted list of spans that neither overlap nor touch: the one interval algebra of production.
///
/// Every time figure is the length of such a set, so that overlapping stops, twice reported breaks or a
/// shift given twice can never count a moment twice or make an availability negative.
public struct SpanSet: Hashable, Sendable {
  /// Ascending, disjoint, not empty, with a gap between any two.
  public private(set) var spans: [Span]

  public static let empty = SpanSet()

  public init() { spans = [] }

  public init(_ span: Span) { spans = span.isEmpty ? [] : [span] }

  /// The union of spans in any order, overlapping or not. O(n log n).
  public init(_ parts: some Sequence<Span>) {
    var merged: [Span] = []
    for span in parts.filter({ !$0.isEmpty }).sorted() {
      if let last = merged.last, span.from <= last.to {
        merged[merged.count - 1] = Span(last.from..<max(last.to, span.to))
      } else {
        merged.append(span)
      }
    }
    spans = merged
  }

  public var isEmpty: Bool { spans.isEmpty }

  /// Length of all spans in whole µs; never negative, saturates.
  public var microseconds: Int64 {
    var sum: Int64 = 0
    for span in spans {
      let (next, overflow) = sum.addingReportingOverflow(span.microseconds)
      if overflow { return .max }
      sum = next
    }
    return sum
  }

  /// From the first moment to the last.
  public var bounds: Span? {
    guard let first = spans.first, let last = spans.last else { return nil }
    return Span(first.from..<last.to)
  }

  /// O(log n).
  public func contains(_ moment: Timestamp) -> Bool {
    let index = firstIndex(endingAfter: moment)
    return index < spans.count && spans[index].from <= moment
  }

  /// The last moment of the set in [earliest, latest]; `nil` when there is none.
  public func lastMoment(from earliest: Timestamp, through latest: Timestamp) -> Timestamp? {
    let index = firstIndex(endingAfter: latest)
    if index < spans.count, spans[index].from <= latest {
      return latest >= earliest ? latest : nil
    }
    guard index > 0 else { return nil }
    let last = spans[index - 1].to.advanced(byMicroseconds: -1)
    return last >= earliest ? last : nil
  }

  public func union(_ other: SpanSet) -> SpanSet { SpanSet(spans + other.spans) }

  /// O(n + m).
  public func intersection(_ other: SpanSet) -> SpanSet {
    var result = SpanSet()
    var i = 0
    var j = 0
    while i < spans.count, j < other.spans.count {
      if let common = spans[i].intersection(other.spans[j]) { result.spans.append(common) }
      if spans[i].to < other.spans[j].to { i += 1 } else { j += 1 }
    }
    return result
  }

  /// What is in this set and not in `other`. O(n + m).
  public func subtracting(_ other: SpanSet) -> SpanSet {
    var result = SpanSet()
    var j = 0
    for span in spans {
      var start = span.from
      while j < other.spans.count, other.spans[j].to <= start { j += 1 }
      var k = j
      while k < other.spans.count, other.spans[k].from < span.to {
        if start < other.spans[k].from {
          result.spans.append(Span(start..<other.spans[k].from))
        }
        start = max(start, other.spans[k].to)
        k += 1
      }
      if start < span.to { result.spans.append(Span(start..<span.to)) }
    }
    return result
  }

  public func clamped(to bounds: Span) -> SpanSet { intersection(SpanSet(bounds)) }

  /// Length in µs of what this set has in common with `span`. O(log n + hits).
  public func microseconds(within span: Span) -> Int64 {
    var sum: Int64 = 0
    var index = firstIndex(endingAfter: span.from)
    while index < spans.count, let common = spans[index].intersection(span) {
      sum += common.microseconds
      index += 1
    }
    return sum
  }

  /// Index of the first span that ends after `moment`, or `spans.count`.
  func firstIndex(endingAfter moment: Timestamp) -> Int {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].to > moment { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Traps unless the spans are as `spans` promises.
  public func _checkInvariants() {
    for (a, b) in zip(spans, spans.dropFirst()) { precondition(a.to < b.from, "spans touch") }
    precondition(spans.allSatisfy { $0.from < $0.to }, "an empty span in a set")
  }
}
