import Logging
import MQTT
import Payloads
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized) struct PrimaryHostTests {
  private static let topic = "spBv1.0/STATE/scada"

  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func settings(_ broker: TestBroker) -> MQTTSettings {
    var settings = MQTTSettings()
    settings.port = Int32(broker.port)
    settings.clientID = "millwright-test"
    return settings
  }

  @Test(
    "A host whose connection breaks is told offline by its Will, with the timestamp of its birth")
  func will() async throws {
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let ear = try BrokerEar(broker, ["spBv1.0/STATE/#", "ear/mark"])
    #expect(await ear.catchUp())
    do {
      let session = try PrimaryHostSession(
        settings: settings(broker), presence: SparkplugHostPresence(id: "scada"),
        clock: .system(), logger: logger)
      try session.connect()
      let wake = EventDescriptor()
      while session.isOpen, ear.heard(on: Self.topic).isEmpty {
        session.turn(waiting: wake.descriptor)
      }
      #expect(session.presence.isOnline)
      // Its client goes here: the socket is closed without a goodbye.
    }
    #expect(await eventually { ear.heard(on: Self.topic).count == 2 })
    let heard = ear.heard(on: Self.topic)
    #expect(heard.map(\.isOnline) == [true, false])
    #expect(heard[0].timestamp != nil && heard[0].timestamp == heard[1].timestamp)
    let late = try BrokerEar(broker, [Self.topic], id: "late")
    #expect(await eventually { late.heard.count == 1 })
    #expect(late.heard == [heard[1]])
  }

  @Test("Told offline by another, the gateway says online again; it leaves with a death of its own")
  func foreignDeath() async throws {
    let rig = try GatewayRig { $0.sparkplugHost = "scada" }
    try rig.start()
    try rig.gateway.startPublishing()
    let ear = try BrokerEar(rig.broker!, ["spBv1.0/STATE/#", "ear/mark"])
    #expect(await eventually { ear.heard(on: Self.topic).last?.isOnline == true })
    let birth = try #require(ear.heard(on: Self.topic).last)
    ear.publish(Self.topic, #"{"online":false,"timestamp":7}"#, isRetained: true)
    #expect(
      await eventually { ear.heard(on: Self.topic).suffix(2).map(\.isOnline) == [false, true] })
    #expect(ear.heard(on: Self.topic).last == birth)
    await rig.stop()
    #expect(await eventually { ear.heard(on: Self.topic).last?.isOnline == false })
    let death = try #require(ear.heard(on: Self.topic).last?.timestamp)
    #expect(try death > #require(birth.timestamp))
    // A goodbye withholds the Will: nothing follows the death.
    #expect(await ear.catchUp())
    #expect(ear.heard(on: Self.topic).last?.timestamp == death)
  }

  @Test("After the broker was away there is a new Will and a birth with a later timestamp")
  func brokerRestart() async throws {
    let rig = try GatewayRig { $0.sparkplugHost = "scada" }
    try rig.start()
    try rig.gateway.startPublishing()
    let first = try BrokerEar(rig.broker!, [Self.topic], id: "first")
    #expect(await eventually { first.heard.last?.isOnline == true })
    let born = try #require(first.heard.last?.timestamp)
    rig.broker?.stop()
    try rig.broker?.start()
    #expect(
      await eventually {
        guard let last = first.heard.last, let timestamp = last.timestamp else { return false }
        return last.isOnline == true && timestamp > born
      })
    await rig.stop()
  }

  @Test(
    "A host that cannot take what nodes send goes offline, and comes back with a later timestamp")
  func hearing() async throws {
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let ear = try BrokerEar(broker, [Self.topic, "ear/mark"])
    #expect(await ear.catchUp())
    let isHearing = Hearing()
    let host = PrimaryHost(
      settings: settings(broker), id: "scada", clock: .system(), logger: logger,
      isHearing: { isHearing.value })
    host.start()
    #expect(await eventually { host.isOnline && ear.heard(on: Self.topic).count == 1 })
    isHearing.value = false
    #expect(await eventually { !host.isOnline && ear.heard(on: Self.topic).count == 2 })
    isHearing.value = true
    #expect(await eventually { host.isOnline && ear.heard(on: Self.topic).count == 3 })
    let heard = ear.heard(on: Self.topic)
    #expect(heard.map(\.isOnline) == [true, false, true])
    let times = heard.compactMap(\.timestamp)
    #expect(times.count == 3 && times == times.sorted() && times[2] > times[1])
    await withCheckedContinuation { done in
      host.stop()
      done.resume()
    }
  }

  @Test("Without the option no STATE is published")
  func off() async throws {
    let rig = try GatewayRig()
    let ear = try BrokerEar(rig.broker!, ["spBv1.0/#", "millwright/#", "ear/mark"])
    #expect(await ear.catchUp())
    try rig.start()
    try rig.gateway.startPublishing()
    #expect(await rig.waitUntilConnected())
    #expect(await eventually { !ear.heard(on: "millwright/test/status").isEmpty })
    await rig.stop()
    #expect(await ear.catchUp())
    #expect(ear.heard.allSatisfy { !$0.topic.hasPrefix("spBv1.0/") })
  }

  private final class Hearing: Sendable {
    private let state = Mutex(true)
    var value: Bool {
      get { state.withLock { $0 } }
      set { state.withLock { $0 = newValue } }
    }
  }
}
