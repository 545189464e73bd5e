import TestSupport
import Testing

@testable import Gateway

@Suite struct PipelineProgressTests {
  private static let second: Int64 = 1_000_000

  /// A gateway that has run for an hour and moves.
  private func moving(turns: UInt64 = 2) -> PipelineState {
    var state = PipelineState(now: 3_600 * Self.second)
    state.turns = turns
    state.lastCommit = state.now - 30 * Self.second
    return state
  }

  /// A judge that has seen the turn before.
  private func look(at state: PipelineState) -> PipelineProgress.Standstill? {
    var progress = PipelineProgress()
    _ = progress.look(at: moving(turns: 1))
    return progress.look(at: state)
  }

  @Test("The first look finds no thread to stand still, the second one does without a turn between")
  func turns() {
    var progress = PipelineProgress()
    #expect(progress.look(at: moving(turns: 7)) == nil)
    #expect(progress.look(at: moving(turns: 7)) == .ingestThread)
    #expect(progress.look(at: moving(turns: 8)) == nil)
  }

  @Test("An idle gateway moves: it turns, and commits a record a minute")
  func idle() {
    var state = moving()
    state.lastCommit = state.now - 60 * Self.second
    #expect(look(at: state) == nil)
  }

  @Test("A batch may wait as long as the longest commit delay, not twice as long")
  func batch() {
    var state = moving()
    state.batchStarted = state.now - 10 * Self.second
    #expect(look(at: state) == nil)
    state.batchStarted = state.now - 20 * Self.second
    #expect(look(at: state) == nil)
    state.batchStarted = state.now - 21 * Self.second
    #expect(look(at: state) == .batch(seconds: 21))
  }

  @Test("A loop that turns without ever committing stands still")
  func commits() {
    var state = moving()
    state.lastCommit = state.now - 91 * Self.second
    #expect(look(at: state) == .commits(seconds: 91))
  }

  @Test("A job stands still when it makes no step for ten minutes, however long it runs")
  func job() {
    var state = moving()
    state.job = PipelineState.Job(name: "compaction", lastStep: state.now - 600 * Self.second)
    #expect(look(at: state) == nil)
    state.job?.lastStep -= Self.second
    #expect(look(at: state) == .job(name: "compaction", seconds: 601))
  }

  @Test(
    "A storage problem that is known excuses batch, commits and jobs, but not a thread that hangs")
  func storageProblem() {
    var state = moving()
    state.storageProblem = "No space left on device"
    state.batchStarted = state.now - 1_000 * Self.second
    state.lastCommit = state.now - 1_000 * Self.second
    state.job = PipelineState.Job(name: "checkpoint", lastStep: 0)
    #expect(look(at: state) == nil)
    state.turns = 1
    #expect(look(at: state) == .ingestThread)
  }

  @Test("A running gateway turns by itself and tells when it committed last")
  func running() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    let turns = rig.gateway.pipeline.turns
    #expect(await eventually { rig.gateway.pipeline.turns > turns })
    #expect(await eventually { rig.gateway.pipeline.lastCommit != nil })
    #expect(rig.gateway.pipeline.now >= rig.gateway.pipeline.lastCommit ?? .max)
    await rig.stop()
  }
}
