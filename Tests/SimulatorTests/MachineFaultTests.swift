import Foundation
import Telemetry
import Testing

@testable import Simulator

@Suite("Faults of machines")
struct MachineFaultTests {
  /// A Monday, midnight.
  static let monday = Timestamp(microseconds: 1_767_571_200_000_000)

  static func after(_ seconds: Double, _ start: Timestamp = PlantTests.start) -> Timestamp {
    start.advanced(byMicroseconds: Int64(seconds * 1e6))
  }

  static func plant(
    _ faults: [MachineFault], seed: UInt64 = 1, life: PlantLife = .lively, seconds: Int = 1,
    start: Timestamp = PlantTests.start
  ) -> Plant {
    var settings = PlantSettings()
    settings.machineFaults = faults
    settings.life = life
    settings.intervalMilliseconds = seconds * 1_000
    settings.keepsTruth = true
    return Plant(seed: seed, start: start, settings: settings)
  }

  static func injected(_ kind: FaultKind, _ level: FaultLevel = .high) throws -> MachineFault {
    var command = FaultCommand(kind)
    command.severity = .level(level)
    let fault = try command.fault(
      at: PlantTests.start, machines: ["press1", "mill1", "conveyor1"])
    return try #require(fault)
  }

  @Test("Faults that are still to come change no byte")
  func later() {
    var plant = Self.plant([
      MachineFault(.bearingWear, severity: 50, begin: Self.after(4_000), seconds: 60)
    ])
    #expect(
      plant.step(to: Self.after(3_600)) == PlantTests.messages(seed: 1))
  }

  @Test("A severe bearing shakes beyond zone D and stops its machine within the minute")
  func bearing() throws {
    let fault = try Self.injected(.bearingWear)
    #expect(fault.remainingLife(at: PlantTests.start) == 40)
    #expect(fault.remainingLife(at: Self.after(30)) == 10)
    for seed in 1...5 as ClosedRange<UInt64> {
      var plant = Self.plant([fault], seed: seed)
      let press = try PlantTests.telemetry("press1", plant.step(to: Self.after(60)))
      let vibration = try PlantTests.numbers("vibration", press)
      #expect(vibration.max()! > 10, "seed \(seed)")
      let states = press.map { $0["state"] as? String }
      #expect(states[1] == "running")
      #expect(states.last == "fault")
      #expect(states.firstIndex(of: "fault") == 40)
    }
  }

  @Test("An overheated press trips, stays so and comes back after repair")
  func overheating() throws {
    let fault = try Self.injected(.overheating)
    var plant = Self.plant([fault], seed: 2)
    // Warm first: the fault adds to what the machine has.
    let press = try PlantTests.telemetry("press1", plant.step(to: Self.after(60)))
    let temperature = try PlantTests.numbers("temperature", press)
    #expect(temperature.last! - temperature.first! > 30)
    plant.clearFaults()
    #expect(plant.injectedFaults.allSatisfy { $0.end <= plant.next })
    let later = try PlantTests.telemetry("press1", plant.step(to: Self.after(3_600)))
    #expect(later.contains { $0["state"] as? String == "running" })
    #expect(try PlantTests.numbers("temperature", later).last! < 60)
  }

  @Test("A stuck sensor repeats its value as often as its severity says, and then goes on")
  func stuck() throws {
    var plant = Self.plant([
      MachineFault(
        .stuckSensor, device: "mill1", metric: "vibration", severity: 40,
        begin: Self.after(100), seconds: 600)
    ])
    let mill = try PlantTests.telemetry("mill1", plant.step(to: Self.after(300)))
    let values = try PlantTests.numbers("vibration", mill)
    #expect(Set(values[100..<140]).count == 1)
    #expect(Set(values[140..<180]).count > 1)
    #expect(Set(values[60..<100]).count > 1)
  }

  @Test("A drifting sensor shows too much by its severity, and the machine is well")
  func drift() throws {
    let fault = MachineFault(
      .drift, device: "press1", severity: 4, begin: Self.after(100), seconds: 1_000,
      growthSeconds: 500)
    var drifting = Self.plant([fault])
    var well = Self.plant([])
    let shown = try PlantTests.telemetry("press1", drifting.step(to: Self.after(900)))
    let real = try PlantTests.telemetry("press1", well.step(to: Self.after(900)))
    let a = try PlantTests.numbers("temperature", shown)
    let b = try PlantTests.numbers("temperature", real)
    let full: Double = 4 * MachineKind.press.noise.temperature
    let half: Double = a[350] - b[350]
    let whole: Double = a[800] - b[800]
    #expect(abs(half - full / 2) < 0.011)
    #expect(abs(whole - full) < 0.011)
    #expect(a[99] == b[99])
    #expect(drifting.truth == well.truth)
  }

  @Test("A deep dip of the supply stops the line; a shallow one only takes power")
  func dip() throws {
    for (severity, isStopped) in [(60.0, true), (15, false)] {
      var plant = Self.plant([
        MachineFault(.powerDip, severity: severity, begin: Self.after(600), seconds: 60)
      ])
      let messages = plant.step(to: Self.after(640))
      let meter = try PlantTests.telemetry("meter1", messages)
      let voltage = try #require((meter[630]["voltage"] as? [String: Double])?["l1"])
      let expected: Double = 231 - severity * MachineNoise.voltage
      #expect(abs(voltage - expected) < 5)
      let moment = Self.after(600)
      let before = plant.truth.map { truth in truth.states.last { $0.begin < moment }!.state }
      let running = plant.truth.indices.filter { before[$0] == .running }
      for place in running {
        #expect((plant.truth[place].states.last?.state == .fault) == isStopped)
      }
      #expect(!running.isEmpty)
    }
  }

  @Test("A blunt tool makes scrap and loads the spindle")
  func toolWear() throws {
    let fault = MachineFault(
      .toolWear, severity: 10, begin: Self.monday, seconds: 7 * 86_400, growthSeconds: 60)
    var blunt = Self.plant([fault], life: .steady(WorkingWeek()), seconds: 30, start: Self.monday)
    var sharp = Self.plant([], life: .steady(WorkingWeek()), seconds: 30, start: Self.monday)
    let end = Self.after(86_400, Self.monday)
    let (bad, well) = (blunt.step(to: end), sharp.step(to: end))
    func share(_ plant: Plant) throws -> Double {
      let count = try #require(plant.truth[1].count(at: end))
      return Double(count.scrap) / Double(count.cycles)
    }
    #expect(try share(blunt) > 0.25)
    #expect(try share(sharp) < 0.05)
    func load(_ messages: [SimulatedMessage]) throws -> Double {
      try PlantTests.numbers("spindle_load", PlantTests.telemetry("mill1", messages)).max()!
    }
    #expect(try load(bad) > load(well) + 40)
  }

  @Test("Micro-stops come as often as their severity says")
  func microStops() {
    var plant = Self.plant(
      [
        MachineFault(
          .microStops, severity: 12, begin: Self.after(6 * 3_600, Self.monday), seconds: 7_200)
      ], life: .steady(WorkingWeek()), seconds: 10, start: Self.monday)
    _ = plant.step(to: Self.after(8 * 3_600, Self.monday))
    let moment = Self.after(6 * 3_600, Self.monday)
    let stops = plant.truth[1].states.filter { $0.state == .idle && $0.begin >= moment }
    // A changeover may hide some; a pause of the line may add one.
    #expect((18...26).contains(stops.count), "\(stops.count)")
  }

  @Test("A line without parts waits, and the machines after it are told nothing else")
  func starved() {
    var plant = Self.plant(
      [
        MachineFault(
          .starvedLine, severity: 10, begin: Self.after(6 * 3_600, Self.monday), seconds: 7_200)
      ], life: .steady(WorkingWeek()), seconds: 10, start: Self.monday)
    _ = plant.step(to: Self.after(9 * 3_600, Self.monday))
    let starved = plant.truth[1].microseconds(
      in: .starved, from: Self.monday, to: Self.after(9 * 3_600, Self.monday))
    #expect(starved > 600_000_000 && starved <= 1_200_000_000)
  }

  @Test("Clocks that jump and messages sent twice change nothing of what happens")
  func messages() {
    let begin = Self.after(60)
    var plain = Self.plant([])
    let usual = plain.step(to: Self.after(300))
    var behind = Self.plant([MachineFault(.clockJump, severity: 600, begin: begin, seconds: 120)])
    let shifted = behind.step(to: Self.after(300))
    #expect(behind.truth == plain.truth)
    #expect(shifted.map(\.time) == usual.map(\.time))
    let changed = zip(shifted, usual).filter { $0 != $1 }
    #expect(!changed.isEmpty)
    let last = Self.after(180)
    let isInside = changed.allSatisfy { pair in pair.0.time >= begin && pair.0.time < last }
    #expect(isInside)
    var twice = Self.plant([
      MachineFault(.doublePublishing, severity: 1, begin: begin, seconds: 120)
    ])
    let doubled = twice.step(to: Self.after(300))
    #expect(twice.truth == plain.truth)
    #expect(Set(doubled) == Set(usual))
    let end = Self.after(180)
    let repeated = usual.count { $0.time >= begin && $0.time < end }
    #expect(doubled.count == usual.count + repeated)
  }

  @Test("A steady plant works in its hours, changes products, and never fails")
  func steady() throws {
    var week = WorkingWeek()
    let stop = Self.after(86_400 + 8 * 3_600, Self.monday)
    week.plannedStops = [.init(begin: stop, end: stop.advanced(byMicroseconds: 3_600_000_000))]
    var plant = Self.plant([], life: .steady(week), seconds: 60, start: Self.monday)
    let messages = plant.step(to: Self.after(7 * 86_400, Self.monday))
    for truth in plant.truth {
      let states = Set(truth.states.map(\.state))
      #expect(states == [.off, .setup, .running, .idle])
      let end = Self.after(7 * 86_400, Self.monday)
      let off = truth.microseconds(in: .off, from: Self.monday, to: end)
      let hoursOff: Int64 = 7 * 24 - 5 * 16 + 1
      #expect(off == hoursOff * 3_600_000_000)
    }
    let mill = try PlantTests.telemetry("mill1", messages)
    #expect(Set(mill.compactMap { $0["program"] as? String }).count == 4)
  }

  static func deviation(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    var sum = 0.0
    for value in values { sum += (value - mean) * (value - mean) }
    return (sum / Double(values.count - 1)).squareRoot()
  }

  @Test("Noise is what the signals of a steady plant vary by while they run")
  func noise() throws {
    var plant = Self.plant(
      [], seed: 3, life: .steady(WorkingWeek()), seconds: 300, start: Self.monday)
    let messages = plant.step(to: Self.after(19 * 86_400, Self.monday))
    func deviation(_ device: String, _ metric: String) throws -> Double {
      let running = try PlantTests.telemetry(device, messages).filter {
        $0["state"] as? String == "running"
      }
      return Self.deviation(try PlantTests.numbers(metric, running))
    }
    for (kind, device) in [
      (MachineKind.press, "press1"), (.mill, "mill1"), (.conveyor, "conveyor1"),
    ] {
      for (metric, stated) in [
        ("vibration", kind.noise.vibration), ("temperature", kind.noise.temperature),
        ("power", kind.noise.power),
      ] {
        let measured = try deviation(device, metric)
        let ratio: Double = measured / stated
        #expect(ratio > 0.75 && ratio < 1.33, "\(device) \(metric): \(measured)")
      }
    }
    let load = try deviation("mill1", "spindle_load")
    let loadRatio: Double = load / MachineNoise.spindleLoad
    #expect(loadRatio > 0.9 && loadRatio < 1.1, "\(load)")
    var voltages: [Double] = []
    for object in try PlantTests.telemetry("meter1", messages) {
      voltages.append(try #require((object["voltage"] as? [String: Double])?["l1"]))
    }
    let spread = Self.deviation(voltages)
    let spreadRatio: Double = spread / MachineNoise.voltage
    #expect(spreadRatio > 0.75 && spreadRatio < 1.33, "\(spread)")
  }
}

@Suite("Commands for faults")
struct FaultCommandTests {
  @Test("A command survives its way as JSON", arguments: FaultKind.allCases)
  func roundTrip(kind: FaultKind) throws {
    var command = FaultCommand(kind)
    command.severity = .number(4.5)
    command.seconds = 90
    #expect(try FaultCommand(payload: command.payload) == command)
    command.severity = .level(.medium)
    #expect(try FaultCommand(payload: command.payload) == command)
    #expect(try FaultCommand(payload: FaultCommand(nil).payload).kind == nil)
  }

  @Test(
    "What makes no sense is refused with a sentence",
    arguments: [
      ("nonsense", "a fault is a JSON object"), ("{}", "`fault` says what goes wrong"),
      (#"{"fault":"bearing_ware"}"#, "did you mean bearing_wear?"),
      (#"{"fault":"drift","severity":"hi"}"#, "not 'hi'"),
      (#"{"fault":"drift","severity":-1}"#, "above 0"),
      (#"{"fault":"drift","seconds":0}"#, "more than 0 s"),
      (#"{"fault":"drift","metric":"program"}"#, "temperature, vibration, power"),
      (#"{"fault":"clock_jump","device":"press1"}"#, "whole plant"),
    ])
  func refusals(payload: String, sentence: String) {
    let refusal = #expect(throws: FaultCommand.Refusal.self) {
      try FaultCommand(payload: Array(payload.utf8))
    }
    #expect(refusal?.description.contains(sentence) == true, "\(refusal?.description ?? "")")
  }

  @Test("A running plant does what it hears, and says so")
  func hearing() throws {
    var plant = Plant(seed: 1, start: PlantTests.start)
    _ = plant.step(to: PlantTests.start)
    func hear(_ topic: String, _ payload: String) -> String? {
      plant.hear(.init(topic: topic, payload: Array(payload.utf8)), "faults")
    }
    #expect(
      hear("faults", #"{"fault":"bearing_wear","severity":"high"}"#)?.hasPrefix(
        "injected bearing_wear of press1, 50 × noise of vibration, until") == true)
    #expect(plant.injectedFaults.count == 1)
    #expect(
      hear("faults", #"{"fault":"drift","device":"pres1"}"#)?.contains("did you mean press1?")
        == true)
    #expect(plant.injectedFaults.count == 1)
    #expect(hear("faults", #"{"clear":true}"#) == "everything is repaired")
    #expect(
      hear("plant/command/conveyor1/speed", #"{"value":1.2,"unit":"m/s"}"#)
        == "the speed of conveyor1 is set to 1.2 m/s")
    #expect(
      hear("plant/command/press1/speed", #"{"value":1.2}"#)?.contains("not understood") == true)
    #expect(hear("plant/command/conveyor1/light", "1") == nil)
  }
}
