import Payloads
import Telemetry
import Testing

@Suite struct SparkplugHostPresenceTests {
  typealias Action = SparkplugHostPresence.Action

  private let start = Timestamp(microseconds: 1_700_000_000_000_000)

  private func later(_ milliseconds: Int64) -> Timestamp {
    start.advanced(byMicroseconds: milliseconds * 1_000)
  }

  private func receive(
    _ text: String, _ presence: inout SparkplugHostPresence, isRetained: Bool = false
  ) -> [Action] {
    Array(text.utf8).withUnsafeBytes { presence.received($0, isRetained: isRetained) }
  }

  private func online() -> SparkplugHostPresence {
    var presence = SparkplugHostPresence(id: "scada")
    _ = presence.willConnect(now: start)
    _ = presence.subscribed(isGranted: true)
    return presence
  }

  private static let birth = Action.publish(#"{"online":true,"timestamp":1700000000000}"#)

  @Test("host-topic-phid-birth-topic: the state stands on spBv1.0/STATE and the id")
  func topic() {
    #expect(SparkplugHostPresence(id: "scada").topic == "spBv1.0/STATE/scada")
    #expect(SparkplugTopic("spBv1.0/STATE/scada")?.kind == .hostState)
  }

  @Test("host-application-host-id: an id is one level without wildcards")
  func validIDs() {
    for id in ["scada", "Halle 2", "größe", "$x"] { #expect(SparkplugHostPresence.isValid(id: id)) }
    for id in ["", "a/b", "a+", "#", "a\n"] { #expect(!SparkplugHostPresence.isValid(id: id)) }
  }

  @Test("host-topic-phid-death-payload-timestamp-connect: the Will has the time of the connection")
  func will() {
    var presence = SparkplugHostPresence(id: "scada")
    #expect(presence.willConnect(now: start) == #"{"online":false,"timestamp":1700000000000}"#)
    #expect(!presence.isOnline)
  }

  @Test(
    "host-topic-phid-birth-sub-required: the birth follows the answer to the subscription, with the Will's time"
  )
  func birth() {
    var presence = SparkplugHostPresence(id: "scada")
    _ = presence.willConnect(now: start)
    // What stood there before, which may reach us before the answer and behind it, is not contradicted.
    #expect(receive(#"{"online":false,"timestamp":5}"#, &presence) == [])
    #expect(presence.subscribed(isGranted: true) == [Self.birth])
    #expect(receive(#"{"online":false,"timestamp":5}"#, &presence, isRetained: true) == [])
    #expect(presence.isOnline)
    #expect(presence.subscribed(isGranted: true) == [])
  }

  @Test("Where the subscription is refused nothing is published")
  func refused() {
    var presence = SparkplugHostPresence(id: "scada")
    _ = presence.willConnect(now: start)
    #expect(presence.subscribed(isGranted: false) == [.giveUp])
    presence.closed()
    #expect(presence.leave(now: later(1)) == [])
  }

  @Test(
    "hid-sparkplug-state-message-delivered: being told offline is contradicted each time, same timestamp"
  )
  func contradiction() {
    var presence = online()
    for timestamp in ["5", "1700000000000", "1900000000000"] {
      let told = #"{"online":false,"timestamp":\#(timestamp)}"#
      #expect(receive(told, &presence) == [Self.birth])
    }
  }

  @Test(
    "What no node can read is contradicted as well",
    arguments: ["", "OFFLINE", "{}", #"{"online":true}"#, #"{"online":1,"timestamp":2}"#])
  func unreadable(text: String) {
    var presence = online()
    #expect(receive(text, &presence) == [Self.birth])
  }

  @Test("Our own birth is no news; a namesake's is told once a connection and not answered")
  func namesake() {
    var presence = online()
    #expect(receive(#"{"online":true,"timestamp":1700000000000}"#, &presence) == [])
    let other = #"{"timestamp":1700000005000,"online":true}"#
    #expect(receive(other, &presence) == [.warnOfNamesake(timestamp: 1_700_000_005_000)])
    #expect(receive(other, &presence) == [])
  }

  @Test(
    "host-topic-phid-death-payload-timestamp-disconnect-clean: death with the time of leaving, then goodbye"
  )
  func leaving() {
    var presence = online()
    #expect(
      presence.leave(now: later(90_000)) == [
        .publish(#"{"online":false,"timestamp":1700000090000}"#), .disconnect,
      ])
    #expect(!presence.isOnline)
    // Our own death comes back: no longer contradicted.
    #expect(receive(#"{"online":false,"timestamp":1700000090000}"#, &presence) == [])
    #expect(presence.leave(now: later(90_001)) == [])
  }

  @Test("Before the birth there is nothing to take back")
  func leavingEarly() {
    var presence = SparkplugHostPresence(id: "scada")
    _ = presence.willConnect(now: start)
    #expect(presence.leave(now: later(1)) == [.disconnect])
  }

  @Test("Each connection has a later timestamp, also when the wall clock went back")
  func timestamps() {
    var presence = online()
    presence.closed()
    #expect(!presence.isOnline)
    #expect(presence.willConnect(now: later(7)) == #"{"online":false,"timestamp":1700000000007}"#)
    presence.closed()
    #expect(
      presence.willConnect(now: later(-60_000)) == #"{"online":false,"timestamp":1700000000008}"#)
    #expect(
      presence.subscribed(isGranted: true) == [
        .publish(#"{"online":true,"timestamp":1700000000008}"#)
      ])
    #expect(
      presence.leave(now: later(-59_000)) == [
        .publish(#"{"online":false,"timestamp":1700000000009}"#), .disconnect,
      ])
  }
}
