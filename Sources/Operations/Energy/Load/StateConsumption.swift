import Telemetry

/// Energy by what the machine was doing, and what it draws while it does nothing.
public struct StateConsumption: Hashable, Sendable {
  /// A stretch in which a machine was in one state, by any source of states.
  public struct Interval: Hashable, Sendable {
    public var span: Span
    public var state: String

    public init(span: Span, state: String) {
      self.span = span
      self.state = state
    }
  }

  public struct Row: Hashable, Sendable {
    public var state: String
    public var hours: Double
    public var kilowattHours: Double
    /// Share of the hours that were measured.
    public var coverage: Double
    public var isProductive: Bool

    /// `nil` without time.
    public var meanKilowatts: Double? { hours > 0 ? kilowattHours / hours : nil }
  }

  /// By energy, descending, then by state.
  public var rows: [Row]

  /// - Parameter productive: states in which parts are made; energy in all others is idle consumption.
  public init(_ intervals: [Interval], curve: EnergyCurve, productive: [String] = ["running"]) {
    var rows: [Row] = []
    for interval in intervals.sorted(by: { ($0.state, $0.span) < ($1.state, $1.span) }) {
      let amount = curve.energy(in: interval.span)
      let hours = Double(interval.span.microseconds) / 3.6e9
      if rows.last?.state != interval.state {
        rows.append(
          Row(
            state: interval.state, hours: 0, kilowattHours: 0, coverage: 0,
            isProductive: productive.contains(interval.state)))
      }
      rows[rows.count - 1].hours += hours
      rows[rows.count - 1].kilowattHours += amount.kilowattHours
      // Measured hours for now; a share below.
      rows[rows.count - 1].coverage += hours * amount.coverage
    }
    for index in rows.indices {
      rows[index].coverage = rows[index].hours > 0 ? rows[index].coverage / rows[index].hours : 0
    }
    self.rows = rows.sorted {
      $0.kilowattHours == $1.kilowattHours
        ? $0.state < $1.state : $0.kilowattHours > $1.kilowattHours
    }
  }

  public var totalKilowattHours: Double { rows.reduce(0) { $0 + $1.kilowattHours } }

  public var idleKilowattHours: Double {
    rows.reduce(0) { $0 + ($1.isProductive ? 0 : $1.kilowattHours) }
  }

  /// `nil` when nothing was used.
  public var idleShare: Double? {
    totalKilowattHours > 0 ? idleKilowattHours / totalKilowattHours : nil
  }
}

/// What a plant draws when as good as nothing runs.
public enum BaseLoad {
  /// The demand that 95 % of the measured intervals exceed: their 5 % quantile, by nearest rank; `nil` without any.
  public static func kilowatts(_ intervals: [DemandInterval]) -> Double? {
    let sorted = intervals.filter(\.isCovered).map(\.kilowatts).sorted()
    guard !sorted.isEmpty else { return nil }
    let rank = Int((0.05 * Double(sorted.count)).rounded(.up))
    return sorted[max(0, rank - 1)]
  }
}

/// Energy for each good part.
public struct EnergyPerPart: Hashable, Sendable {
  public var kilowattHours: Double
  public var goodParts: Double
  public var coverage: Double
  /// Parts are counted over the same stretches.
  public init(curve: EnergyCurve, spans: [Span], goodParts: Double) {
    var energy = 0.0
    var measured = 0.0
    var total = 0.0
    for span in spans {
      let amount = curve.energy(in: span)
      energy += amount.kilowattHours
      measured += amount.coverage * Double(span.microseconds)
      total += Double(span.microseconds)
    }
    kilowattHours = energy
    self.goodParts = goodParts
    coverage = total > 0 ? measured / total : 0
  }

  /// `nil`: see `missing`.
  public var kilowattHoursPerGoodPart: Double? {
    missing == nil ? kilowattHours / goodParts : nil
  }

  /// Why there is no value.
  public var missing: String? {
    if goodParts <= 0 { return "no good parts were made" }
    return coverage == 0 ? "no energy was measured" : nil
  }
}
