import Gateway
import Testing

@testable import millwright

@Suite struct ServiceReportTests {
  /// One report, asked once a second of a clock of its own.
  private struct Run {
    var report = ServiceReport(watchdogMicroseconds: 30_000_000)
    var figures = IngestFigures()
    var pipeline = PipelineState(now: 1_000_000_000)

    mutating func second(turns: Bool = true) -> ServiceReport.Turn {
      pipeline.now += 1_000_000
      if turns { pipeline.turns += 2 }
      return report.turn(figures, pipeline)
    }

    mutating func fed(seconds: Int, turns: Bool = true) -> Int {
      (0..<seconds).count { _ in second(turns: turns).notices.contains(.watchdog) }
    }
  }

  @Test("While the loop turns the watchdog is fed several times in its period")
  func fed() {
    var run = Run()
    #expect(run.fed(seconds: 30) >= 4)
  }

  @Test(
    "From the first look that finds the loop hanging it is not fed, and the reason is told once")
  func standstill() {
    var run = Run()
    _ = run.second()
    var began: [PipelineProgress.Standstill] = []
    var lines: [String] = []
    for _ in 0..<40 {
      let turn = run.second(turns: false)
      #expect(!turn.notices.contains(.watchdog))
      began += turn.began.map { [$0] } ?? []
      for case .status(let line) in turn.notices { lines.append(line) }
    }
    #expect(began == [.ingestThread])
    #expect(lines.last?.hasPrefix("standing still: the ingest thread has not turned") == true)
    #expect(lines.last?.contains("the watchdog is not fed") == true)
    var ended = 0
    for _ in 0..<10 { ended += run.second().ended ? 1 : 0 }
    #expect(ended == 1)
    #expect(run.fed(seconds: 30) >= 4)
  }

  @Test("Without a watchdog nothing is fed, and a standstill is still told")
  func unwatched() {
    var run = Run(report: ServiceReport(watchdogMicroseconds: nil))
    #expect(run.fed(seconds: 30) == 0)
    let began = (0..<10).compactMap { _ in run.second(turns: false).began }
    #expect(began == [.ingestThread])
  }

  @Test("A short watchdog shortens the pause between two turns")
  func pause() {
    #expect(ServiceReport(watchdogMicroseconds: nil).pauseMicroseconds == 1_000_000)
    #expect(ServiceReport(watchdogMicroseconds: 30_000_000).pauseMicroseconds == 1_000_000)
    #expect(ServiceReport(watchdogMicroseconds: 2_000_000).pauseMicroseconds == 500_000)
  }

  @Test("The status says the broker, rates and extent; new rates come every five seconds")
  func rates() {
    var run = Run()
    run.figures.broker = .connected
    #expect(
      run.second().notices.contains(.status("connected to the broker; 0 devices, 0 series")))
    run.figures.messages = 100
    run.figures.samples = 2_000
    run.figures.devices = 3
    run.figures.series = 12
    for _ in 0..<4 { #expect(!run.second().notices.contains { $0 != .watchdog }) }
    #expect(
      run.second().notices.contains(
        .status(
          "connected to the broker; 20 messages/s, 400 samples/s; 3 devices, 12 series")))
  }

  @Test("A problem is told at once, and comes first")
  func problem() {
    var run = Run()
    run.figures.broker = .disconnected
    run.figures.brokerDetail = "Connection refused"
    _ = run.second()
    run.figures.isDiskFull = true
    run.figures.storageProblem = "No space left on device"
    let turn = run.second()
    #expect(
      turn.notices.contains {
        if case .status(let line) = $0 {
          line.hasPrefix(
            "disk full, nothing is acknowledged; no connection to the broker (Connection refused)")
        } else {
          false
        }
      })
  }
}
