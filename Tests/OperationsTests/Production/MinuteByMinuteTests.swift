import Operations
import Telemetry
import TestSupport
import Testing

/// The time account again, straight from the conventions: one minute after the other, without any interval.
@Suite struct MinuteByMinuteTests {
  private static let states: [MachineState] = [
    .running, .running, .running, .idle, .setup, .plannedStop, .unplannedStop, .starved, .blocked,
    .unknown,
  ]

  @Test("States, declared stops, breaks and small stops come to what a count of minutes comes to")
  func minutes() {
    var generator = SeededGenerator(seed: 480)
    for _ in 0..<300 {
      var bench = Bench()
      var machine = [MachineState](repeating: .unknown, count: 480)
      var minute = Int.random(in: 0..<5, using: &generator)
      while minute < 480 {
        let state = Self.states.randomElement(using: &generator) ?? .idle
        bench.record.states.append(StateSample(time: at(6, minute), state: state))
        for later in minute..<480 { machine[later] = state }
        minute += Int.random(in: 1...20, using: &generator)
      }
      // The strongest first: what is taken is not taken again.
      var isDeclared = [Bool](repeating: false, count: 480)
      let declared: [MachineState] = [.plannedStop, .unplannedStop, .setup, .idle]
      for state in declared where Bool.random(using: &generator) {
        let from = Int.random(in: 0..<480, using: &generator)
        let to = Int.random(in: from...480, using: &generator)
        bench.record.declaredStops.append(
          DeclaredStop(span: Span(at(6, from)..<at(6, to)), state: state))
        for minute in from..<to where !isDeclared[minute] {
          machine[minute] = state
          isDeclared[minute] = true
        }
      }
      bench.record.declaredStops.shuffle(using: &generator)
      expect(bench.ledger.result(over: early), is: machine)
    }
  }

  private func expect(_ result: OEEResult, is machine: [MachineState]) {
    let isBreak = (0..<480).map { (240..<270).contains($0) }
    var isSmall = [Bool](repeating: false, count: 480)
    var start = 0
    while start < 480 {
      var end = start
      while end < 480, machine[end].isStop { end += 1 }
      let planned = (start..<end).count { !isBreak[$0] }
      if planned < 5 { for minute in start..<end { isSmall[minute] = true } }
      start = max(end, start + 1)
    }
    let time = result.figures.time
    for state in MachineState.allCases {
      let lost = (0..<480).count { machine[$0] == state && !isBreak[$0] && !isSmall[$0] }
      guard result.factors[state] == .availability else { continue }
      #expect(time.lost(state) == Int64(lost) * 60_000_000, "\(state.name)")
    }
    let small = (0..<480).count { machine[$0].isStop && !isBreak[$0] && isSmall[$0] }
    let running = (0..<480).count { machine[$0] == .running && !isBreak[$0] }
    let stopped = (0..<480).count { machine[$0] == .plannedStop && !isBreak[$0] }
    #expect(time.smallStopTime == Int64(small) * 60_000_000)
    #expect(time.productionTime == Int64(small + running) * 60_000_000)
    #expect(time.plannedBusyTime == Int64(450 - stopped) * 60_000_000)
    #expect(time.total(.break) == 30 * 60_000_000)
    #expect(time.calendarTime == 480 * 60_000_000)
  }
}
