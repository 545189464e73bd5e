import Telemetry

/// Stops by reason, the costliest first, with their running share.
public struct ReasonPareto: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public var reason: String?
    public var state: MachineState
    public var isSmall: Bool
    public var microseconds: Int64
    public var count: Int
    /// Of all stop time.
    public var share: Double
    public var cumulativeShare: Double
  }

  public let entries: [Entry]

  /// Equal times are ordered by reason, then state, so that the list is the same each time.
  public init(_ stops: [StopFigures]) {
    let ordered = stops.filter { $0.microseconds > 0 }.stablySorted { -$0.microseconds }
    let total = ordered.reduce(0) { $0 + $1.microseconds }
    var sum: Int64 = 0
    entries = ordered.map { stop in
      sum += stop.microseconds
      return Entry(
        reason: stop.reason, state: stop.state, isSmall: stop.isSmall,
        microseconds: stop.microseconds, count: stop.count,
        share: Fraction(Int128(stop.microseconds), over: Int128(total)).value,
        cumulativeShare: Fraction(Int128(sum), over: Int128(total)).value)
    }
  }

  public func json(_ reasons: StopReasons = StopReasons()) -> JSONValue {
    .array(
      entries.map { entry in
        .object([
          ("reason", .optional(entry.reason)),
          (
            "description",
            .optional(
              entry.reason.flatMap { reasons[$0]?.description }.flatMap { $0.isEmpty ? nil : $0 })
          ),
          ("state", .string(entry.state.name)), ("small_stop", .bool(entry.isSmall)),
          ("duration_seconds", .seconds(entry.microseconds)),
          ("count", .integer(entry.count)), ("share", .double(entry.share)),
          ("cumulative_share", .double(entry.cumulativeShare)),
        ])
      })
  }
}
