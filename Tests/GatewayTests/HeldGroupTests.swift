import Storage
import Telemetry
import Testing

@testable import Gateway

@Suite("Groups of held payloads")
struct HeldGroupTests {
  static func row(
    _ id: Int64, _ topic: String, _ payload: String = #"{"t": 1}"#, device: String = "",
    cause: Quarantined.Cause = .unknownDevice, reason: String = "device `x` is not known",
    received: Int64? = nil, size: Int? = nil
  ) -> HeldPayload {
    let bytes = Array(payload.utf8)
    return HeldPayload(
      id: id,
      payload: Quarantined(
        cause: cause, topic: topic, device: device, reason: reason,
        received: Timestamp(microseconds: received ?? id), payload: bytes,
        payloadSize: size ?? bytes.count))
  }

  @Test("Levels that differ between the topics of a group become a plus")
  func pattern() throws {
    let rows = [
      Self.row(1, "plant/press1/state", device: "b"),
      Self.row(2, "plant/press2/state", device: "a"),
      Self.row(3, "plant/press2/state", #"{"t": 7}"#, device: "a"),
    ]
    let group = try #require(HeldGroup.groups(of: rows).first)
    #expect(group.topic == "plant/+/state")
    #expect(group.count == 3 && group.rows == [1, 2, 3])
    #expect(group.bytes == 24)
    #expect(group.devices == ["a", "b"])
    #expect(group.first.microseconds == 1 && group.last.microseconds == 3)
    #expect(group.example.id == 3)
    #expect(group.shape == "json {t: number}")
    #expect(HeldGroup.groups(of: Array(rows.prefix(1))).first?.topic == "plant/press1/state")
  }

  @Test("The id of a group stays while others join it and whatever their order")
  func stableID() {
    let rows = (1...9).map { Self.row($0, "plant/press\($0)/state", #"{"t": \#($0)}"#) }
    let whole = HeldGroup.groups(of: rows)
    #expect(whole.count == 1)
    #expect(whole.map(\.id) == HeldGroup.groups(of: [rows[4]]).map(\.id))
    #expect(whole.map(\.id) == HeldGroup.groups(of: rows.reversed()).map(\.id))
    #expect(whole.first.map { $0.id.utf8.count == 17 && $0.id.hasPrefix("g") } == true)
  }

  @Test("Another cause, reason, shape, root or number of levels is another group; newest first")
  func told() {
    let rows = [
      Self.row(1, "plant/a"), Self.row(2, "plant/a", cause: .malformed),
      Self.row(3, "plant/a", reason: "another"), Self.row(4, "plant/a", #"{"t": "1"}"#),
      Self.row(5, "home/a"), Self.row(6, "plant/a/b"), Self.row(7, ""),
    ]
    #expect(HeldGroup.groups(of: rows).map(\.rows) == [[7], [6], [5], [4], [3], [2], [1]])
  }

  @Test("Names, numbers and how many more there were do not make a reason another one")
  func reasons() {
    let reasons = [
      "t: `abc` of `press1` is no number (at byte 17)",
      "t: `x` of `press2` is no number (at byte 4) (and 3 more)",
    ]
    let rows = reasons.enumerated().map {
      Self.row(Int64($0.offset), "plant/a", cause: .partlyRefused, reason: $0.element)
    }
    let groups = HeldGroup.groups(of: rows)
    #expect(groups.count == 1)
    #expect(groups.first?.reason == reasons[1])
  }

  @Test("Cut payloads are counted, and the example is rather one that is whole")
  func cut() throws {
    let rows = [Self.row(1, "a/b"), Self.row(2, "a/c", size: 100_000)]
    let group = try #require(HeldGroup.groups(of: rows).first)
    #expect(group.cutCount == 1)
    #expect(group.example.id == 1)
    #expect(group.bytes == 100_008)
    #expect(group.advice.contains("quarantine_payload_max"))
  }

  @Test("Rows of one message belong together; the same message twice is two")
  func messages() {
    let one = [
      Self.row(1, "a", device: "x", received: 5), Self.row(2, "a", device: "y", received: 5),
      Self.row(3, "a", cause: .partlyRefused, received: 5),
    ]
    let two = [
      Self.row(4, "a", device: "x", received: 5), Self.row(5, "a", device: "y", received: 5),
    ]
    let earlier = Self.row(6, "a", device: "x", received: 4)
    let messages = HeldMessage.messages(of: one + two + [earlier])
    #expect(messages.map { $0.rows.map(\.id) } == [[6], [1, 2, 3], [4, 5]])
  }
}
