import Synchronization
import Testing

@testable import MQTT

@Suite("Who waits for which acknowledgement")
struct MessageTrackerTests {
  private final class Fates: Sendable {
    let told = Mutex<[MessageFate]>([])
    var all: [MessageFate] { told.withLock { $0 } }
    func tell(_ fate: MessageFate) { told.withLock { $0.append(fate) } }
  }

  private let tracker = MessageTracker()
  private let fates = Fates()

  @Test("An acknowledgement that comes before the id is known is not missed")
  func early() {
    let losses = tracker.begin()
    tracker.acknowledged(7, .acknowledged)
    tracker.track(7, qos: 1, since: losses, fates.tell)
    #expect(fates.all == [.acknowledged])
  }

  @Test("An acknowledgement of a message nobody tracks is not taken for one of the next")
  func stranger() {
    tracker.acknowledged(7, .acknowledged)
    tracker.track(7, qos: 1, since: tracker.begin(), fates.tell)
    #expect(fates.all == [])
    tracker.acknowledged(7, .refused("no"))
    tracker.acknowledged(7, .acknowledged)
    #expect(fates.all == [.refused("no")])
  }

  @Test("With the connection goes what is at QoS 0, also when its id is only known afterwards")
  func lost() {
    tracker.track(1, qos: 0, since: tracker.begin(), fates.tell)
    tracker.track(2, qos: 1, since: tracker.begin(), fates.tell)
    let losses = tracker.begin()
    tracker.connectionLost()
    #expect(fates.all == [.lost])
    tracker.track(3, qos: 0, since: losses, fates.tell)
    #expect(fates.all == [.lost, .lost])
    tracker.acknowledged(2, .acknowledged)
    #expect(fates.all == [.lost, .lost, .acknowledged])
  }
}
