import Telemetry

/// What the faults of a machine do to it in one tick.
struct FaultEffects: Sendable {
  static let none = FaultEffects()

  /// Added to what is measured.
  var vibration = 0.0
  var temperature = 0.0
  var spindleLoad = 0.0
  /// Chance of scrap, added.
  var scrap = 0.0
  /// Share of the usual power.
  var power = 1.0
  /// The state it has whatever it would do otherwise.
  var state: MachineState?
  /// The fault that stands behind a sensor that is stuck, and what is added by drifts: few, so a list.
  var stuckMetrics: [String] = []
  var drifts: [(metric: String, amount: Double)] = []

  init() {}

  /// - Parameters:
  ///   - faults: of the machine, active at `time`.
  ///   - seconds: since the last tick.
  init(_ faults: [MachineFault], of kind: MachineKind, at time: Timestamp, seconds: Double) {
    for fault in faults { add(fault, kind, time, seconds) }
    // What stops a machine is stronger than what lets it run.
    if faults.contains(where: { $0.kind == .bearingWear && $0.remainingLife(at: time) == 0 }) {
      state = .fault
    }
  }

  private mutating func add(
    _ fault: MachineFault, _ kind: MachineKind, _ time: Timestamp, _ seconds: Double
  ) {
    let elapsed = fault.seconds(at: time)
    let amount = fault.severity * fault.extent(at: time)
    if fault.keepsRunning, state == nil { state = .running }
    switch fault.kind {
    case .bearingWear:
      let damage = fault.damage(at: time) ?? 0
      vibration += fault.severity * kind.noise.vibration * damage
      temperature += 4 * damage
      power += 0.02 * damage
    case .overheating: temperature += amount * kind.noise.temperature
    case .stuckSensor:
      // As many messages as the severity says.
      if elapsed < fault.severity * seconds { stuckMetrics.append(fault.metric) }
    case .drift:
      let noise =
        fault.metric == "vibration"
        ? kind.noise.vibration
        : fault.metric == "power" ? kind.noise.power : kind.noise.temperature
      drifts.append((fault.metric, amount * noise))
    case .toolWear:
      spindleLoad += amount * MachineNoise.spindleLoad
      scrap += 0.03 * amount
      vibration += 0.1 * amount * kind.vibration
    case .microStops:
      let period = 3_600 / fault.severity
      if elapsed.truncatingRemainder(dividingBy: period) < max(20, seconds) { state = .idle }
    case .starvedLine:
      if elapsed.truncatingRemainder(dividingBy: 3_600) < fault.severity * 60 { state = .starved }
    case .powerDip, .clockJump, .doublePublishing: break
    }
  }
}

/// How much the signals of a machine vary while it runs without faults: one standard deviation over working
/// time, with all products and the heat of the day in it. Severities are multiples of it.
///
/// Measured on the steady plant (`millwright bench faults`), rounded; a test repeats it.
struct MachineNoise: Sendable {
  /// mm/s.
  var vibration: Double
  /// K.
  var temperature: Double
  /// kW.
  var power: Double
  /// % of the mill's spindle.
  static let spindleLoad = 6.0
  /// V of a phase.
  static let voltage = 0.6
}
