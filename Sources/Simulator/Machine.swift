import Telemetry

/// What kind of machine it is and how its physics go.
struct MachineKind: Sendable {
  var name: String
  var cycleSeconds: Double
  /// kW at full load.
  var nominalPower: Double
  /// °C above the hall that it reaches when running, and seconds to get to 63 % of it.
  var temperatureRise: Double
  var heatingSeconds: Double
  /// mm/s RMS with new tools.
  var vibration: Double
  /// Growth of wear per cycle; at wear 1 vibration has doubled.
  var wearPerCycle: Double
  /// °C at which it switches itself off with a fault.
  var tripTemperature: Double
  var noise: MachineNoise

  static let press = MachineKind(
    name: "press", cycleSeconds: 6, nominalPower: 62, temperatureRise: 34, heatingSeconds: 1_500,
    vibration: 1.9, wearPerCycle: 0.000_05,
    tripTemperature: 84,
    noise: MachineNoise(vibration: 0.2, temperature: 5, power: 6))
  static let mill = MachineKind(
    name: "mill", cycleSeconds: 42, nominalPower: 21, temperatureRise: 27, heatingSeconds: 700,
    vibration: 1.1, wearPerCycle: 0.002,
    tripTemperature: 80,
    noise: MachineNoise(vibration: 0.3, temperature: 3.7, power: 2))
  static let conveyor = MachineKind(
    name: "conveyor", cycleSeconds: 4, nominalPower: 5.5, temperatureRise: 22, heatingSeconds: 900,
    vibration: 0.7, wearPerCycle: 0.000_01,
    tripTemperature: 90,
    noise: MachineNoise(vibration: 0.1, temperature: 3.5, power: 0.6))
}

/// One machine of a line: state, counters and the quantities that follow from them.
struct Machine: Sendable {
  let kind: MachineKind
  let id: String
  let topic: String
  private(set) var state = MachineState.idle
  private(set) var cycles: UInt64 = 0
  private(set) var good: UInt64 = 0
  private(set) var scrap: UInt64 = 0
  /// kW over the last tick, as published: what the energy counter adds up.
  private(set) var power = 0.0
  private(set) var energy: Double
  private var random: RandomSource
  private(set) var temperature: Double
  private var wear: Double
  private var cycleShare = 0.0
  private var secondsInState = 0.0
  private(set) var program = "bracket-40"
  private var tool: UInt64 = 1
  /// What faults do to it in this tick.
  private var effects = FaultEffects.none
  private var hasTripped = false
  /// What sensors that are stuck showed last.
  private var held: [(metric: String, value: Double)] = []
  /// Power and vibration of the product, as a share of the usual.
  private var productShare = 1.0
  /// m/s that a person may set.
  private(set) var speedSetpoint = 0.8

  /// Shortest stay in a state, so that a chart of states stays readable.
  private static let dwellSecondsMin = 5.0
  /// Power and vibration by program in a steady plant.
  private static let productShares = [1.0, 1.1, 0.92, 0.85]
  static let programs = ["bracket-40", "bracket-60", "flange-12", "plate-8"]

  init(kind: MachineKind, line: Int, seed: UInt64) {
    self.kind = kind
    id = "\(kind.name)\(line)"
    topic = "plant/line\(line)/\(id)/telemetry"
    random = RandomSource(seed: seed, name: id)
    temperature = 20 + 4 * random.share()
    wear = 0.4 * random.share()
    energy = (random.share() * 20_000).rounded()
    power = Decimal.rounded(kind.nominalPower * state.powerShare, decimals: 2)
  }

  /// Lets `seconds` pass.
  /// - Returns: whether the program was changed.
  mutating func advance(
    seconds: Double, ambient: Double, _ course: MachineCourse, _ effects: FaultEffects = .none
  ) -> Bool {
    self.effects = effects
    energy += power * seconds / 3_600
    let isChanged = advanceState(seconds: seconds, course)
    if state == .running { produce(seconds: seconds) }
    let load = state == .running ? 1 + 0.04 * random.noise() : 1
    power = Decimal.rounded(
      kind.nominalPower * state.powerShare * load * productShare * effects.power, decimals: 2)
    let target = ambient + kind.temperatureRise * min(1, power / kind.nominalPower)
    temperature += (target - temperature) * min(1, seconds / kind.heatingSeconds)
    return isChanged
  }

  private mutating func advanceState(seconds: Double, _ course: MachineCourse) -> Bool {
    secondsInState += seconds
    if let next = forcedState(course) {
      enter(next)
      return false
    }
    switch course {
    case .prescribed(let next, let product):
      enter(next)
      let before = program
      program = Self.programs[product]
      productShare = Self.productShares[product]
      return program != before
    case .drawn(let chances):
      guard secondsInState >= Self.dwellSecondsMin else { return false }
      let next = chances.next(after: state, seconds: seconds, &random)
      guard next != state else { return false }
      enter(next)
      guard next == .setup else { return false }
      let before = program
      program = random.element(of: Self.programs)
      return program != before
    }
  }

  /// The state that a fault brings, whatever was to come. Nobody runs a machine that is switched off.
  private mutating func forcedState(_ course: MachineCourse) -> MachineState? {
    if case .prescribed(.off, _) = course { return nil }
    // Tripped, it stays so until what heats it is repaired.
    let isHot = temperature + effects.temperature > kind.tripTemperature
    hasTripped = effects.temperature > 0 && (hasTripped || (state == .running && isHot))
    if hasTripped { return .fault }
    guard let forced = effects.state else { return nil }
    // A line that changes products has neither stops nor a lack of parts.
    if case .prescribed(.setup, _) = course, forced != .fault { return nil }
    return forced
  }

  private mutating func enter(_ next: MachineState) {
    guard next != state else { return }
    state = next
    secondsInState = 0
    guard next == .setup else { return }
    wear *= 0.2
    tool = tool % 24 + 1
  }

  /// A person set the speed of the belt.
  mutating func set(speed: Double) { speedSetpoint = speed }

  /// Another stream of numbers from here on.
  mutating func reseed(_ seed: UInt64) { random = RandomSource(seed: seed, name: id) }

  private mutating func produce(seconds: Double) {
    cycleShare += seconds / kind.cycleSeconds
    while cycleShare >= 1 {
      cycleShare -= 1
      cycles += 1
      wear += kind.wearPerCycle
      if random.happens(0.008 + 0.03 * wear + effects.scrap) { scrap += 1 } else { good += 1 }
    }
  }

  /// - Parameter time: what the clock of the machine says.
  mutating func message(at time: Timestamp) -> SimulatedMessage {
    releaseSensors()
    var json = JSONWriter(time: time)
    json.word("state", state.rawValue)
    json.count("cycles", cycles)
    json.count("good", good)
    json.count("scrap", scrap)
    let warmth = temperature + 0.05 * random.noise() + effects.temperature
    json.number("temperature", shown("temperature", warmth), decimals: 2)
    let rumble =
      state == .running
      ? kind.vibration * (1 + wear) * productShare + effects.vibration : 0.08
    let shaking = max(0, rumble * (1 + 0.05 * random.noise()))
    json.number("vibration", shown("vibration", shaking), decimals: 3)
    json.number("power", shown("power", power), decimals: 2)
    json.number("energy", energy, decimals: 3)
    writeOwn(&json)
    return SimulatedMessage(time: time, topic: topic, payload: json.finished())
  }

  /// What a sensor says of `value`.
  private mutating func shown(_ metric: String, _ value: Double) -> Double {
    guard !effects.drifts.isEmpty || !effects.stuckMetrics.isEmpty else { return value }
    var value = value
    for drift in effects.drifts where drift.metric == metric { value += drift.amount }
    guard effects.stuckMetrics.contains(metric) else { return value }
    if let known = held.first(where: { $0.metric == metric }) { return known.value }
    held.append((metric, value))
    return value
  }

  private mutating func releaseSensors() {
    guard !held.isEmpty else { return }
    held.removeAll { !effects.stuckMetrics.contains($0.metric) }
  }

  /// What only this kind of machine tells.
  private mutating func writeOwn(_ json: inout JSONWriter) {
    let isRunning = state == .running
    switch kind.name {
    case "mill":
      json.number("spindle_speed", isRunning ? 8_000 + 12 * random.noise() : 0, decimals: 0)
      json.number(
        "spindle_load", isRunning ? max(0, 46 + effects.spindleLoad + 6 * random.noise()) : 0,
        decimals: 1)
      json.number("feed_rate", isRunning ? 2_400 + 30 * random.noise() : 0, decimals: 0)
      json.word("program", program)
      json.count("tool", tool)
    case "conveyor":
      json.number("speed", isRunning ? speedSetpoint + 0.004 * random.noise() : 0, decimals: 3)
      json.flag("jam", state == .fault)
    default: break
    }
  }
}
