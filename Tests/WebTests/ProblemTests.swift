import Gateway
import HTTPTypes
import Testing

@testable import Web

@Suite("Problems")
struct ProblemTests {
  @Test("Every kind of wrong request is told apart by status and slug")
  func statuses() async throws {
    try await Bench.run { bench in
      let events = "/api/v1/events"
      #expect(try await bench.post(events, "{").problem == "not-json")
      #expect(try await bench.post(events, "{").status == 400)
      #expect(try await bench.get("/nowhere").problem == "not-found")
      let wrongMethod = try await bench.get(events + "/batch")
      #expect(wrongMethod.status == 405)
      #expect(wrongMethod.headers[.allow] == "POST")
      let form = try await bench.post(
        events, "a=b", headers: [.contentType: "application/x-www-form-urlencoded"])
      #expect(form.status == 415)
      #expect(form.problem == "unsupported-media-type")
      let brotli = try await bench.post(events, "{}", headers: [.contentEncoding: "br"])
      #expect(brotli.status == 415)
      let invalid = try await bench.post(events, #"{"event": {"user_id": "u"}}"#)
      #expect(invalid.status == 422)
      #expect(invalid.json["errors"]?.elements?.first?["pointer"]?.text == "/event/event_type")
      #expect(invalid.json["instance"]?.text == events)
    }
  }

  @Test("A body beyond the limit is refused, with and without its length")
  func largeBody() async throws {
    try await Bench.run(settings: {
      $0.bodyBytesMax = 1_000
      $0.inflatedBytesMax = 2_000
    }) { bench in
      let answer = try await bench.post("/api/v1/events", String(repeating: " ", count: 1_001))
      #expect(answer.status == 413)
      #expect(answer.problem == "too-large")
    }
  }

  @Test("An unknown parameter is refused with the nearest known name")
  func unknownParameter() async throws {
    try await Bench.run { bench in
      let answer = try await bench.get("/api/v1/series?mtach=press*")
      #expect(answer.status == 400)
      #expect(answer.problem == "unknown-parameter")
      #expect(answer.json["detail"]?.text?.contains("`match`") == true)
    }
  }

  @Test("The caller's request id comes back when it is sane, else a fresh one")
  func requestID() async throws {
    try await Bench.run { bench in
      let given = try await bench.get("/health/live", headers: [.requestID: "abc-123"])
      #expect(given.headers[.requestID] == "abc-123")
      for odd in ["with blank", String(repeating: "x", count: 129)] {
        let fresh = try await bench.get("/nowhere", headers: [.requestID: odd])
        #expect(fresh.headers[.requestID]?.count == 36)
      }
    }
  }

  @Test("A shut down gateway answers 503 with Retry-After")
  func shuttingDown() async throws {
    try await Bench.run { bench in
      await bench.gateway.stop()
      let answer = try await bench.post(
        "/api/v1/events", #"{"event": {"user_id": "u", "name": "Click"}}"#)
      #expect(answer.status == 503)
      #expect(answer.problem == "shutting-down")
      #expect(answer.headers[.retryAfter] != nil)
    }
  }

  @Test("HEAD answers as GET does, without a body")
  func head() async throws {
    try await Bench.run { bench in
      let answer = try await bench.ask(.head, "/health")
      #expect(answer.status == 200)
      #expect(answer.body.isEmpty)
    }
  }
}
