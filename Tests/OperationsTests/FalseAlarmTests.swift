import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct FalseAlarmTests {
  /// Ten signals for six weeks, a sample each five minutes: noise, noise on two products, noise on shifts.
  @Test("A machine of ten noisy signals without faults raises less than one anomaly a week")
  func plant() {
    var world = DetectionWorld(seed: 61)
    for series in 0..<10 { world.define(UInt32(series)) }
    for step in 0..<42 * 288 {
      world.wait(300)
      let (day, hour) = (step / 288, step % 288 / 12)
      let isWorking = day % 7 < 5 && hour >= 6 && hour < 22
      for series in 0..<10 {
        let noise = world.signal.noise()
        let level: Double
        switch series % 3 {
        case 0: level = 50
        case 1: level = (step / 40).isMultiple(of: 2) ? 40 : 80
        default: level = isWorking ? 70 : 5
        }
        world.send(level + noise, UInt32(series))
      }
    }
    let started = world.anomalies.filter { $0.phase == .started }
    #expect(started.count < 6)
    #expect(
      started.allSatisfy {
        $0.started > Timestamp(microseconds: 1_767_571_200_000_000 + 604_800_000_000)
      })
  }
}
