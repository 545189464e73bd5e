import Telemetry

/// What really happened to a machine, tick by tick, whatever its messages say: what OEE, stops and counts are
/// tested against.
///
/// Time has the resolution of the plant's ticks: a state begins with the tick at which the machine went into
/// it, and that tick's message tells it.
public struct MachineTruth: Sendable, Hashable {
  public struct Stretch: Sendable, Hashable {
    public var state: MachineState
    public var begin: Timestamp
  }

  /// Counters since the plant was made, from this moment on.
  public struct Count: Sendable, Hashable {
    public var time: Timestamp
    public var cycles: UInt64
    public var good: UInt64
    public var scrap: UInt64
    /// kWh as a message prints it, in whole Wh.
    public var wattHours: Int64
  }

  public var device: String
  /// Ascending; each state is another one than that before.
  public private(set) var states: [Stretch] = []
  /// One a tick.
  public private(set) var counts: [Count] = []

  init(device: String) { self.device = device }

  mutating func note(_ machine: Machine, at time: Timestamp) {
    if states.last?.state != machine.state {
      states.append(Stretch(state: machine.state, begin: time))
    }
    counts.append(
      Count(
        time: time, cycles: machine.cycles, good: machine.good, scrap: machine.scrap,
        wattHours: Int64((machine.energy * 1_000).rounded())))
  }

  /// Time in `state` within [from, to), in µs.
  public func microseconds(in state: MachineState, from: Timestamp, to: Timestamp) -> Int64 {
    var sum: Int64 = 0
    for (index, stretch) in states.enumerated() where stretch.state == state {
      let end = index + 1 < states.count ? states[index + 1].begin : to
      sum += max(0, min(end, to).microseconds(since: max(stretch.begin, from)))
    }
    return sum
  }

  /// Counters at the last tick not after `time`; `nil` before the first.
  public func count(at time: Timestamp) -> Count? {
    var (low, high) = (0, counts.count)
    while low < high {
      let middle = (low + high) / 2
      if counts[middle].time <= time { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? counts[low - 1] : nil
  }
}
