import Telemetry

/// Cooling water: a centrifugal pump on a converter, with the load the line puts on it.
struct Pump: Sendable {
  static let topic = "plant/utilities/pump1/telemetry"
  private var random: RandomSource
  private var speed = 1_450.0
  private var temperature = 30.0
  /// kW, as its share of the meter.
  private(set) var power = 0.0

  /// Curve at 1,450 min⁻¹: head = 42 m − 0.0052 m/(m³/h)² · flow²; head goes with the square of speed.
  private static let headMetres = 42.0
  private static let headLoss = 0.0052
  private static let nominalSpeed = 1_450.0

  init(seed: UInt64) { random = RandomSource(seed: seed, name: "pump1") }

  mutating func reseed(_ seed: UInt64) { random = RandomSource(seed: seed, name: "pump1") }

  /// - Parameter demand: 0 … 1, how much cooling the machines ask for.
  mutating func message(at time: Timestamp, seconds: Double, demand: Double) -> SimulatedMessage {
    let wanted = 900 + 700 * demand
    speed += (wanted - speed) * min(1, seconds / 20)
    let ratio = speed / Self.nominalSpeed
    let flow = max(0, (38 + 30 * demand) * ratio + 0.25 * random.noise())
    let head = max(0, Self.headMetres * ratio * ratio - Self.headLoss * flow * flow)
    let pressure = head * 0.0981
    // Hydraulic power over an efficiency of 0.68; a bar and a m³/h are 1/36 kW.
    power = pressure * flow / 36 / 0.68
    let current = 4 + power * 1_000 / (1.732 * 400 * 0.86)
    temperature += (28 + 16 * ratio - temperature) * min(1, seconds / 600)
    var json = JSONWriter(time: time)
    json.number("flow", flow, decimals: 2)
    json.number("pressure", pressure + 0.004 * random.noise(), decimals: 3)
    json.number("temperature", temperature + 0.04 * random.noise(), decimals: 2)
    json.number("speed", speed + 0.6 * random.noise(), decimals: 0)
    json.number("current", current, decimals: 2)
    json.count("state", 2)
    return SimulatedMessage(time: time, topic: Self.topic, payload: json.finished())
  }
}

/// The three-phase meter at the head of it all.
struct Meter: Sendable {
  static let topic = "plant/utilities/meter1/telemetry"
  static let nominalVoltage = 231.0
  private static let phases = ["l1", "l2", "l3"]
  /// How the load lies on the phases.
  private static let shares = [0.35, 0.33, 0.32]
  private var random: RandomSource
  private var power = 0.0
  private var energy: Double

  init(seed: UInt64) {
    random = RandomSource(seed: seed, name: "meter1")
    energy = (random.share() * 200_000).rounded()
  }

  mutating func reseed(_ seed: UInt64) { random = RandomSource(seed: seed, name: "meter1") }

  /// - Parameters:
  ///   - load: kW that all consumers draw together.
  ///   - dip: volts that the supply lacks.
  mutating func message(
    at time: Timestamp, seconds: Double, load: Double, dip: Double = 0
  ) -> SimulatedMessage {
    energy += power * seconds / 3_600
    let factor = Decimal.rounded(0.93 + 0.004 * random.noise(), decimals: 3)
    var voltages: [Double] = []
    var currents: [Double] = []
    power = 0
    for share in Self.shares {
      let voltage = Decimal.rounded(
        Self.nominalVoltage + 0.5 * random.noise() - load * 0.01 - dip, decimals: 1)
      let current = Decimal.rounded(load * share * 1_000 / voltage / factor, decimals: 2)
      voltages.append(voltage)
      currents.append(current)
      power += voltage * current * factor / 1_000
    }
    power = Decimal.rounded(power, decimals: 3)
    var json = JSONWriter(time: time)
    json.object("voltage") { json in
      for (phase, value) in zip(Self.phases, voltages) { json.number(phase, value, decimals: 1) }
    }
    json.object("current") { json in
      for (phase, value) in zip(Self.phases, currents) { json.number(phase, value, decimals: 2) }
    }
    json.number("power", power, decimals: 3)
    json.number("power_factor", factor, decimals: 3)
    json.number("frequency", 50 + 0.008 * random.noise(), decimals: 3)
    json.object("energy") { $0.number("import", energy, decimals: 3) }
    return SimulatedMessage(time: time, topic: Self.topic, payload: json.finished())
  }
}

/// A room with a sensor that sends one bare number a topic.
struct Room: Sendable {
  let name: String
  private var random: RandomSource
  private var temperature: Double
  private let swing: Double
  private let people: Double

  init(name: String, mean: Double, swing: Double, people: Double, seed: UInt64) {
    self.name = name
    self.swing = swing
    self.people = people
    temperature = mean
    self.mean = mean
    random = RandomSource(seed: seed, name: "room-\(name)")
  }

  private let mean: Double

  /// °C that machines in the same hall feel.
  mutating func messages(at time: Timestamp) -> [SimulatedMessage] {
    let day = Day(time)
    temperature = mean + swing * day.warmth + 0.05 * random.noise()
    let humidity = 45 - 1.4 * (temperature - 21) + 0.4 * random.noise()
    let carbon = 430 + people * day.presence + 6 * random.noise()
    return [
      scalar("temperature", temperature, decimals: 2, at: time),
      scalar("humidity", min(95, max(15, humidity)), decimals: 1, at: time),
      scalar("co2", carbon, decimals: 0, at: time),
    ]
  }

  private func scalar(
    _ metric: String, _ value: Double, decimals: Int, at time: Timestamp
  ) -> SimulatedMessage {
    SimulatedMessage(
      time: time, topic: "plant/rooms/\(name)/\(metric)",
      payload: Array(Decimal.text(value, decimals: decimals).utf8), qos: 0, isRetained: true)
  }
}

/// The course of a day (UTC), by arithmetic that is the same on every machine.
struct Day {
  /// 0 at midnight, 1 at the next.
  let share: Double

  init(_ time: Timestamp) {
    let dayMicroseconds: Int64 = 86_400_000_000
    let start = time.microseconds.flooredQuotient(dayMicroseconds) * dayMicroseconds
    share = Double(time.microseconds - start) / Double(dayMicroseconds)
  }

  /// −1 … 1, coldest at 03:00 and warmest at 15:00: two parabolas that look like a sine.
  var warmth: Double {
    let phase = (share - 0.375) < 0 ? share + 0.625 : share - 0.375
    let half = phase < 0.5 ? phase * 2 : phase * 2 - 1
    let arch = 4 * half * (1 - half)
    return phase < 0.5 ? arch : -arch
  }

  /// 0 … 1: who is there between six and eighteen o'clock.
  var presence: Double {
    guard share > 0.25, share < 0.75 else { return 0 }
    let half = (share - 0.25) * 2
    return 4 * half * (1 - half)
  }
}
