import Telemetry

/// Energy of one meter as a curve over time, from which any interval can be cut.
///
/// Between two readings the curve is straight. So the energy of an interval whose borders lie between readings
/// is interpolated in proportion to time, and the energies of adjoining intervals sum to that of the whole.
/// Stretches longer than `gapMax` between readings are gaps: a counter knows the energy of a gap but not when
/// in it the energy was used (interpolated, and not covered); power measurements know nothing (no energy).
public struct EnergyCurve: Hashable, Sendable {
  /// Energy of an interval.
  public struct Amount: Hashable, Sendable {
    public var kilowattHours: Double
    /// Share of the interval between readings that are not farther apart than `gapMax`; 0 to 1.
    public var coverage: Double
  }

  private struct Knot: Hashable, Sendable {
    var time: Timestamp
    /// Since the first reading.
    var kilowattHours: Double
    /// The stretch from the knot before is measured.
    var isCovered: Bool
  }

  private var knots: [Knot] = []
  public private(set) var resets = 0
  public private(set) var rollovers = 0
  /// Times at which another meter must have taken over: what it shows was not used since the reading before.
  public private(set) var replacements: [Timestamp] = []
  /// Times at which a counter went back a little without a reset.
  public private(set) var setBacks: [Timestamp] = []

  /// From a counter.
  ///
  /// When it goes back: with a rollover declared and a step over the top of under half of it, it rolled over; by at
  /// most 1 % it was set back, and nothing counts until it passes its old height; else it was reset to
  /// zero and what it shows was used since. Where that would take more than ten times the highest power between
  /// any two readings before, it is another meter: nothing counts, and the stretch is not covered.
  /// - Parameters:
  ///   - rollover: the counter starts again at 0 after this less one, in its own unit.
  ///   - kilowattHoursPerUnit: 1 for kWh, 0.001 for Wh.
  public init(
    counter samples: [MeterSample], rollover: Double? = nil, kilowattHoursPerUnit: Double = 1,
    gapMax: Duration = .seconds(3_600)
  ) {
    let gap = gapMax.microseconds
    var height = 0.0
    var total = 0.0
    var peak = 0.0
    for sample in MeterSample.ordered(samples) where sample.value >= 0 {
      guard let last = knots.last else {
        height = sample.value
        knots.append(Knot(time: sample.time, kilowattHours: 0, isCovered: false))
        continue
      }
      let step = sample.time.microseconds(since: last.time)
      let hours = Double(step) / 3.6e9
      var isCovered = step <= gap
      if sample.value >= height {
        let used = (sample.value - height) * kilowattHoursPerUnit
        total += used
        if hours > 0 { peak = max(peak, used / hours) }
        height = sample.value
      } else if let rollover, height < rollover, sample.value + rollover - height < rollover / 2 {
        rollovers += 1
        total += (sample.value + rollover - height) * kilowattHoursPerUnit
        height = sample.value
      } else if sample.value > 0, height - sample.value <= height * 0.01 {
        setBacks.append(sample.time)
      } else if peak > 0, sample.value * kilowattHoursPerUnit > 10 * peak * hours {
        replacements.append(sample.time)
        isCovered = false
        height = sample.value
      } else {
        resets += 1
        total += sample.value * kilowattHoursPerUnit
        height = sample.value
      }
      knots.append(Knot(time: sample.time, kilowattHours: total, isCovered: isCovered))
    }
  }

  /// From power where no counter is: trapezoids between readings. Feeding in counts negative.
  ///
  /// 10 kW for half an hour, then 20 kW for half an hour with a straight step between: what lies under the line.
  public init(
    power samples: [MeterSample], kilowattsPerUnit: Double = 1,
    gapMax: Duration = .seconds(300)
  ) {
    let gap = gapMax.microseconds
    var total = 0.0
    var before: MeterSample?
    for sample in MeterSample.ordered(samples) {
      var isCovered = false
      if let before {
        let step = sample.time.microseconds(since: before.time)
        isCovered = step <= gap
        if isCovered {
          let mean = (before.value + sample.value) / 2 * kilowattsPerUnit
          total += mean * Double(step) / 3.6e9
        }
      }
      knots.append(Knot(time: sample.time, kilowattHours: total, isCovered: isCovered))
      before = sample
    }
  }

  /// From the first to the last reading; `nil` for fewer than two.
  public var span: Span? {
    guard knots.count > 1, let first = knots.first, let last = knots.last else { return nil }
    return Span(from: first.time, to: last.time)
  }

  /// Energy within `span`; outside of the readings there is none, and no coverage.
  ///
  /// O(log readings + readings inside).
  public func energy(in span: Span) -> Amount {
    guard !span.isEmpty, let known = self.span?.intersection(span) else {
      return Amount(kilowattHours: 0, coverage: 0)
    }
    var covered: Int64 = 0
    var index = max(1, firstKnot(after: known.from))
    while index < knots.count, knots[index - 1].time < known.to {
      if knots[index].isCovered {
        let from = max(knots[index - 1].time, known.from)
        covered += max(0, min(knots[index].time, known.to).microseconds(since: from))
      }
      index += 1
    }
    return Amount(
      kilowattHours: height(at: known.to) - height(at: known.from),
      coverage: Double(covered) / Double(span.microseconds))
  }

  private func height(at moment: Timestamp) -> Double {
    let next = firstKnot(after: moment)
    guard next > 0 else { return 0 }
    guard next < knots.count else { return knots[knots.count - 1].kilowattHours }
    let (a, b) = (knots[next - 1], knots[next])
    let share =
      Double(moment.microseconds(since: a.time)) / Double(b.time.microseconds(since: a.time))
    return a.kilowattHours + (b.kilowattHours - a.kilowattHours) * share
  }

  private func firstKnot(after moment: Timestamp) -> Int {
    var low = 0
    var high = knots.count
    while low < high {
      let middle = (low + high) / 2
      if knots[middle].time <= moment { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
