import Telemetry

/// Which machine holds the line up, by two published methods that need nothing but states.
///
/// *Active period* (Roser, Nakano and Tanaka, "A practical bottleneck detection method", WSC 2001): at each moment
/// the bottleneck is the machine whose uninterrupted active period is the longest; while the next
/// one's period already overlaps, the bottleneck is shifting.
/// *Turning point* (Li, Chang and Ni, "Data driven bottleneck detection of manufacturing systems", IJPR 2009): machines
/// before it are blocked more than starved, those behind it starved more than blocked, and it waits less than its neighbours.
///
/// Active is everything but waiting: running, setup, stops. Idle, starved, blocked, unknown and time outside plan are
/// not active.
public struct Bottleneck: Hashable, Sendable {
  public struct Share: Hashable, Sendable {
    public var machine: String
    /// Times as the only bottleneck, and while the bottleneck shifted to or from it; µs.
    public var sole: Int64
    public var shifting: Int64
    public var starved: Int64
    public var blocked: Int64
  }

  /// In the order of the line.
  public let shares: [Share]
  /// Of the active-period method: most time as bottleneck; the first of equals, `nil` when nothing was active.
  public let machine: String?
  /// Of the turning-point method; none when blocked and starved are not measured, several when the line falls in parts.
  public let turningPoints: [String]

  /// - Parameter timelines: one per machine in the order of the line, over the same stretch of time.
  public init(_ timelines: [(machine: String, timeline: StateTimeline)], within set: SpanSet) {
    var periods: [Period] = []
    for (index, entry) in timelines.enumerated() {
      let active = SpanSet(entry.timeline.segments.filter { Self.isActive($0.state) }.map(\.span))
      periods += active.intersection(set).spans.map { Period(machine: index, span: $0) }
    }
    var sole = [Int64](repeating: 0, count: timelines.count)
    var shifting = sole
    let chain = Self.chain(of: periods)
    for (index, link) in chain.enumerated() {
      // The next period began while this one still went on.
      var overlaps: [Span] = []
      if index > 0, let span = chain[index - 1].period.span.intersection(link.period.span) {
        overlaps.append(span)
      }
      if index + 1 < chain.count,
        let span = chain[index + 1].period.span.intersection(link.period.span)
      {
        overlaps.append(span)
      }
      let shared = SpanSet(overlaps).microseconds(within: link.span)
      shifting[link.period.machine] += shared
      sole[link.period.machine] += link.span.microseconds - shared
    }
    shares = timelines.enumerated().map { index, entry in
      func time(_ state: MachineState) -> Int64 {
        SpanSet(entry.timeline.segments.filter { $0.state == state }.map(\.span))
          .intersection(set).microseconds
      }
      return Share(
        machine: entry.machine, sole: sole[index], shifting: shifting[index],
        starved: time(.starved), blocked: time(.blocked))
    }
    let longest = shares.map { $0.sole + $0.shifting }.max() ?? 0
    machine = longest > 0 ? shares.first { $0.sole + $0.shifting == longest }?.machine : nil
    turningPoints = Self.turningPoints(shares)
  }

  public var json: JSONValue {
    .object([
      ("machine", .optional(machine)), ("method", .string("active_period")),
      ("turning_points", .array(turningPoints.map(JSONValue.string))),
      (
        "machines",
        .array(
          shares.map {
            .object([
              ("machine", .string($0.machine)), ("sole_seconds", .seconds($0.sole)),
              ("shifting_seconds", .seconds($0.shifting)),
              ("starved_seconds", .seconds($0.starved)),
              ("blocked_seconds", .seconds($0.blocked)),
            ])
          })
      ), ("basis", .string("observed_not_tried")),
    ])
  }

  private struct Period: Hashable {
    var machine: Int
    var span: Span
  }

  /// The time during which a period is the longest.
  private struct Link {
    var period: Period
    var span: Span
  }

  private static func isActive(_ state: MachineState) -> Bool {
    state == .running || state == .setup || state == .unplannedStop
  }

  /// At each moment the longest period that holds it; the machine nearer to the head of the line among equals.
  private static func chain(of periods: [Period]) -> [Link] {
    var links: [Link] = []
    var taken = SpanSet.empty
    let longestFirst = periods.stablySorted { (-$0.span.microseconds) }
    for period in longestFirst {
      let free = SpanSet(period.span).subtracting(taken)
      links += free.spans.map { Link(period: period, span: $0) }
      taken = taken.union(SpanSet(period.span))
    }
    return links.sorted { $0.span < $1.span }
  }

  private static func turningPoints(_ shares: [Share]) -> [String] {
    guard shares.count > 1, shares.contains(where: { $0.starved + $0.blocked > 0 }) else {
      return []
    }
    return shares.indices.filter { j in
      let before = shares[..<j].allSatisfy { $0.blocked > $0.starved }
      let behind = shares[(j + 1)...].allSatisfy { $0.starved > $0.blocked }
      func waits(_ index: Int) -> Int64 { shares[index].starved + shares[index].blocked }
      let isLeast =
        (j == 0 || waits(j) < waits(j - 1)) && (j == shares.count - 1 || waits(j) < waits(j + 1))
      return before && behind && isLeast
    }.map { shares[$0].machine }
  }
}
