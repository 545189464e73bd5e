import Telemetry
import Testing

@testable import Gateway

@Suite struct RedeliveryWindowTests {
  private func window(_ entries: [(UInt16, UInt64)], capacity: Int = 4) -> RedeliveryWindow {
    var window = RedeliveryWindow(capacity: capacity)
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

  @Test("After as many deliveries as fit the window nothing is a redelivery any more")
  func deliveriesRunOut() {
    var window = window([(1, 10), (2, 20), (3, 30), (4, 40)], capacity: 4)
    window.connected(sessionPresent: true)
    for id in 100..<104 as Range<UInt16> { #expect(asks(&window, id, 0) == false) }
    #expect(asks(&window, 1, 10) == false)
    #expect(!window.isActive)
  }

  @Test("The newest use of a packet id counts, and only the newest deliveries are kept")
  func newestCounts() {
    var window = window([(1, 10), (2, 20), (1, 11), (3, 30), (4, 40)], capacity: 4)
    #expect(window.ordered.map(\.packetID) == [2, 1, 3, 4])
    window.connected(sessionPresent: true)
    #expect(asks(&window, 1, 11) == true)
  }

  @Test("The saved state gives the same window back")
  func savedState() {
    let window = window([(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)], capacity: 4)
    var restored = RedeliveryWindow(capacity: 4)
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
