/// What a machine of the line is doing, in the words of its profile.
public enum MachineState: String, Sendable, CaseIterable {
  case idle
  case setup
  case running
  /// It could go on, but the machine after it takes nothing.
  case blocked
  /// It could go on, but the machine before it brings nothing.
  case starved
  case fault
  /// Outside working time, or for maintenance; only a steady plant switches off.
  case off

  /// The states that may follow.
  public var successors: [MachineState] {
    switch self {
    case .idle: [.setup, .running]
    case .setup: [.running, .fault]
    case .running: [.idle, .setup, .blocked, .starved, .fault]
    case .blocked, .starved: [.running]
    case .fault: [.idle, .setup]
    case .off: MachineState.allCases.filter { $0 != .off }
    }
  }

  /// Whether neighbours notice that nothing moves here.
  var haltsNeighbours: Bool { self == .fault || self == .setup || self == .off }

  /// Share of the nominal power that the machine draws.
  var powerShare: Double {
    switch self {
    case .running: 0.9
    case .setup: 0.35
    case .blocked: 0.26
    case .starved: 0.24
    case .idle: 0.18
    case .fault: 0.06
    case .off: 0.02
    }
  }
}

/// Where a machine's next state comes from.
enum MachineCourse {
  case drawn(StateChances)
  /// Somebody plans it; `product` is an index of the programs.
  case prescribed(MachineState, product: Int)
}

/// Chances of leaving a state, as mean dwell times in seconds.
struct StateChances {
  /// Machines before and after, as they stood at the last tick.
  var isUpstreamHalted: Bool
  var isDownstreamHalted: Bool

  /// The state after `seconds` more in `state`.
  ///
  /// Each way out has a rate; the chance in a short time is rate · time, so dwell times are geometric.
  func next(
    after state: MachineState, seconds: Double, _ random: inout RandomSource
  ) -> MachineState {
    let draw = random.share()
    var reached = 0.0
    for (successor, meanSeconds) in ways(out: state) {
      reached += min(0.5, seconds / meanSeconds)
      if draw < reached { return successor }
    }
    return state
  }

  private func ways(out state: MachineState) -> [(MachineState, Double)] {
    switch state {
    case .idle: [(.setup, 240), (.running, 60)]
    case .setup: [(.running, 150), (.fault, 3_000)]
    case .running:
      [(.idle, 1_500), (.setup, 2_400), (.fault, 3_600)]
        + (isDownstreamHalted ? [(.blocked, 25)] : [])
        + (isUpstreamHalted ? [(.starved, 30)] : [])
    case .blocked: isDownstreamHalted ? [] : [(.running, 8)]
    case .starved: isUpstreamHalted ? [] : [(.running, 8)]
    case .fault: [(.idle, 180), (.setup, 420)]
    case .off: [(.idle, 60)]
    }
  }
}
