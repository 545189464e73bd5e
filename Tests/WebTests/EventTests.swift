import HTTPTypes
import Testing

@testable import Web

@Suite("Events over HTTP")
struct EventTests {
  /// As api.md promises it.
  static let pageView = """
    {"event": {"event_id": "evt-1", "user_id": "u1", "session_id": "s1",
     "timestamp": "2026-11-21T10:00:00+02:00",
     "event_type": {"type": "PageView", "data": {"url": "/a", "title": "A", "duration_ms": 12}},
     "metadata": {"k": 1},
     "context": {"device": {"device_type": "mobile", "os": "Android", "browser": "Firefox",
      "screen_resolution": [1080, 2400]}, "location": {"country": "BR", "city": "Joinville",
      "timezone": "America/Sao_Paulo", "ip_address": "192.0.2.1"}, "referrer": "x",
      "user_agent": "y", "viewport": {"width": 1, "height": 2}}}}
    """

  @Test("The fixed body is accepted once and a duplicate the second time")
  func fixedBody() async throws {
    try await Bench.run { bench in
      let first = try await bench.post("/api/v1/events", Self.pageView)
      #expect(first.text == #"{"event_id":"evt-1","status":"accepted"}"#)
      let second = try await bench.post("/api/v1/events", Self.pageView)
      #expect(second.text == #"{"event_id":"evt-1","status":"duplicate"}"#)
      await bench.gateway.flush()
      let row = try await bench.post(
        "/api/v1/query/sql", #"{"sql": "SELECT name, time, properties, user FROM event WHERE origin = 0"}"#)
      let cells = row.json["rows"]?.elements?.first?.elements
      #expect(cells?[0].text == "PageView")
      #expect(cells?[1].integer == 1_795_248_000_000_000)
      #expect(cells?[2].text == #"{"url":"/a","title":"A","duration_ms":12}"#)
      #expect(cells?[3].text == "u1")
    }
  }

  @Test("An event without an id gets one from its content, so that sending it twice counts once")
  func derivedID() async throws {
    try await Bench.run { bench in
      let a = #"{"event": {"user_id": "u", "name": "click", "timestamp": 1795248000}}"#
      let b = #"{"event": {"timestamp": 1795248000, "name": "click", "user_id": "u"}}"#
      let first = try await bench.post("/api/v1/events", a)
      #expect(first.json["status"]?.text == "accepted")
      let second = try await bench.post("/api/v1/events", b)
      #expect(second.json["status"]?.text == "duplicate")
    }
  }

  @Test("Events with neither id nor time are different events")
  func freshIDs() async throws {
    try await Bench.run { bench in
      let body = #"{"event": {"user_id": "u", "name": "click"}}"#
      let ids = [
        try await bench.post("/api/v1/events", body), try await bench.post("/api/v1/events", body),
      ].map { $0.json["event_id"]?.text }
      #expect(ids[0] != ids[1])
    }
  }

  @Test("Names in snake case and in CamelCase are one")
  func names() {
    #expect(EventName.normalized("page_view") == "PageView")
    #expect(EventName.normalized("PageView") == "PageView")
    #expect(EventName.normalized("hmi_action") == "HMIAction")
    #expect(EventName.normalized("HMIAction") == "HMIAction")
    #expect(EventName.normalized("click") == "Click")
    #expect(EventName.normalized("__") == "")
  }

  @Test("A batch is answered item by item")
  func perItem() async throws {
    try await Bench.run { bench in
      let body = """
        {"events": [{"event_id": "a", "user_id": "u", "name": "Click"},
         {"event_id": "a", "user_id": "u", "name": "Click"}, {"event_id": "b", "name": "Click"},
         {"user_id": "u", "name": "Click", "timestamp": "yesterday"}, 7]}
        """
      let answer = try await bench.post("/api/v1/events/batch", body)
      #expect(answer.status == 200)
      #expect(answer.json["accepted"]?.integer == 1)
      #expect(answer.json["duplicates"]?.integer == 1)
      let rejected = answer.json["rejected"]?.elements ?? []
      #expect(rejected.map { $0["index"]?.integer } == [2, 3, 4])
      #expect(rejected.map { $0["code"]?.text } == ["missing", "bad_timestamp", "not_an_object"])
      #expect(rejected.dropFirst().first?["pointer"]?.text == "/events/3/timestamp")
      let none = try await bench.post("/api/v1/events/batch", #"{"events": [{}]}"#)
      #expect(none.status == 422)
      #expect(none.json["rejected"]?.elements?.count == 1)
    }
  }

  @Test("Ten thousand events are one batch, one more is too many")
  func largeBatch() async throws {
    try await Bench.run { bench in
      func body(_ count: Int) -> String {
        let list = (0..<count).map { #"{"event_id":"e\#($0)","user_id":"u","name":"Click"}"# }
        return #"{"events": [\#(list.joined(separator: ","))]}"#
      }
      let full = try await bench.post("/api/v1/events/batch", body(10_000))
      #expect(full.json["accepted"]?.integer == 10_000)
      #expect(try await bench.post("/api/v1/events/batch", body(10_001)).status == 413)
    }
  }

  @Test("The same Idempotency-Key repeats the first answer; with another body it is refused")
  func idempotency() async throws {
    try await Bench.run { bench in
      let headers: HTTPFields = [.idempotencyKey: "k1"]
      let body = #"{"event": {"user_id": "u", "name": "Click"}}"#
      let first = try await bench.post("/api/v1/events", body, headers: headers)
      let second = try await bench.post("/api/v1/events", body, headers: headers)
      #expect(first.text == second.text)
      #expect(second.headers[.idempotencyReplayed] == "true")
      let other = try await bench.post("/api/v1/events", body + " ", headers: headers)
      #expect(other.status == 422)
      #expect(other.problem == "idempotency-key-reused")
    }
  }

  @Test("A slip in a member's name is refused, an unknown member is kept in the context")
  func unknownMembers() async throws {
    try await Bench.run { bench in
      let slip = try await bench.post(
        "/api/v1/events", #"{"event": {"user_id": "u", "name": "Click", "timestmp": 1}}"#)
      #expect(slip.status == 422)
      #expect(slip.json["detail"]?.text?.contains("`timestamp`") == true)
      let extra = try await bench.post(
        "/api/v1/events", #"{"event": {"user_id": "u", "name": "Click", "app_version": "1.2"}}"#)
      #expect(extra.status == 200)
      await bench.gateway.flush()
      let rows = try await bench.post("/api/v1/query/sql", #"{"sql": "SELECT context FROM event WHERE origin = 0"}"#)
      #expect(
        rows.json["rows"]?.elements?.first?.elements?.first?.text == #"{"app_version":"1.2"}"#)
    }
  }

  @Test("Ids that the gateway gives to its own conclusions cannot be claimed by others")
  func reservedIDs() async throws {
    try await Bench.run { bench in
      let answer = try await bench.post(
        "/api/v1/events",
        #"{"event": {"event_id": "mw:9.0", "name": "AlarmRaised", "device_id": "press1"}}"#)
      #expect(answer.status == 409 || answer.status == 422, "\(answer.text)")
      #expect(answer.text.contains("mw:"))
      let rows = try await bench.post(
        "/api/v1/query/sql", #"{"sql": "SELECT count(*) FROM event WHERE event_id = 'mw:9.0'"}"#)
      #expect(rows.json["rows"]?.elements?.first?.elements?.first == .number("0"))
    }
  }
}
