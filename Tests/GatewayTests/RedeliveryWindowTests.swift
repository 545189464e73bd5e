import Telemetry
import Testing

@testable import Gateway

@Suite struct RedeliveryWindowTests {
  private func window(_ entries: [(UInt16, UInt64)], receiveMaximum: UInt16 = 4) -> RedeliveryWindow
  {
    var window = RedeliveryWindow(receiveMaximum: receiveMaximum)
    for (id, fingerprint) in entries { window.observe(packetID: id, fingerprint: fingerprint) }
    return window
  }

  private func asks(_ window: inout RedeliveryWindow, _ id: UInt16, _ fingerprint: UInt64) -> Bool {
    window.isRedelivery(packetID: id, fingerprint: fingerprint)
  }

  @Test("Only after a reconnect with the session present is a delivery a redelivery")
  func needsSession() {
    var fresh = window([(1, 10), (2, 20)])
    #expect(asks(&fresh, 1, 10) == false)
    fresh.connected(sessionPresent: true)
    #expect(asks(&fresh, 1, 10) == true)
    var lost = window([(1, 10)])
    lost.connected(sessionPresent: false)
    #expect(asks(&lost, 1, 10) == false)
    #expect(lost.ordered.isEmpty)
  }

  @Test("An entry dies when it is matched, and when its id comes with something else")
  func entriesDie() {
    var window = window([(1, 10), (2, 20)])
    window.connected(sessionPresent: true)
    #expect(asks(&window, 1, 10) == true)
    #expect(asks(&window, 1, 10) == false)
    #expect(asks(&window, 2, 21) == false)
    #expect(asks(&window, 2, 20) == false)
  }

  @Test(
    "Once as many deliveries in a row as may be in flight match none, nothing is a redelivery any more"
  )
  func strangers() {
    var window = window([(1, 10), (2, 20), (3, 30), (4, 40)])
    window.connected(sessionPresent: true)
    for id in 100..<103 as Range<UInt16> { #expect(!asks(&window, id, 0)) }
    // What is no redelivery may stand between those that are.
    #expect(asks(&window, 1, 10))
    for id in 103..<106 as Range<UInt16> { #expect(!asks(&window, id, 0)) }
    #expect(asks(&window, 2, 20))
    for id in 106..<110 as Range<UInt16> { #expect(!asks(&window, id, 0)) }
    #expect(!window.isActive)
    #expect(!asks(&window, 3, 30))
  }

  @Test("A broker with far more in flight than it was allowed is recognised as often as it repeats")
  func overshoot() {
    let ids = (5...16_004).map { UInt16($0) }
    var window = window(ids.map { ($0, 7) }, receiveMaximum: 1_000)
    for _ in 0..<3 {
      window.connected(sessionPresent: true)
      #expect(ids.allSatisfy { asks(&window, $0, 7) })
    }
  }

  @Test("Equal values under ids that begin at 1 with each connection are new")
  func idsBeginAnew() {
    let ids = (1...15_000).map { UInt16($0) }
    var window = window(ids.map { ($0, 7) }, receiveMaximum: 1_000)
    window.connected(sessionPresent: true)
    #expect(ids.allSatisfy { !asks(&window, $0, 7) })
  }

  @Test("An id that comes with something else ends the trust in what lies far back")
  func contradiction() {
    var window = window((5..<1_005).map { (UInt16($0), 7) }, receiveMaximum: 100)
    window.connected(sessionPresent: true)
    #expect(asks(&window, 5, 7) && asks(&window, 6, 7))
    #expect(!asks(&window, 7, 8))
    #expect(!asks(&window, 8, 7))
    // Of the last hundred each still counts.
    #expect(asks(&window, 904 + 1, 7) && asks(&window, 1_004, 7))
  }

  @Test("The window closes before packet ids come round, whatever the deliveries were")
  func round() {
    var window = window([(1, 10), (65_535, 7)], receiveMaximum: 1_000)
    window.connected(sessionPresent: true)
    for id in 2...UInt16(45_537) { window.passed(packetID: id) }
    #expect(!window.isActive)
  }

  @Test(
    "What is remembered is what may be in flight, or twenty times that within a round of packet ids"
  )
  func capacity() {
    #expect(RedeliveryWindow(receiveMaximum: 0).capacity == 20)
    #expect(RedeliveryWindow(receiveMaximum: 100).capacity == 2_000)
    #expect(RedeliveryWindow(receiveMaximum: 5_000).capacity == 20_000)
    #expect(RedeliveryWindow(receiveMaximum: .max).capacity == 65_535)
  }

  @Test("The newest use of a packet id counts, and only the newest deliveries are kept")
  func newestCounts() {
    let older = (0..<19).map { (UInt16(100 + $0), UInt64($0)) }
    var window = window(older + [(1, 10), (2, 20), (1, 11)], receiveMaximum: 1)
    #expect(window.ordered.map(\.packetID) == (102..<119) + [1, 2, 1])
    window.connected(sessionPresent: true)
    #expect(asks(&window, 1, 11))
  }

  @Test("The saved state gives the same window back")
  func savedState() {
    let window = window((0..<25).map { (UInt16($0), UInt64($0)) }, receiveMaximum: 1)
    var restored = RedeliveryWindow(receiveMaximum: 1)
    restored.restore(window.encoded)
    #expect(restored.ordered == window.ordered)
  }

  @Test("The fingerprint leaves out what we stamped and keeps what the payload said")
  func fingerprint() {
    func batch(time: Int64, stamped: Bool, bits: UInt64, series: UInt32 = 1) -> UInt64 {
      var batch = Batch()
      batch.samples.append(
        Sample(
          series: series, time: Timestamp(microseconds: time), bits: bits, isReceiveStamped: stamped
        ))
      return batch.fingerprint(samples: 0..<1, items: 0..<0)
    }
    #expect(batch(time: 1, stamped: true, bits: 5) == batch(time: 2, stamped: true, bits: 5))
    #expect(batch(time: 1, stamped: false, bits: 5) != batch(time: 2, stamped: false, bits: 5))
    #expect(batch(time: 1, stamped: true, bits: 5) != batch(time: 1, stamped: true, bits: 6))
    #expect(
      batch(time: 1, stamped: true, bits: 5) != batch(time: 1, stamped: true, bits: 5, series: 2))
  }
}
