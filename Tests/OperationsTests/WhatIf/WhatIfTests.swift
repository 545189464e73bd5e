import Operations
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Synthetic machines with known parameters and noise.
@Suite struct WhatIfTests {
  /// A normal number: the sum of twelve even ones (Box and Muller need not be exact here).
  static func noise(_ generator: inout SeededGenerator) -> Double {
    var sum = -6.0
    for _ in 0..<12 { sum += Double.random(in: 0..<1, using: &generator) }
    return sum
  }

  /// Blocks of running and standing still, of different lengths.
  static func powers(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
    var powers: [Double] = []
    while powers.count < count {
      let power: Double = [0.0, 4, 6].randomElement(using: &generator) ?? 0
      powers += [Double](repeating: power, count: Int.random(in: 20...120, using: &generator))
    }
    return Array(powers.prefix(count))
  }

  /// A gearbox: τ 900 s, 4 °C per kW, hall at 21 °C, read every 10 s or so with a noise of 0.3 °C.
  static func gearbox(seed: UInt64, count: Int = 2_000, noise: Double = 0.3) -> (
    times: [Double], temperatures: [Double], powers: [Double]
  ) {
    var generator = SeededGenerator(seed: seed)
    let powers = powers(count, &generator)
    var (times, temperatures) = ([0.0], [24 + noise * Self.noise(&generator)])
    var temperature = 24.0
    for row in 1..<count {
      let step = Double.random(in: 8...12, using: &generator)
      let a = exp(-step / 900)
      temperature = a * temperature + (1 - a) * (21 + 4 * powers[row - 1])
      times.append(times[row - 1] + step)
      temperatures.append(temperature + noise * Self.noise(&generator))
    }
    return (times, temperatures, powers)
  }

  // MARK: - Temperature

  @Test(
    "A thermal model finds time constant, gain and surroundings under noise", arguments: 1...5)
  func thermal(seed: UInt64) throws {
    let history = Self.gearbox(seed: seed)
    let model = try ThermalModel(
      times: history.times, temperatures: history.temperatures, powers: history.powers)
    #expect((model.tauSeconds / 900 - 1).magnitude < 0.05, "\(model.tauSeconds)")
    #expect((model.gain - 4).magnitude < 0.1, "\(model.gain)")
    #expect((model.ambient - 21).magnitude < 0.3, "\(model.ambient)")
    #expect((model.fit.rmse - 0.3).magnitude < 0.03 && model.fit.r2 > 0.95)
    #expect(model.fit.count == 2_000 && (model.fit.spanSeconds / 20_000 - 1).magnitude < 0.02)
    #expect(model.powers == 0...6)
  }

  @Test("Without noise the parameters are exact")
  func exact() throws {
    let history = Self.gearbox(seed: 9, noise: 0)
    let model = try ThermalModel(
      times: history.times, temperatures: history.temperatures, powers: history.powers)
    #expect((model.tauSeconds - 900).magnitude < 0.01 && (model.gain - 4).magnitude < 1e-4)
    #expect(model.fit.rmse < 1e-4 && model.fit.r2 > 0.999_999)
  }

  @Test("What is projected holds the real course of another set-point about as often as it says")
  func coverage() throws {
    var inside = 0
    var all = 0
    for seed in 20..<30 as Range<UInt64> {
      let history = Self.gearbox(seed: seed)
      let model = try ThermalModel(
        times: history.times, temperatures: history.temperatures, powers: history.powers)
      var generator = SeededGenerator(seed: seed + 1_000)
      let projection = model.simulate(
        from: 30, power: 5, horizonSeconds: 3_600, everySeconds: 60)
      #expect(projection.points.count == 61 && projection.points.last?.seconds == 3_600)
      for point in projection.points {
        let truth = 41 + (30 - 41) * exp(-point.seconds / 900) + 0.3 * Self.noise(&generator)
        inside += point.low <= truth && truth <= point.high ? 1 : 0
        all += 1
      }
    }
    #expect(Double(inside) / Double(all) >= 0.93, "\(inside) of \(all)")
  }

  @Test("The interval begins with the error of a reading and grows, more so beyond the history")
  func interval() throws {
    let history = Self.gearbox(seed: 3)
    let model = try ThermalModel(
      times: history.times, temperatures: history.temperatures, powers: history.powers)
    let near = model.simulate(from: 30, power: 4, horizonSeconds: 3_600, everySeconds: 60)
    let far = model.simulate(from: 30, power: 12, horizonSeconds: 3_600, everySeconds: 60)
    let widths = near.points.map { $0.high - $0.low }
    #expect((widths[0] - 4 * model.fit.rmse).magnitude < 1e-12)
    #expect(zip(widths, widths.dropFirst()).allSatisfy { $0 < $1 })
    #expect(far.points.last.map { $0.high - $0.low } ?? 0 > 2 * (widths.last ?? 0))
    #expect(near.extrapolated.isEmpty && far.extrapolated == ["power"])
    #expect(near.points[0].value == 30)
    #expect(near.fit == model.fit && Projection.label == "projection")
  }

  @Test("A thermal model refuses what cannot support it")
  func thermalRefusals() {
    let history = Self.gearbox(seed: 1)
    func refusal(_ times: [Double], _ temperatures: [Double], _ powers: [Double]) -> String? {
      do throws(FitRefusal) {
        _ = try ThermalModel(times: times, temperatures: temperatures, powers: powers)
        return nil
      } catch {
        return error.code
      }
    }
    let few = 0..<20
    #expect(
      refusal(
        Array(history.times[few]), Array(history.temperatures[few]), Array(history.powers[few]))
        == "too_few_points")
    let still = [Double](repeating: 5, count: 2_000)
    #expect(refusal(history.times, history.temperatures, still) == "no_excitation")
    let against = history.temperatures.map { 60 - $0 }
    #expect(refusal(history.times, against, history.powers) == "implausible")
    var generator = SeededGenerator(seed: 4)
    let random = history.times.map { _ in 20 + Self.noise(&generator) }
    let verdict = refusal(history.times, random, history.powers)
    #expect(["weak_fit", "unresolved", "implausible"].contains(verdict), "\(verdict ?? "fitted")")
    // 40 rows are 400 s: much less than the time constant.
    var short = Self.gearbox(seed: 2, count: 40, noise: 0)
    short.powers = (0..<40).map { $0 < 20 ? 6 : 0 }
    var temperature = 24.0
    for row in 1..<40 {
      let a = exp(-(short.times[row] - short.times[row - 1]) / 90_000)
      temperature = a * temperature + (1 - a) * (21 + 4 * short.powers[row - 1])
      short.temperatures[row] = temperature
    }
    #expect(refusal(short.times, short.temperatures, short.powers) == "unresolved")
    var broken = history
    broken.times[7] = broken.times[6]
    #expect(refusal(broken.times, broken.temperatures, broken.powers) == "disordered")
    broken = history
    broken.temperatures[7] = .nan
    #expect(refusal(broken.times, broken.temperatures, broken.powers) == "disordered")
    #expect(
      FitRefusal.disorder(row: 7).description
        == "row 8 is not later than the one before, or holds a number that is not finite")
  }

  // MARK: - Wear

  /// Vibration 2 mm/s that grows by 0.3 a day at full load and by 0.05 at rest, read each hour.
  static func bearing(seed: UInt64, loads: [Double]) -> (times: [Double], signal: [Double]) {
    var generator = SeededGenerator(seed: seed)
    var (times, signal): ([Double], [Double]) = ([], [])
    var wear = 2.0
    for (row, load) in loads.enumerated() {
      times.append(Double(row) * 3_600)
      signal.append(wear + 0.05 * noise(&generator))
      wear += (0.05 + 0.3 * load) * 3_600 / 86_400
    }
    return (times, signal)
  }

  @Test("A wear model tells wear under load from wear at rest, under noise", arguments: 1...5)
  func wear(seed: UInt64) throws {
    // Busy weeks and quiet ones.
    let loads = (0..<1_008).map { ($0 / 168) % 2 == 0 ? 0.9 : 0.2 }
    let history = Self.bearing(seed: seed, loads: loads)
    let model = try WearModel(times: history.times, signal: history.signal, loads: loads)
    #expect((model.rate * 86_400 / 0.3 - 1).magnitude < 0.03, "\(model.rate * 86_400)")
    #expect((model.idle * 86_400 - 0.05).magnitude < 0.01, "\(model.idle * 86_400)")
    #expect((model.fit.rmse - 0.05).magnitude < 0.01 && model.fit.r2 > 0.99)
    #expect((model.meanLoad - 0.55).magnitude < 0.01)
    // From 4 to 7.1 mm/s at 80 % load: 3.1 / 0.29 days.
    let seconds = try #require(model.seconds(from: 4, to: 7.1, load: 0.8))
    #expect((seconds / 86_400 - 3.1 / 0.29).magnitude < 0.2)
    #expect(model.seconds(from: 8, to: 7.1, load: 0.8) == 0)
    let projection = model.simulate(
      from: 4, load: 0.5, horizonSeconds: 10 * 86_400, everySeconds: 86_400)
    #expect((try #require(projection.points.last).value - 6).magnitude < 0.1)
    let widths = projection.points.map { $0.high - $0.low }
    #expect(zip(widths, widths.dropFirst()).allSatisfy { $0 < $1 } && projection.extrapolated == [])
    #expect(
      model.simulate(from: 4, load: 1, horizonSeconds: 0, everySeconds: 1).extrapolated == ["load"])
  }

  @Test("Under a load that never changes all wear is put down to use")
  func steady() throws {
    let loads = [Double](repeating: 0.5, count: 500)
    let history = Self.bearing(seed: 6, loads: loads)
    let model = try WearModel(times: history.times, signal: history.signal, loads: loads)
    #expect(model.idle == 0 && (model.rate * 86_400 - 0.4).magnitude < 0.02)
  }

  @Test("A wear model refuses what cannot support it")
  func wearRefusals() {
    let loads = [Double](repeating: 0.5, count: 500)
    let history = Self.bearing(seed: 6, loads: loads)
    #expect(throws: FitRefusal.noExcitation("load")) {
      try WearModel(
        times: history.times, signal: history.signal, loads: [Double](repeating: 0, count: 500))
    }
    #expect(throws: FitRefusal.tooFew(10, needed: 20)) {
      try WearModel(
        times: Array(history.times.prefix(10)), signal: Array(history.signal.prefix(10)),
        loads: Array(loads.prefix(10)))
    }
    #expect(throws: FitRefusal.implausible("it wears less under load")) {
      try WearModel(times: history.times, signal: history.signal.map { -$0 }, loads: loads)
    }
    var generator = SeededGenerator(seed: 8)
    let flat = loads.indices.map { 2 + 0.001 * Double($0) / 500 + Self.noise(&generator) }
    do throws(FitRefusal) {
      _ = try WearModel(times: history.times, signal: flat, loads: loads)
      Issue.record("noise alone was fitted")
    } catch {
      #expect(["weak_fit", "implausible"].contains(error.code))
    }
  }

  // MARK: - Energy

  @Test("An energy model finds what speed and load cost, under noise", arguments: 1...5)
  func energy(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let times = (0..<500).map { Double($0) * 60 }
    let speeds = times.map { _ in Double.random(in: 0.5...2, using: &generator) }
    let loads = times.map { _ in Double.random(in: 0...80, using: &generator) }
    let power = times.indices.map {
      0.8 + 2.5 * speeds[$0] + 0.03 * loads[$0] + 0.2 * Self.noise(&generator)
    }
    let model = try EnergyModel(
      times: times, power: power, drivers: [("speed", speeds), ("load", loads)])
    #expect((model.base - 0.8).magnitude < 0.1 && (model.fit.rmse - 0.2).magnitude < 0.03)
    #expect((model.drivers[0].coefficient - 2.5).magnitude < 0.08)
    #expect((model.drivers[1].coefficient - 0.03).magnitude < 0.002)
    #expect(model.fit.r2 > 0.95 && model.fit.count == 500 && model.fit.spanSeconds == 29_940)
    // A shift at 1 m/s with 40 kg: 8 × (0.8 + 2.5 + 1.2) kWh.
    let projection = model.simulate(
      [("speed", 1), ("load", 40)], horizonSeconds: 28_800, everySeconds: 3_600)
    let last = try #require(projection.points.last)
    #expect((last.value - 36).magnitude < 0.5 && last.low < 36 && 36 < last.high)
    #expect(projection.points[0].value == 0 && projection.extrapolated == [])
    let fast = model.simulate([("speed", 3)], horizonSeconds: 0, everySeconds: 1)
    #expect(fast.extrapolated == ["speed"])
    #expect((model.power([("speed", 1)]) - 4.5).magnitude < 0.15, "the load stays at its mean")
  }

  @Test("An energy model refuses what cannot support it")
  func energyRefusals() {
    let times = (0..<100).map { Double($0) * 60 }
    let speeds = times.map { 1 + $0.truncatingRemainder(dividingBy: 600) / 600 }
    let power = speeds.map { 1 + 2 * $0 }
    func code(_ power: [Double], _ drivers: [(String, [Double])]) -> String? {
      do throws(FitRefusal) {
        _ = try EnergyModel(times: times, power: power, drivers: drivers)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code(power, [("speed", speeds)]) == nil)
    #expect(code(power, [("speed", speeds.map { _ in 1.5 })]) == "no_excitation")
    #expect(code(power, [("speed", speeds), ("twice", speeds.map { 2 * $0 })]) == "no_excitation")
    var generator = SeededGenerator(seed: 3)
    #expect(code(power.map { _ in Self.noise(&generator) }, [("speed", speeds)]) == "weak_fit")
    let many = (0..<11).map { index in
      ("d\(index)", times.map { _ in Double.random(in: 0...1, using: &generator) })
    }
    #expect(code(power, many) == "too_few_points")
  }
}
