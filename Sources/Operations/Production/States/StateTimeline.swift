import Telemetry

/// A stretch in one state.
public struct StateSegment: Hashable, Sendable {
  public var span: Span
  public var state: MachineState
  /// Code of the reason, where one is known.
  public var reason: String?
  /// Begins at an operator's cut: not to be merged with the one before it.
  public var isCut = false

  public init(span: Span, state: MachineState, reason: String? = nil) {
    self.span = span
    self.state = state
    self.reason = reason
  }
}

/// What a machine did, moment by moment, over a stretch of time: gapless, without overlap, so that the lengths of its
/// segments sum to the stretch exactly.
///
/// Precedence where sources disagree, the stronger first:
/// 1. the calendar: not scheduled, then break, then planned stop;
/// 2. operators' edits, which give a stop another reason;
/// 3. declared stops: planned stop, unplanned stop, setup, starved, blocked, idle, then the rest; among equals
///    the one that begins first, then the one that ends first;
/// 4. the machine's own state;
/// 5. unknown.
public struct StateTimeline: Hashable, Sendable {
  public var span: Span
  public private(set) var segments: [StateSegment]

  init(span: Span, segments: [StateSegment]) {
    self.span = span
    self.segments = segments
  }

  /// The machine's own states over `span`, as its tracker follows them.
  public init(
    states: [StateSample], signsOfLife: [Timestamp] = [], timeoutMicroseconds: Int64,
    over span: Span
  ) {
    self.init(span: span, segments: [])
    var tracker = MachineStateTracker(timeoutMicroseconds: timeoutMicroseconds)
    let samples = states.stablySorted(by: \.time)
    let life = signsOfLife.sorted()
    var open = StateSegment(span: Span(span.from..<span.from), state: .unknown)
    var openSince = Timestamp.distantPast
    var nextLife = 0
    func close(at time: Timestamp, _ segments: inout [StateSegment]) {
      let start = max(openSince, span.from)
      let end = min(time, span.to)
      guard start < end else { return }
      var segment = open
      segment.span = Span(start..<end)
      segments.append(segment)
    }
    func begin(_ state: MachineState, _ reason: String?, at time: Timestamp) {
      close(at: time, &segments)
      open.state = state
      open.reason = reason
      openSince = time
    }
    var toldReason: String?
    func follow(_ changes: StateChanges) {
      if let lapse = changes.lapse { begin(.unknown, nil, at: lapse.time) }
      if let change = changes.change {
        begin(change.new, change.new == .unknown ? nil : toldReason, at: change.time)
      }
    }
    for sample in samples where sample.time < span.to {
      while nextLife < life.count, life[nextLife] <= sample.time {
        follow(tracker.sawLife(at: life[nextLife]))
        nextLife += 1
      }
      toldReason = sample.reason
      follow(tracker.observe(sample.state, at: sample.time, quality: sample.quality))
      if tracker.state == sample.state, sample.state != .unknown, sample.reason != open.reason {
        begin(sample.state, sample.reason, at: sample.time)
      }
    }
    while nextLife < life.count, life[nextLife] < span.to {
      follow(tracker.sawLife(at: life[nextLife]))
      nextLife += 1
    }
    if let lapse = tracker.advance(to: span.to) { begin(.unknown, nil, at: lapse.time) }
    close(at: span.to, &segments)
    segments = Self.merged(segments)
    checkInvariants()
  }

  /// Puts `state` over whatever was there; a reason of `nil` leaves none.
  mutating func overlay(_ set: SpanSet, state: MachineState, reason: String? = nil) {
    guard !set.isEmpty else { return }
    var result: [StateSegment] = []
    let over = set.clamped(to: span)
    for segment in segments {
      let kept = SpanSet(segment.span).subtracting(over)
      for piece in kept.spans {
        var rest = segment
        rest.span = piece
        rest.isCut = segment.isCut && piece.from == segment.span.from
        result.append(rest)
      }
    }
    result += over.spans.map { StateSegment(span: $0, state: state, reason: reason) }
    segments = Self.merged(result.sorted { $0.span < $1.span })
    checkInvariants()
  }

  /// Lays declared stops over the machine's own states; overlapping ones by the precedence above.
  mutating func overlay(_ stops: [DeclaredStop]) {
    let weakestFirst = stops.sorted {
      let ranks = (Self.rank($0.state), Self.rank($1.state))
      return ranks.0 != ranks.1 ? ranks.0 > ranks.1 : $0.span > $1.span
    }
    for stop in weakestFirst { overlay(SpanSet(stop.span), state: stop.state, reason: stop.reason) }
  }

  /// Lays the calendar over everything.
  mutating func overlay(_ schedule: Schedule) {
    overlay(schedule.plannedStops, state: .plannedStop)
    overlay(schedule.breaks, state: .break)
    overlay(SpanSet(span).subtracting(schedule.scheduled), state: .notScheduled)
  }

  /// Cuts at the ends of shifts, because stops are judged, labelled and edited within their shift.
  mutating func cut(at windows: [Span]) {
    let moments = windows.flatMap { [$0.from, $0.to] }.sorted()
    var result: [StateSegment] = []
    for segment in segments {
      var rest = segment
      for moment in moments where rest.span.from < moment && moment < rest.span.to {
        var head = rest
        head.span = Span(rest.span.from..<moment)
        result.append(head)
        rest.span = Span(moment..<rest.span.to)
        rest.isCut = true
      }
      if moments.contains(rest.span.from) { rest.isCut = true }
      result.append(rest)
    }
    replaceSegments(result)
  }

  mutating func replaceSegments(_ new: [StateSegment]) {
    segments = Self.merged(new)
    checkInvariants()
  }

  /// Index of the segment that holds `moment`.
  public func index(at moment: Timestamp) -> Int? {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].span.to > moment { high = middle } else { low = middle + 1 }
    }
    return low < segments.count && segments[low].span.contains(moment) ? low : nil
  }

  public func microseconds(in state: MachineState) -> Int64 {
    segments.reduce(0) { $0 + ($1.state == state ? $1.span.microseconds : 0) }
  }

  /// Neighbours of the same state and reason become one, unless a person cut them apart.
  private static func merged(_ segments: [StateSegment]) -> [StateSegment] {
    var result: [StateSegment] = []
    for segment in segments {
      if let last = result.last, last.span.to == segment.span.from, last.state == segment.state,
        last.reason == segment.reason, !segment.isCut
      {
        result[result.count - 1].span = Span(last.span.from..<segment.span.to)
      } else {
        result.append(segment)
      }
    }
    return result
  }

  private static func rank(_ state: MachineState) -> Int {
    let order: [MachineState] = [
      .notScheduled, .break, .plannedStop, .unplannedStop, .setup, .starved, .blocked, .idle,
      .unknown, .running,
    ]
    return order.firstIndex(of: state) ?? order.count
  }

  private func checkInvariants() {
    var end = span.from
    for segment in segments {
      precondition(segment.span.from == end, "a gap or an overlap in the timeline")
      precondition(!segment.span.isEmpty, "an empty segment in the timeline")
      end = segment.span.to
    }
    precondition(end == span.to, "the timeline does not reach the end of its stretch")
  }
}

extension Array {
  /// Ascending by `key`; equal ones stay in their order, so that the last of them wins.
  func stablySorted<Key: Comparable>(by key: (Element) -> Key) -> [Element] {
    enumerated().sorted {
      let (a, b) = (key($0.element), key($1.element))
      return a == b ? $0.offset < $1.offset : a < b
    }.map(\.element)
  }
}
