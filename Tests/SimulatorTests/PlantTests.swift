import Foundation
import Telemetry
import Testing

@testable import Simulator

@Suite struct PlantTests {
  static let start = Timestamp(microseconds: 1_795_248_000_000_000)

  static func messages(seed: UInt64, hours: Double = 1) -> [SimulatedMessage] {
    var plant = Plant(seed: seed, start: start)
    return plant.step(to: start.advanced(byMicroseconds: Int64(hours * 3_600e6)))
  }

  static func digest(_ messages: [SimulatedMessage]) -> UInt64 {
    messages.reduce(0) { hash, message in
      let words = [
        Hash64.hash(message.topic), Hash64.hash(message.payload), UInt64(message.qos),
        message.isRetained ? 1 : 0, UInt64(bitPattern: message.time.microseconds),
      ]
      return words.reduce(hash, Hash64.mix)
    }
  }

  /// The JSON messages of one device.
  static func telemetry(
    _ device: String, _ messages: [SimulatedMessage]
  ) throws -> [[String: Any]] {
    try messages.filter { $0.topic.hasSuffix("/\(device)/telemetry") }.map { message in
      let object = try JSONSerialization.jsonObject(with: Data(message.payload))
      return try #require(object as? [String: Any])
    }
  }

  static func numbers(_ name: String, _ objects: [[String: Any]]) throws -> [Double] {
    try objects.map { try #require(($0[name] as? NSNumber)?.doubleValue) }
  }

  @Test("The same seed gives the same bytes on every machine")
  func golden() {
    #expect(Self.digest(Self.messages(seed: 1)) == 10_712_832_844_703_075_110)
    #expect(Self.digest(Self.messages(seed: 1)) == Self.digest(Self.messages(seed: 1)))
  }

  @Test("Another seed gives another plant")
  func seeds() {
    let digests = (0..<8).map { Self.digest(Self.messages(seed: $0, hours: 0.05)) }
    #expect(Set(digests).count == digests.count)
  }

  @Test("How often one asks changes nothing")
  func steps() {
    var plant = Plant(seed: 5, start: Self.start)
    var pieces: [SimulatedMessage] = []
    for second in stride(from: 0.0, through: 600, by: 0.7) {
      pieces += plant.step(to: Self.start.advanced(byMicroseconds: Int64(second * 1e6)))
    }
    pieces += plant.step(to: Self.start.advanced(byMicroseconds: 600_000_000))
    var whole = Plant(seed: 5, start: Self.start)
    #expect(whole.step(to: Self.start.advanced(byMicroseconds: 600_000_000)) == pieces)
  }

  @Test("Splitmix64 gives the published first number")
  func splitmix() {
    var state: UInt64 = 1_234_567
    #expect(RandomSource.splitmix(&state) == 6_457_827_717_110_365_317)
  }

  @Test(
    "Counters never go back, and what is good or scrap adds up to the cycles",
    arguments: ["press1", "mill1", "conveyor1"], [UInt64(1), 2, 3])
  func counters(machine: String, seed: UInt64) throws {
    let objects = try Self.telemetry(machine, Self.messages(seed: seed, hours: 4))
    for name in ["cycles", "good", "scrap", "energy"] {
      let values = try Self.numbers(name, objects)
      let isRising = zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }
      #expect(isRising, "\(name)")
    }
    let cycles = try Self.numbers("cycles", objects)
    let good = try Self.numbers("good", objects)
    let scrap = try Self.numbers("scrap", objects)
    for place in cycles.indices { #expect(good[place] + scrap[place] == cycles[place]) }
    let last = try #require(cycles.last)
    #expect(last > 10)
  }

  @Test(
    "Energy is the integral of power, within rounding", arguments: ["press1", "mill1", "conveyor1"])
  func energy(machine: String) throws {
    let objects = try Self.telemetry(machine, Self.messages(seed: 9, hours: 3))
    let power = try Self.numbers("power", objects)
    let energy = try Self.numbers("energy", objects)
    // A power holds until the next message; the first one, which nobody saw, for the first second.
    var sum = energy[0]
    for place in 1..<power.count {
      sum += power[place - 1] / 3_600
      #expect(abs(sum - energy[place]) < 0.002)
    }
  }

  @Test("The meter shows the sum of its phases and counts what it shows")
  func meter() throws {
    let objects = try Self.telemetry("meter1", Self.messages(seed: 4, hours: 1))
    let power = try Self.numbers("power", objects)
    var sum: Double?
    for (place, object) in objects.enumerated() {
      let voltages = try #require(object["voltage"] as? [String: Double])
      let currents = try #require(object["current"] as? [String: Double])
      let factor = try #require(object["power_factor"] as? Double)
      let phases = voltages.reduce(0) { $0 + $1.value * (currents[$1.key] ?? 0) * factor / 1_000 }
      #expect(abs(phases - power[place]) < 0.001)
      let energy = try #require((object["energy"] as? [String: Double])?["import"])
      let before = sum ?? energy
      #expect(abs(before - energy) < 0.002)
      sum = before + power[place] / 3_600
    }
  }

  @Test("States follow each other as the machine allows", arguments: 0..<12)
  func states(seed: UInt64) throws {
    let messages = Self.messages(seed: seed, hours: 6)
    var seen: Set<MachineState> = []
    for machine in ["press1", "mill1", "conveyor1"] {
      let states = try Self.telemetry(machine, messages).map { object in
        let name = try #require(object["state"] as? String)
        return try #require(MachineState(rawValue: name))
      }
      for (before, after) in zip(states, states.dropFirst()) where before != after {
        #expect(before.successors.contains(after), "\(before) → \(after)")
      }
      seen.formUnion(states)
    }
    #expect(seen.isSuperset(of: [.idle, .setup, .running]))
  }

  @Test("A running press warms up towards its target and never beyond reason")
  func heating() throws {
    let objects = try Self.telemetry("press1", Self.messages(seed: 2, hours: 6))
    let temperature = try Self.numbers("temperature", objects)
    let isPlausible = temperature.allSatisfy { (15...65).contains($0) }
    #expect(isPlausible)
    let longRun = try Self.numbers(
      "temperature", objects.filter { $0["state"] as? String == "running" })
    let highest = try #require(longRun.max())
    #expect(highest > 40)
    // First order: no step larger than the noise allows.
    let isSmooth = zip(temperature, temperature.dropFirst()).allSatisfy { abs($0 - $1) < 1 }
    #expect(isSmooth)
  }

  @Test("The pump keeps to its curve")
  func pump() throws {
    let objects = try Self.telemetry("pump1", Self.messages(seed: 2, hours: 1))
    for object in objects.dropFirst(120) {
      let flow = try #require(object["flow"] as? Double)
      let speed = try #require((object["speed"] as? NSNumber)?.doubleValue)
      let pressure = try #require(object["pressure"] as? Double)
      let ratio = speed / 1_450
      let expected = 0.0981 * max(0, 42 * ratio * ratio - 0.0052 * flow * flow)
      #expect(abs(pressure - expected) < 0.05)
    }
  }

  @Test(
    "A rate is met with messages that are at least 10 ms apart",
    arguments: [5.0, 100, 2_000, 20_000])
  func rate(rate: Double) {
    let settings = PlantSettings(messagesPerSecond: rate)
    #expect(settings.intervalMilliseconds >= 10)
    var plant = Plant(seed: 1, start: Self.start, settings: settings)
    let count = plant.step(to: Self.start.advanced(byMicroseconds: 2_000_000 - 1)).count
    #expect(abs(Double(count) - 2 * rate) < 0.15 * 2 * rate + 10)
  }

  @Test("Rooms send bare numbers, retained")
  func rooms() {
    let messages = Self.messages(seed: 1).filter { $0.topic.hasPrefix("plant/rooms/") }
    #expect(messages.count == 121 * 6)
    let values = messages.compactMap { Double(String(decoding: $0.payload, as: UTF8.self)) }
    #expect(values.count == messages.count)
    let isRetained = messages.allSatisfy { $0.isRetained }
    #expect(isRetained)
  }

  @Test("People log in, acknowledge alarms and change recipes")
  func people() throws {
    var names: Set<String> = []
    for message in Self.messages(seed: 3, hours: 24)
    where message.topic.hasPrefix("plant/line1/hmi1/") {
      let object = try JSONSerialization.jsonObject(with: Data(message.payload)) as? [String: Any]
      names.insert(try #require(object?["event"] as? String))
    }
    #expect(names == ["Login", "Logout", "AlarmAcknowledged", "RecipeChanged"])
  }

  @Test(
    "Decimals are written without a library",
    arguments: [
      (0.0, 2, "0"), (-0.5, 2, "-0.5"), (1.005, 2, "1"), (12.3456, 3, "12.346"), (-0.001, 2, "0"),
      (100, 0, "100"), (0.05, 2, "0.05"),
    ])
  func decimals(value: Double, decimals: Int, text: String) {
    #expect(Decimal.text(value, decimals: decimals) == text)
  }
}
