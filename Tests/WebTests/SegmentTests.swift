import Foundation
import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("Segment's calls over HTTP")
struct SegmentTests {
  static let track = """
    {"userId": "u1", "anonymousId": "a1", "messageId": "m1", "event": "Order Completed",
     "timestamp": "2026-11-21T08:00:00Z", "properties": {"total": 19.9},
     "context": {"device": {"id": "panel-3"}, "sessionId": 1795248000, "ip": "192.0.2.1"},
     "integrations": {"All": true}, "writeKey": "secret"}
    """

  @Test("A track call is stored once, with user, device and session, and a repeat is a duplicate")
  func trackCall() async throws {
    try await Bench.run { bench in
      let first = try await bench.post("/v1/track", Self.track)
      #expect(first.text == #"{"success":true,"accepted":1,"duplicates":0,"rejected":[]}"#)
      #expect(first.headers[.rejectedCount] == "0")
      let second = try await bench.post("/v1/track", Self.track)
      #expect(second.json["duplicates"]?.integer == 1)
      let row = try #require(
        try await CloudEventTests.rows(
          bench,
          "SELECT event_id, name, user, device, session, properties, context, time FROM event WHERE origin = 0"
        ).first)
      #expect(
        row.prefix(6).map(\.text) == [
          "m1", "OrderCompleted", "u1", "panel-3", "1795248000", #"{"total":19.9}"#,
        ])
      let context = try JSONValue.body(Array((row[6].text ?? "").utf8))
      #expect(context["ip"]?.text == "192.0.2.1")
      #expect(context["segment"]?["event"]?.text == "Order Completed")
      #expect(context["segment"]?["anonymousId"]?.text == "a1")
      #expect(row[6].text?.contains("secret") == false)
      #expect(row[7].integer == 1_795_248_000_000_000)
    }
  }

  @Test("Each call has its name and puts its members into the properties")
  func calls() async throws {
    try await Bench.run { bench in
      for (call, body, name, properties) in [
        ("identify", #""traits": {"plan": "pro"}"#, "Identify", #"{"plan":"pro"}"#),
        (
          "page", #""name": "Home", "properties": {"url": "/"}"#, "PageView",
          #"{"url":"/","name":"Home"}"#
        ),
        ("page", #""name": "Home", "properties": {"name": "H"}"#, "PageView", #"{"name":"H"}"#),
        (
          "screen", #""name": "Main", "category": "c"# + "\"", "ScreenView",
          #"{"name":"Main","category":"c"}"#
        ),
        ("group", #""groupId": "g", "traits": {"n": 1}"#, "Group", #"{"n":1,"group_id":"g"}"#),
        ("alias", #""previousId": "a1""#, "Alias", #"{"previous_id":"a1"}"#),
      ] {
        let answer = try await bench.post("/v1/\(call)", #"{"userId": "u", \#(body)}"#)
        #expect(answer.json["accepted"]?.integer == 1, "\(call): \(answer.text)")
        let rows = try await CloudEventTests.rows(
          bench, "SELECT name, properties FROM event ORDER BY id DESC LIMIT 1")
        #expect(rows.first?.map(\.text) == [name, properties])
      }
    }
  }

  @Test("A batch is answered with 200 also when calls are refused, and says which and why")
  func batch() async throws {
    try await Bench.run { bench in
      let large = String(repeating: "x", count: SegmentReader.eventBytesMax)
      let body = """
        {"context": {"library": {"name": "t"}}, "batch": [
          {"type": "track", "userId": "u", "event": "A", "messageId": "1"},
          {"type": "track", "userId": "u", "event": "A", "messageId": "1"},
          {"type": "track", "event": "A"}, {"type": "track", "userId": "u"},
          {"type": "dance", "userId": "u"}, {"userId": "u"}, 7,
          {"type": "page", "userId": "u", "properties": []},
          {"type": "group", "userId": "u"}, {"type": "alias", "userId": "u", "previousId": {}},
          {"type": "track", "userId": "u", "event": "A", "timestamp": "soon"},
          {"type": "track", "userId": "u", "event": "A", "properties": {"x": "\(large)"}}]}
        """
      let answer = try await bench.post("/v1/batch", body)
      #expect(answer.status == 200)
      #expect(answer.json["success"] == .bool(true))
      #expect(answer.json["accepted"]?.integer == 1)
      #expect(answer.json["duplicates"]?.integer == 1)
      let rejected = answer.json["rejected"]?.elements ?? []
      #expect(answer.headers[.rejectedCount] == "10")
      #expect(rejected.map { $0["index"]?.integer } == Array(2...11))
      #expect(
        rejected.map { $0["pointer"]?.text } == [
          "/batch/2/userId", "/batch/3/event", "/batch/4/type", "/batch/5/type", "/batch/6",
          "/batch/7/properties", "/batch/8/groupId", "/batch/9/previousId", "/batch/10/timestamp",
          "/batch/11",
        ])
      #expect(rejected.last?["code"]?.text == "too_large")
      let rows = try await CloudEventTests.rows(bench, "SELECT context FROM event WHERE origin = 0")
      #expect(rows.first?[0].text?.hasPrefix(#"{"library":{"name":"t"}"#) == true)
      let none = try await bench.post("/v1/track", #"{"event": "A"}"#)
      #expect(none.status == 200)
      #expect(none.json["rejected"]?.elements?.first?["pointer"]?.text == "/userId")
    }
  }

  @Test("The time is corrected by how far the sender's clock is off")
  func skew() throws {
    let now = try #require(Timestamp(rfc3339: "2026-11-21T08:00:30Z"))
    func time(_ members: String, sentAt: String? = nil) throws -> String {
      let value = try JSONValue.body(Array(#"{"userId": "u", "event": "A"\#(members)}"#.utf8))
      var reader = SegmentReader(now: now)
      reader.sentAt = sentAt.map(JSONValue.string)
      let event = try reader.read(value, call: .track)
      return event.time.rfc3339 + (event.timeIsReceived ? " received" : "")
    }
    let told = #", "timestamp": "2026-11-21T12:00:00Z""#
    let original = #", "originalTimestamp": "2026-11-21T12:00:00Z""#
    let sent = "2026-11-21T12:00:10Z"
    #expect(try time(told, sentAt: sent) == "2026-11-21T08:00:20Z")
    #expect(try time(told + #", "sentAt": "\#(sent)""#) == "2026-11-21T08:00:20Z")
    #expect(try time(original, sentAt: sent) == "2026-11-21T08:00:20Z")
    #expect(try time(told) == "2026-11-21T12:00:00Z")
    #expect(try time(told + original, sentAt: sent) == "2026-11-21T12:00:00Z")
    #expect(try time("", sentAt: sent) == "2026-11-21T08:00:30Z received")
  }

  @Test("A call without a messageId is known again by its content, whenever it was sent")
  func derivedID() async throws {
    try await Bench.run { bench in
      let body = #"{"userId": "u", "event": "A", "timestamp": 1795248000, "sentAt": 1795248001}"#
      let first = try await bench.post("/v1/track", body)
      #expect(first.json["accepted"]?.integer == 1)
      let again = try await bench.post(
        "/v1/track", body.replacing("1795248001", with: "1795248009"))
      #expect(again.json["duplicates"]?.integer == 1)
    }
  }

  @Test("The key may be the user name of Basic authentication, with no password")
  func basic() async throws {
    try await Bench.run(settings: AccessTests.keys) { bench in
      func status(_ credentials: String) async throws -> Int {
        let text = Data(credentials.utf8).base64EncodedString()
        return try await bench.post(
          "/v1/track", Self.track, headers: [.authorization: "Basic \(text)"]
        ).status
      }
      #expect(try await status("in-secret:") == 200)
      #expect(try await status("out-secret:") == 403)
      #expect(try await status("in-secret:x") == 401)
      #expect(try await status("in-secret") == 401)
      #expect(try await status("in-secret::") == 401)
      #expect(try await status(":") == 401)
      let broken = try await bench.post(
        "/v1/track", Self.track, headers: [.authorization: "Basic ???"])
      #expect(broken.status == 401)
    }
  }

  @Test("What cannot be read at all is 400, too much 413")
  func unreadable() async throws {
    try await Bench.run { bench in
      let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
      for body in [
        "", "{", "[]", "7", #"{"userId": "u"}"#, #"{"batch": {}}"#, #"{"batch": \#(deep)}"#,
      ] {
        let answer = try await bench.post("/v1/batch", body)
        #expect(answer.status == 400, "\(body.prefix(20)): \(answer.text)")
      }
      let invalid = try await bench.ask(
        .post, "/v1/track", headers: [.contentType: "application/json"],
        bytes: Array(#"{"userId": ""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8))
      #expect(invalid.status == 400)
      let blanks = String(repeating: " ", count: 500 << 10)
      #expect(try await bench.post("/v1/batch", blanks + #"{"batch": []}"#).status == 413)
      let empty = try await bench.post("/v1/batch", #"{"batch": []}"#)
      #expect(empty.text == #"{"success":true,"accepted":0,"duplicates":0,"rejected":[]}"#)
    }
  }
}
