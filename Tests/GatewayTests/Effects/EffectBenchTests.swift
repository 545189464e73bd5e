import Foundation
import MQTT
import Storage
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Gateway

private let benchRate = ProcessInfo.processInfo.environment["MILLWRIGHT_EFFECT_BENCH"].flatMap {
  Int($0)
}

/// How long an event takes to the broker; run with `MILLWRIGHT_EFFECT_BENCH=<events a second>`.
@Suite("Latency of messages", .serialized, .enabled(if: benchRate != nil))
struct EffectBenchTests {
  private final class Arrivals: Sendable {
    let delays = Mutex<[Int64]>([])
    /// Events that the gateway was too busy to take.
    let refusals = Mutex(0)
  }

  @Test("From the request of an event until a subscriber has its message")
  func latency() async throws {
    let rate = try #require(benchRate)
    let seconds = 10
    let rig = try GatewayRig()
    try rig.start()
    try rig.gateway.startPublishing()
    let clock = ClockSource.system()
    let arrivals = Arrivals()
    var settings = MQTTSettings()
    settings.port = Int32(rig.broker!.port)
    let ear = try Publisher(
      settings: settings, clientID: "ear", status: nil, filters: ["millwright/test/bench"]
    ) { event in
      guard case .received(_, let payload) = event,
        let sent = Int64(String(decoding: payload, as: UTF8.self))
      else { return }
      let delay = clock.readMonotonicMicroseconds() - sent
      arrivals.delays.withLock { $0.append(delay) }
    }
    try ear.start()
    #expect(await eventually { ear.isConnected && rig.gateway.isPublisherConnected })
    try await Task.sleep(for: .milliseconds(300))
    let started = clock.readMonotonicMicroseconds()
    let gateway = rig.gateway!
    let total = rate * seconds
    // Every half millisecond what is due by then, each an event of its own.
    await withTaskGroup(of: Void.self) { group in
      var made = 0
      while made < total {
        let now = clock.readMonotonicMicroseconds()
        let due = min(total, Int(now - started) * rate / 1_000_000)
        for _ in made..<max(made, due) {
          group.addTask {
            let sent = clock.readMonotonicMicroseconds()
            let command = OperatorCommand(
              name: Stages.effectCommand, target: "", principal: "bench",
              body: #"{"kind":"mqtt","topic":"bench","payload":"\#(sent)"}"#)
            do {
              _ = try await gateway.submit(Submission(.command(.stage(command))))
            } catch {
              arrivals.refusals.withLock { $0 += 1 }
            }
          }
        }
        made = max(made, due)
        usleep(500)
      }
    }
    _ = await eventually {
      arrivals.delays.withLock { $0.count } >= total - arrivals.refusals.withLock { $0 }
    }
    let delays = arrivals.delays.withLock { $0.sorted() }
    func share(_ part: Double) -> Double {
      delays.isEmpty
        ? 0 : Double(delays[min(delays.count - 1, Int(Double(delays.count) * part))]) / 1e3
    }
    print(
      "\(delays.count) of \(total) messages at \(rate)/s, ms: p50 \(share(0.5)), p90 \(share(0.9)), "
        + "p99 \(share(0.99)), max \(share(1))")
    print(
      "\(arrivals.refusals.withLock { $0 }) refused, commit window: \(gateway.configuration.batch.commitDelayMilliseconds) ms"
    )
    ear.stop(lastWords: nil)
    await rig.stop()
  }
}
