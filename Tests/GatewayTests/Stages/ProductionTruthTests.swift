import Devices
import Foundation
import Operations
import Simulator
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Gateway

/// A shift of the simulated press through the whole gateway, against what the simulator knows to have happened.
///
/// The plant's ticks are ten seconds apart: a state begins with the tick whose message tells it, so that durations are
/// those of the truth to the microsecond.
@Suite("Production figures against the plant's truth")
struct ProductionTruthTests {
  private static let machine = """
    reasons:
      - {code: breakdown, description: Fault of the machine}
    machines:
      - device: press1
        states:
          running: running
          idle: idle
          setup: setup
          blocked: blocked
          starved: starved
          fault: {state: unplanned_stop, reason: breakdown}
        counters: {total: cycles, good: good, scrap: scrap}
        ideal_cycle: 6 s
        micro_stop: 300 s
        telemetry_timeout: 60 s
    """
  private static let start = Timestamp(rfc3339: "2026-03-02T05:00:00Z")!
  private static let end = Timestamp(rfc3339: "2026-03-02T13:00:00Z")!

  /// The gateway's clock is that of the plant.
  private final class PlantClock: Sendable {
    private let now = Mutex(ProductionTruthTests.start.microseconds)

    func set(_ time: Timestamp) { now.withLock { $0 = time.microseconds } }

    var source: ClockSource {
      ClockSource(bootID: 1) { [self] in
        let time = now.withLock { $0 }
        return ClockReading(
          wallMicroseconds: time, monotonicMicroseconds: time, isSynchronized: true)
      }
    }
  }

  private struct Shift {
    var truth: MachineTruth
    var ledger: MachineLedger
    var energy: [MeterSample]
  }

  private static func shift(seed: UInt64, _ faults: [MachineFault] = []) async throws -> Shift {
    var settings = PlantSettings()
    settings.intervalMilliseconds = 10_000
    settings.machineFaults = faults
    settings.keepsTruth = true
    var plant = Plant(seed: seed, start: start, settings: settings)
    let clock = PlantClock()
    let yaml = try PlantRecords.exampleDevices(leavingOut: ["production.yaml"])
    let rig = try GatewayRig(withBroker: false, yaml: yaml, clock: clock.source) {
      $0.store.journal.synchronizes = false
      $0.batch.commitDelayMilliseconds = 0
    }
    try rig.start()
    let devices = ConfigurationFile(name: "devices/test.yaml", content: yaml)
    let (known, _) = DeviceConfiguration.load(files: [devices])
    let (production, problems) = ProductionConfiguration.load(
      files: [devices, ConfigurationFile(name: "devices/production.yaml", content: machine)],
      devices: try #require(known))
    rig.gateway.production.reconfigure(try #require(production, "\(problems)"))
    while plant.next < end {
      let now = plant.next
      clock.set(now)
      try await rig.submit(
        plant.step(to: now).filter { $0.topic.hasSuffix("/press1/telemetry") }
          .map { ($0.topic, String(decoding: $0.payload, as: UTF8.self)) })
    }
    let definition = try #require(production?.machine("press1"))
    let ledger = try await rig.gateway.production.fetchLedger(
      of: definition, over: Span(start..<end), now: end)
    let energy = try await rig.samples("press1/energy").map {
      MeterSample(time: $0.time, value: Double(bitPattern: $0.bits))
    }
    await rig.stop()
    return Shift(
      truth: try #require(plant.truth.first { $0.device == "press1" }), ledger: ledger,
      energy: energy)
  }

  private static func state(_ state: Simulator.MachineState) -> Operations.MachineState {
    switch state {
    case .running: .running
    case .idle, .off: .idle
    case .setup: .setup
    case .blocked: .blocked
    case .starved: .starved
    case .fault: .unplannedStop
    }
  }

  /// A stretch as text, so that a difference can be read.
  private static func line(_ span: Span, _ state: Operations.MachineState) -> String {
    "\(span.from.rfc3339) \(span.to.rfc3339) \(state.name)"
  }

  private static func expectEqual(_ shift: Shift) throws {
    let truth = shift.truth
    var expected: [String] = []
    var stops: [String] = []
    for (place, stretch) in truth.states.enumerated() {
      let to = place + 1 < truth.states.count ? truth.states[place + 1].begin : end
      let line = line(Span(stretch.begin..<to), state(stretch.state))
      expected.append(line)
      if state(stretch.state).isStop { stops.append(line) }
    }
    #expect(shift.ledger.timeline.segments.map { line($0.span, $0.state) } == expected)
    #expect(shift.ledger.stops.map { line($0.span, $0.state) } == stops)
    #expect(stops.count > 10)

    let result = shift.ledger.result(over: Span(start..<end))
    for state in Simulator.MachineState.allCases where state != .off {
      #expect(
        result.figures.time.total(Self.state(state))
          == truth.microseconds(in: state, from: start, to: end), "\(state)")
    }
    let first = try #require(truth.count(at: start))
    let last = try #require(truth.count(at: end))
    let good = Int(last.good - first.good)
    #expect(result.figures.made.fraction == Parts(Int(last.cycles - first.cycles)).fraction)
    #expect(result.figures.goodMade.fraction == Parts(good).fraction)
    #expect(result.figures.scrapped.fraction == Parts(Int(last.scrap - first.scrap)).fraction)
    #expect(good > 1_000)
    // A × E × Q = ideal time of good parts over the eight hours, all of which were planned.
    #expect(result.kpis.oee.value == Double(good * 6) / Double(8 * 3_600))

    let span = Span(start..<last.time)
    let used = EnergyCurve(counter: shift.energy).energy(in: span).kilowattHours
    #expect(Int64((used * 1_000).rounded()) == last.wattHours - first.wattHours)
  }

  @Test("States, stops, counts, OEE and energy of a shift are those that happened")
  func exact() async throws {
    try Self.expectEqual(try await Self.shift(seed: 1))
  }

  @Test("A machine that wears out, starves and stops often is told as it was")
  func faulty() async throws {
    let hour = { (hours: Double) in
      Self.start.advanced(byMicroseconds: Int64(hours * 3_600e6))
    }
    let shift = try await Self.shift(
      seed: 3,
      [
        MachineFault(
          .bearingWear, severity: 50, begin: hour(1), seconds: 5_400, growthSeconds: 3_600),
        MachineFault(.microStops, device: "press1", severity: 60, begin: hour(3), seconds: 3_600),
        MachineFault(.starvedLine, device: "press1", severity: 20, begin: hour(5), seconds: 7_200),
        MachineFault(.toolWear, device: "press1", severity: 5, begin: hour(7), seconds: 3_600),
      ])
    try Self.expectEqual(shift)
    // It failed when its life was used up.
    #expect(shift.truth.microseconds(in: .fault, from: hour(2), to: hour(2.5)) == 1_800_000_000)
  }

  @Test("Messages that come twice and a clock that forgot the year change no figure")
  func spoiled() async throws {
    let begin = Self.start.advanced(byMicroseconds: 3_600_000_000)
    let plain = try await Self.shift(seed: 4)
    let doubled = try await Self.shift(
      seed: 4, [MachineFault(.doublePublishing, severity: 0.5, begin: begin, seconds: 14_400)])
    try Self.expectEqual(doubled)
    #expect(doubled.truth == plain.truth)
    #expect(doubled.energy == plain.energy)
    // Thirteen years behind: not believed, so receive times count.
    let lost = try await Self.shift(
      seed: 4, [MachineFault(.clockJump, severity: 410_000_000, begin: begin, seconds: 3_600)])
    try Self.expectEqual(lost)
    #expect(lost.truth == plain.truth)
  }
}
