import Storage
import Telemetry
import Testing

@testable import Gateway

@Suite("What each lane owes")
struct OutboxTests {
  private static let now = DeliveryMoment(
    monotonicMicroseconds: 0, wall: Timestamp(microseconds: 1_700_000_000_000_000))

  private func outbox(_ cursors: [String: Int64] = [:]) -> Outbox {
    Outbox(
      settings: .init(root: "r/", ageMaxMicroseconds: 86_400_000_000, seed: 1), cursors: cursors)
  }

  private func row(_ id: Int64, _ effects: String...) -> EffectRow {
    EffectRow(
      id: id, eventID: "mw:\(id).0", time: Self.now.wall,
      properties: #"{"effects":[\#(effects.joined(separator: ","))]}"#)
  }

  private let note = #"{"kind":"mqtt","topic":"note","payload":"x"}"#
  private func hook(_ host: String) -> String { #"{"kind":"webhook","url":"https://\#(host)/"}"# }

  private func sent(_ outbox: inout Outbox, _ lane: EffectLane) -> [String] {
    var ids: [String] = []
    while case .send(let delivery) = outbox.next(in: lane, at: Self.now) { ids.append(delivery.id) }
    return ids
  }

  @Test("Ids name the event and the place of the effect in it")
  func ids() {
    var outbox = outbox()
    outbox.setBroker(isThere: true)
    outbox.take([row(5, note, hook("a"), note)], at: Self.now)
    #expect(sent(&outbox, .mqtt) == ["mw:5.0#0", "mw:5.0#2"])
    #expect(sent(&outbox, .webhook("a")) == ["mw:5.0#1"])
  }

  @Test("A lane that is stuck holds back its own cursor and no other lane")
  func cursors() {
    var outbox = outbox()
    outbox.setBroker(isThere: true)
    outbox.take([row(5, note), row(6, hook("a")), row(7, note, hook("b"))], at: Self.now)
    #expect(outbox.cursors == ["effects": 4, "effects.webhook:a": 5, "effects.webhook:b": 6])
    _ = sent(&outbox, .mqtt)
    _ = sent(&outbox, .webhook("b"))
    _ = outbox.finished(.mqtt, .init(row: 7, place: 0), .delivered(), at: Self.now)
    #expect(outbox.cursors["effects"] == 4, "row 5 is not answered yet")
    _ = outbox.finished(.mqtt, .init(row: 5, place: 0), .delivered(), at: Self.now)
    _ = outbox.finished(.webhook("b"), .init(row: 7, place: 1), .delivered(), at: Self.now)
    #expect(outbox.cursors == ["effects": 5, "effects.mqtt": 7, "effects.webhook:b": 7])
    _ = sent(&outbox, .webhook("a"))
    _ = outbox.finished(.webhook("a"), .init(row: 6, place: 0), .failed("down"), at: Self.now)
    #expect(
      outbox.cursors["effects.since.webhook:a"] == Self.now.wall.microseconds)
  }

  @Test(
    "A restart sends again what stands behind the cursors, under the same ids, and nothing else")
  func restart() {
    let cursors: [String: Int64] = ["effects": 5, "effects.mqtt": 7]
    var outbox = outbox(cursors)
    outbox.setBroker(isThere: true)
    #expect(outbox.cursors == cursors)
    outbox.take(
      [row(4, note), row(6, hook("a"), note), row(7, note), row(8, note)], at: Self.now)
    #expect(sent(&outbox, .mqtt) == ["mw:8.0#0"])
    #expect(sent(&outbox, .webhook("a")) == ["mw:6.0#0"])
  }

  @Test("After a restart the age goes on to count from the first failure")
  func age() {
    let hour: Int64 = 3_600_000_000
    let since = Self.now.wall.microseconds - 24 * hour - 1
    var outbox = outbox(["effects": 5, "effects.since.webhook:a": since])
    var old = row(6, hook("a"))
    old.time = .epoch
    outbox.take([old, row(7, hook("a"))], at: Self.now)
    _ = sent(&outbox, .webhook("a"))
    let dropped = outbox.finished(
      .webhook("a"), .init(row: 6, place: 0), .failed("down"), at: Self.now)
    #expect(dropped.map(\.delivery.key.row) == [6], "the other one is new")
    #expect(outbox.takeLosses().count == 1)
  }

  @Test("The time of an event from long ago does not make its first failure the last")
  func lateEvent() {
    var outbox = outbox()
    var old = row(6, hook("a"))
    old.time = .epoch
    outbox.take([old], at: Self.now)
    _ = sent(&outbox, .webhook("a"))
    let dropped = outbox.finished(
      .webhook("a"), .init(row: 6, place: 0), .failed("down"), at: Self.now)
    #expect(dropped.isEmpty)
  }

  @Test("What does not fit into memory is read again, in order and once, however full a lane is")
  func overflow() {
    var outbox = outbox()
    let rows = (1...5_000 as ClosedRange<Int64>).map { row($0, hook("a"), hook("b"), hook("a")) }
    outbox.take(rows, at: Self.now)
    #expect(outbox.figures.lanes.map(\.figures.waiting) == [10_000, 5_000])
    var order: [EffectDelivery.Key] = []
    while let first = outbox.next(in: .webhook("a"), at: Self.now).delivery {
      order.append(first.key)
      _ = outbox.finished(.webhook("a"), first.key, .delivered(), at: Self.now)
      #expect(outbox.cursors["effects"] ?? 0 < first.key.row + 1)
      for (lane, after) in outbox.refills where lane == .webhook("a") {
        let page = Array(rows.filter { $0.id > after }.prefix(100))
        outbox.refill(lane, page, isEnd: page.count < 100, at: Self.now)
      }
    }
    #expect(order.count == 10_000)
    #expect(order == order.sorted() && Set(order).count == 10_000)
    #expect(outbox.figures.lanes.map(\.figures.waiting) == [0, 5_000])
    #expect(outbox.cursors["effects.webhook:a"] == 5_000)
  }

  @Test("Of the states that a long outage leaves, also on disk, only the newest are sent")
  func statesOnDisk() {
    var outbox = outbox()
    func state(_ id: Int64) -> String {
      #"{"kind":"mqtt","topic":"s\#(id % 3)","payload":"\#(id)","retain":true}"#
    }
    // Notes fill the memory; states come between them.
    let rows = (1...30_000 as ClosedRange<Int64>).map { row($0, $0 % 10 == 0 ? state($0) : note) }
    outbox.take(rows, at: Self.now)
    outbox.setBroker(isThere: true)
    var states: [Int64] = []
    var notes = 0
    while let delivery = outbox.next(in: .mqtt, at: Self.now).delivery {
      if delivery.stateTopic != nil { states.append(delivery.key.row) } else { notes += 1 }
      _ = outbox.finished(.mqtt, delivery.key, .delivered(), at: Self.now)
      for (lane, after) in outbox.refills {
        let page = Array(rows[Int(after)..<min(rows.count, Int(after) + 500)])
        outbox.refill(lane, page, isEnd: page.count < 500, at: Self.now)
      }
    }
    #expect(notes == 27_000)
    #expect(states == [29_980, 29_990, 30_000])
    #expect(outbox.figures.lanes[0].figures.superseded == 2_997)
  }

  @Test("Effects that nobody can read are booked with the reason and hold up nothing")
  func unreadable() {
    var outbox = outbox()
    outbox.setBroker(isThere: true)
    var broken = row(6)
    broken.properties = "{}"
    outbox.take([row(5, #"{"kind":"fax"}"#, note), broken], at: Self.now)
    #expect(sent(&outbox, .mqtt) == ["mw:5.0#1"])
    let lane = EffectLane.unreadable
    for row in [5, 6] as [Int64] {
      guard case .send(let delivery) = outbox.next(in: lane, at: Self.now) else {
        return #expect(Bool(false))
      }
      _ = outbox.finished(
        lane, .init(row: row, place: 0), .refused(delivery.problem), at: Self.now)
    }
    let entries = EffectLoss.entries(outbox.takeLosses())
    #expect(entries.map(\.cause) == [.undelivered, .undelivered])
    #expect(entries[0].detail.contains("mw:5.0#0: the kind `fax` is none of"))
    #expect(entries[1].detail.contains("its property `effects` is no list"))
  }
}

extension DeliverySchedule.Step {
  fileprivate var delivery: EffectDelivery? {
    if case .send(let delivery) = self { delivery } else { nil }
  }
}
