import Telemetry
import Testing

@testable import Gateway

/// A schedule driven by hand.
final class ScheduleRig {
  var schedule: DeliverySchedule
  var now = DeliveryMoment(
    monotonicMicroseconds: 0, wall: Timestamp(microseconds: 1_700_000_000_000_000))

  init(isOpen: Bool = true, change: (inout DeliverySchedule.Limits) -> Void = { _ in }) {
    var limits = DeliverySchedule.Limits()
    change(&limits)
    schedule = DeliverySchedule(limits: limits, isOpen: isOpen, seed: 7)
  }

  func advance(seconds: Double) {
    now.monotonicMicroseconds += Int64(seconds * 1e6)
    now.wall = now.wall.advanced(byMicroseconds: Int64(seconds * 1e6))
  }

  func delivery(_ row: Int64, topic: String? = nil, expiresIn seconds: Int64? = nil)
    -> EffectDelivery
  {
    var effect = #"{"kind":"log","text":"\#(row)"}"#
    if let topic {
      let expires = seconds.map {
        #","expires":"\#(now.wall.advanced(byMicroseconds: $0 * 1_000_000).rfc3339)""#
      }
      let state = topic.hasPrefix("state")
      effect =
        #"{"kind":"mqtt","topic":"\#(topic)","payload":"","state":\#(state)\#(expires ?? "")}"#
    }
    return EffectDelivery(
      key: .init(row: row, place: 0), eventID: "mw:\(row)",
      // Written above.
      effect: try! Effect(JSONReader.read(Array(effect.utf8)), root: ""), born: now.wall)
  }

  func offer(_ row: Int64, topic: String? = nil, expiresIn: Int64? = nil) -> Bool {
    schedule.offer(delivery(row, topic: topic, expiresIn: expiresIn))
  }

  /// The row that is sent now; nil: nothing is.
  func sent() -> Int64? {
    if case .send(let delivery) = schedule.next(at: now) { delivery.key.row } else { nil }
  }

  func step() -> String {
    switch schedule.next(at: now) {
    case .send(let delivery): return "send \(delivery.key.row)"
    case .drop(let dropped): return "drop \(dropped.delivery.key.row) \(dropped.reason)"
    case .wait(let until):
      return until.map { "wait \(($0 - now.monotonicMicroseconds) / 1_000_000) s" } ?? "wait"
    }
  }

  func finish(_ row: Int64, _ outcome: DeliveryOutcome) -> [Int64] {
    schedule.finished(.init(row: row, place: 0), outcome, at: now).map(\.delivery.key.row)
  }
}

@Suite("The order and pace of a lane")
struct DeliveryScheduleTests {
  @Test("One at a time, in order, and the next only after the answer")
  func order() {
    let rig = ScheduleRig()
    for row in 1...3 as ClosedRange<Int64> { #expect(rig.offer(row)) }
    #expect(rig.sent() == 1)
    #expect(rig.step() == "wait")
    #expect(rig.finish(1, .delivered()) == [])
    #expect(rig.sent() == 2)
    #expect(rig.finish(2, .refused("no")) == [2])
    #expect(rig.sent() == 3)
    #expect(rig.schedule.first?.key.row == 3)
    #expect(rig.finish(3, .delivered()) == [])
    #expect(rig.schedule.first == nil)
  }

  @Test("A failure holds up the lane, between half of and the whole of 2, 4, 8 … 300 s")
  func backoff() {
    let rig = ScheduleRig()
    _ = rig.offer(1)
    _ = rig.offer(2)
    for ceiling in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] as [Double] {
      #expect(rig.sent() == 1)
      #expect(rig.finish(1, .failed("down")) == [])
      rig.advance(seconds: ceiling / 2 - 0.001)
      #expect(rig.sent() == nil, "before \(ceiling / 2) s")
      rig.advance(seconds: ceiling / 2 + 0.001)
    }
    #expect(rig.sent() == 1)
    #expect(rig.finish(1, .delivered()) == [])
    #expect(rig.sent() == 2)
    _ = rig.finish(2, .failed("down"))
    rig.advance(seconds: 2)
    #expect(rig.sent() == 2, "a success begins the waiting times anew")
  }

  @Test("Lanes of other seeds wait otherwise, the same seed waits the same")
  func jitter() {
    func wait(_ seed: UInt64) -> Int64? {
      let rig = ScheduleRig()
      rig.schedule = DeliverySchedule(limits: .init(), seed: seed)
      _ = rig.offer(1)
      _ = rig.sent()
      _ = rig.finish(1, .failed("down"))
      if case .wait(let until) = rig.schedule.next(at: rig.now) { return until }
      return nil
    }
    #expect(wait(1) == wait(1))
    #expect(wait(1) != wait(2))
  }

  @Test("A server that says when to come back is believed, up to an hour")
  func retryAfter() {
    let rig = ScheduleRig()
    _ = rig.offer(1)
    _ = rig.sent()
    _ = rig.finish(1, .failed("busy", retryAfterSeconds: 120))
    #expect(rig.step() == "wait 120 s")
    rig.advance(seconds: 120)
    #expect(rig.sent() == 1)
    _ = rig.finish(1, .failed("busy", retryAfterSeconds: 1_000_000))
    #expect(rig.step() == "wait 3600 s")
  }

  @Test("After the age everything that has waited so long is given up with one failure")
  func givenUp() {
    let rig = ScheduleRig { $0.ageMaxMicroseconds = 3_600_000_000 }
    _ = rig.offer(1)
    _ = rig.offer(2)
    _ = rig.sent()
    #expect(rig.finish(1, .failed("down")) == [])
    let since = rig.schedule.failingSince
    #expect(since == rig.now.wall)
    rig.advance(seconds: 1_800)
    _ = rig.offer(3)
    #expect(rig.sent() == 1)
    #expect(rig.finish(1, .failed("down")) == [])
    #expect(rig.schedule.failingSince == since, "since the first failure")
    rig.advance(seconds: 1_801)
    #expect(rig.sent() == 1)
    #expect(rig.finish(1, .failed("down")) == [1, 2])
    rig.advance(seconds: 300)
    #expect(rig.sent() == 3)
    #expect(rig.finish(3, .delivered()) == [])
    #expect(rig.schedule.failingSince == nil)
  }

  @Test(
    "Behind a closed lane only the newest state of each topic stays, everything else stays whole")
  func catchUp() {
    let rig = ScheduleRig(isOpen: false) { $0.inFlightMax = 10 }
    for (row, topic) in [
      (1, "state/a"), (2, "note"), (3, "state/b"), (4, "state/a"), (5, "note"), (6, "state/a"),
    ] as [(Int64, String)] { #expect(rig.offer(row, topic: topic)) }
    #expect(rig.step() == "wait")
    rig.schedule.setOpen(true)
    #expect(rig.step() == "drop 1 superseded")
    #expect(
      (0..<5).map { _ in rig.step() } == [
        "send 2", "send 3", "drop 4 superseded", "send 5", "send 6",
      ])
    // While it is open, each state is told.
    _ = rig.offer(7, topic: "state/a")
    _ = rig.offer(8, topic: "state/a")
    #expect((0..<2).map { _ in rig.step() } == ["send 7", "send 8"])
  }

  @Test("What waited in an open lane becomes history when the lane closes")
  func closing() {
    let rig = ScheduleRig()
    for row in 1...3 as ClosedRange<Int64> { _ = rig.offer(row, topic: "state/a") }
    #expect(rig.sent() == 1)
    rig.schedule.setOpen(false)
    _ = rig.finish(1, .lost)
    rig.schedule.setOpen(true)
    #expect(
      (0..<3).map { _ in rig.step() } == [
        "drop 1 superseded", "drop 2 superseded", "send 3",
      ])
  }

  @Test("A message past its time is not sent")
  func expiry() {
    let rig = ScheduleRig(isOpen: false)
    _ = rig.offer(1, topic: "command", expiresIn: 5)
    _ = rig.offer(2, topic: "command", expiresIn: 50)
    rig.advance(seconds: 6)
    rig.schedule.setOpen(true)
    #expect((0..<2).map { _ in rig.step() } == ["drop 1 expired", "send 2"])
  }

  @Test("Several in flight may be answered in any order; the first unanswered counts")
  func window() {
    let rig = ScheduleRig { $0.inFlightMax = 3 }
    for row in 1...4 as ClosedRange<Int64> { _ = rig.offer(row) }
    #expect((0..<3).map { _ in rig.sent() } == [1, 2, 3])
    #expect(rig.sent() == nil)
    _ = rig.finish(2, .delivered())
    #expect(rig.schedule.first?.key.row == 1)
    #expect(rig.sent() == 4)
    _ = rig.finish(1, .lost)
    #expect(rig.sent() == 1, "what went with the connection goes before what is new")
    _ = rig.finish(1, .delivered())
    #expect(rig.schedule.first?.key.row == 3)
    #expect(rig.finish(9, .delivered()) == [], "an answer nobody waits for changes nothing")
  }

  @Test("A full lane refuses, and makes room by forgetting states that are history")
  func full() {
    let rig = ScheduleRig(isOpen: false) { $0.waitingMax = 16 }
    for row in 1...16 as ClosedRange<Int64> { #expect(rig.offer(row, topic: "state/a")) }
    #expect(rig.offer(17, topic: "state/a"))
    for row in 18...31 as ClosedRange<Int64> { #expect(rig.offer(row, topic: "note")) }
    #expect(!rig.offer(32, topic: "note"))
    #expect(rig.schedule.waitingCount == 16)
    let large = ScheduleRig { $0.waitingBytesMax = 400 }
    #expect(large.offer(1))
    #expect(large.offer(2))
    #expect(!large.offer(3))
  }
}
