import Telemetry

/// The faults of a plant: those on schedule and those that somebody injects while it runs.
struct PlantFaults: Sendable {
  private(set) var all: [MachineFault]
  /// Numbers of its own: faults must not disturb those of machines.
  private var random: RandomSource

  init(_ faults: [MachineFault], seed: UInt64) {
    all = faults
    random = RandomSource(seed: seed, name: "machine-faults")
  }

  mutating func reseed(_ seed: UInt64) { random = RandomSource(seed: seed, name: "machine-faults") }

  mutating func inject(_ fault: MachineFault) { all.append(fault) }

  /// Everything is repaired at `time`; what was to come does not.
  mutating func clear(at time: Timestamp) {
    all.removeAll { $0.begin >= time }
    for index in all.indices { all[index].end = min(all[index].end, time) }
  }

  func effects(on machine: Machine, at time: Timestamp, seconds: Double) -> FaultEffects {
    guard !all.isEmpty else { return .none }
    let active = all.filter { $0.isActive(at: time) && $0.device == machine.id }
    var effects = FaultEffects(active, of: machine.kind, at: time, seconds: seconds)
    let volts = voltageDip(at: time)
    if volts > 0 {
      let share = max(0, 1 - volts / Meter.nominalVoltage)
      effects.power *= share * share
      if share < 0.9, machine.state == .running || machine.state == .fault {
        effects.state = .fault
      }
    }
    return effects
  }

  /// Volts that are missing on all phases.
  func voltageDip(at time: Timestamp) -> Double {
    active(.powerDip, time).reduce(0) { $0 + $1.severity * MachineNoise.voltage }
  }

  /// How much the devices' clocks are behind, in µs.
  func clockLag(at time: Timestamp) -> Int64 {
    active(.clockJump, time).reduce(0) { $0 + Int64($1.severity * 1e6) }
  }

  /// The messages of a tick as they reach the broker.
  mutating func send(_ messages: [SimulatedMessage], at time: Timestamp) -> [SimulatedMessage] {
    guard !all.isEmpty else { return messages }
    let share = active(.doublePublishing, time).reduce(0) { max($0, $1.severity) }
    guard share > 0 else { return messages }
    var sent: [SimulatedMessage] = []
    for message in messages {
      sent.append(message)
      if random.happens(share) { sent.append(message) }
    }
    return sent
  }

  private func active(_ kind: FaultKind, _ time: Timestamp) -> [MachineFault] {
    all.filter { $0.kind == kind && $0.isActive(at: time) }
  }
}
