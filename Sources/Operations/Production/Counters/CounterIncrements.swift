import Telemetry

/// A counter went up.
struct CounterIncrement: Hashable {
  /// The sample before; the parts were made after it…
  var after: Timestamp
  /// …and by the last µs before the sample that shows them, so that a sample at a shift's first moment still
  /// belongs to the shift before.
  var moment: Timestamp
  var parts: Parts
}

/// Reads a counter as what was added to it.
///
/// The count of a stretch [from, to) is what the counter showed at `to` less what it showed at `from`, so counts of
/// adjoining stretches sum to the count of the whole, exactly. When it goes back:
/// * with a rollover declared, and the step over the top is under half the modulus: it rolled over;
/// * by at most 1 % (but at least one part) of what it showed: it was set back without a reset; nothing is counted
///   until it passes its old height, and a warning says so;
/// * else it was reset to zero: what it shows now was made since.
struct CounterIncrements: Hashable {
  var increments: [CounterIncrement] = []
  var resets = 0
  var rollovers = 0
  /// Times at which it went back without a reset.
  var setBacks: [Timestamp] = []

  init(_ samples: [CounterSample], rollover: Double?) {
    var height: Double?
    var last = Timestamp.distantPast
    for sample in samples.stablySorted(by: \.time) {
      guard sample.quality.severity != .bad, !sample.quality.contains(.stale),
        sample.value.isFinite, sample.value >= 0
      else { continue }
      if let old = height {
        let (step, new) = step(from: old, to: sample.value, rollover, at: sample.time)
        if step > 0, let parts = Parts(step), parts > .zero {
          increments.append(
            CounterIncrement(
              after: last, moment: sample.time.advanced(byMicroseconds: -1), parts: parts))
        }
        height = new
      } else {
        height = sample.value
      }
      last = sample.time
    }
  }

  /// - Returns: what was added, and the height from which the next step counts.
  private mutating func step(
    from old: Double, to new: Double, _ rollover: Double?, at time: Timestamp
  ) -> (Double, Double) {
    if new >= old { return (new - old, new) }
    if let rollover, old < rollover, new + rollover - old < rollover / 2 {
      rollovers += 1
      return (new + rollover - old, new)
    }
    if new > 0, old - new <= max(1, old * 0.01) {
      setBacks.append(time)
      return (0, old)
    }
    resets += 1
    return (new, new)
  }
}
