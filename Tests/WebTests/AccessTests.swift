import Foundation
import Gateway
import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("Keys, scopes and limits")
struct AccessTests {
  static let event = #"{"event": {"user_id": "u", "name": "Click"}}"#

  static func keys(_ settings: inout HTTPSettings) {
    settings.keys = [
      APIKey(name: "sensor", secret: "in-secret", scopes: [.ingest]),
      APIKey(name: "viewer", secret: "out-secret", scopes: [.read]),
    ]
  }

  @Test("A key is asked for, known by any of three spellings, and bound to its scopes")
  func scopes() async throws {
    try await Bench.run(settings: Self.keys) { bench in
      let none = try await bench.get("/api/v1/series")
      #expect(none.status == 401)
      #expect(none.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
      #expect(try await bench.get("/api/v1/series", headers: [.apiKey: "wrong"]).status == 401)
      for headers in [
        [.apiKey: "out-secret"], [.authorization: "Bearer out-secret"],
        [.authorization: "Token out-secret"],
      ] as [HTTPFields] {
        #expect(try await bench.get("/api/v1/series", headers: headers).status == 200)
      }
      let wrongScope = try await bench.post(
        "/api/v1/events", Self.event, headers: [.apiKey: "out-secret"])
      #expect(wrongScope.status == 403)
      #expect(wrongScope.json["detail"]?.text?.contains("`ingest`") == true)
      let right = try await bench.post(
        "/api/v1/events", Self.event, headers: [.apiKey: "in-secret"])
      #expect(right.status == 200)
      #expect(try await bench.get("/health").status == 200)
    }
  }

  @Test("SQL about people needs the scope for people, also behind a name or a sub-query")
  func people() async throws {
    try await Bench.run(settings: {
      Self.keys(&$0)
      $0.keys.append(APIKey(name: "owner", secret: "all-secret", scopes: [.read, .people]))
    }) { bench in
      _ = try await bench.post("/api/v1/events", Self.event, headers: [.apiKey: "in-secret"])
      func run(_ sql: String, _ key: String) async throws -> Answer {
        try await bench.post(
          "/api/v1/query/sql", JSONValue.object([("sql", .string(sql))]).encoded,
          headers: [.apiKey: key])
      }
      for sql in [
        "SELECT user FROM event", "SELECT count(*) FROM event AS e",
        "SELECT (SELECT max(properties) FROM event) FROM device", "SELECT key FROM answer",
        "WITH x AS (SELECT * FROM event) SELECT * FROM x",
      ] {
        let refused = try await run(sql, "out-secret")
        #expect(refused.status == 403, "\(sql)")
        #expect(refused.json["scope"]?.text == "people", "\(sql)")
        #expect(try await run(sql, "all-secret").status == 200, "\(sql)")
      }
      #expect(try await run("SELECT count(*) FROM device", "out-secret").status == 200)
      #expect(try await run("SELECT count(*) FROM samples", "out-secret").status == 200)
    }
  }

  @Test("A key that asks too often waits, and is told how long")
  func rateLimit() async throws {
    let clock = HandClock()
    try await Bench.run(
      clock: clock.source,
      settings: {
        Self.keys(&$0)
        $0.rateLimitPerMinute = 3
      }
    ) { bench in
      let headers: HTTPFields = [.apiKey: "out-secret"]
      for remaining in [2, 1, 0] {
        let answer = try await bench.get("/api/v1/devices", headers: headers)
        #expect(answer.status == 200)
        #expect(answer.headers[.rateLimit]?.contains("r=\(remaining);") == true)
        #expect(answer.headers[.rateLimitPolicy] == "\"requests\";q=3;w=60")
      }
      let refused = try await bench.get("/api/v1/devices", headers: headers)
      #expect(refused.status == 429)
      #expect(refused.headers[.retryAfter] == "20")
      clock.advance(seconds: 20)
      #expect(try await bench.get("/api/v1/devices", headers: headers).status == 200)
    }
  }

  @Test("An address is limited before its key is looked at")
  func addressLimit() async throws {
    let clock = HandClock()
    try await Bench.run(
      clock: clock.source,
      settings: {
        Self.keys(&$0)
        $0.rateLimitPerMinute = 1
      }
    ) { bench in
      for _ in 0..<Gate.keysPerAddress {
        #expect(try await bench.get("/api/v1/devices", headers: [.apiKey: "guess"]).status == 401)
      }
      let refused = try await bench.get("/api/v1/devices", headers: [.apiKey: "out-secret"])
      #expect(refused.status == 429)
    }
  }

  @Test("A batch that overdraws the items budget makes the next one wait")
  func itemsBudget() async throws {
    let clock = HandClock()
    try await Bench.run(
      clock: clock.source,
      settings: {
        $0.itemsPerMinute = 60
        $0.rateLimitPerMinute = 1_000
      }
    ) { bench in
      let many = (0..<90).map { #"{"event_id": "e\#($0)", "user_id": "u", "name": "Click"}"# }
      let body = #"{"events": [\#(many.joined(separator: ","))]}"#
      #expect(try await bench.post("/api/v1/events/batch", body).status == 200)
      let refused = try await bench.post("/api/v1/events/batch", body)
      #expect(refused.status == 429)
      #expect(refused.headers[.retryAfter] == "31")
      clock.advance(seconds: 31)
      let repeated = try await bench.post("/api/v1/events/batch", body)
      #expect(repeated.json["duplicates"]?.integer == 90)
    }
  }

  @Test("An open API does not start on the network")
  func openToNetwork() throws {
    let directory = Bench.temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let gateway = try Bench.makeGateway(directory)
    var settings = HTTPSettings()
    settings.host = "0.0.0.0"
    #expect(throws: WebServer.OpenToNetwork.self) {
      try WebServer(gateway: gateway, settings: settings, logger: Bench.quietLogger)
    }
    Self.keys(&settings)
    #expect(throws: Never.self) {
      try WebServer(gateway: gateway, settings: settings, logger: Bench.quietLogger)
    }
  }

  @Test("An open API refuses pages of other origins")
  func foreignOrigin() async throws {
    try await Bench.run { bench in
      let foreign = try await bench.get(
        "/api/v1/series", headers: [.origin: "https://evil.example"])
      #expect(foreign.status == 403)
      #expect(foreign.problem == "forbidden-origin")
      let own = try await bench.get("/api/v1/series", headers: [.origin: "http://localhost"])
      #expect(own.status == 200)
      #expect(own.headers[.accessControlAllowOrigin] == nil)
    }
  }

  @Test("Configured origins are allowed, preflight included")
  func cors() async throws {
    try await Bench.run(settings: {
      $0.allowsCORS = true
      $0.corsOrigins = ["https://hmi.example"]
    }) { bench in
      let headers: HTTPFields = [.origin: "https://hmi.example", .corsRequestMethod: "POST"]
      let preflight = try await bench.ask(.options, "/api/v1/events", headers: headers)
      #expect(preflight.status == 204)
      #expect(preflight.headers[.accessControlAllowOrigin] == "https://hmi.example")
      let other = try await bench.get("/api/v1/series", headers: [.origin: "https://evil.example"])
      #expect(other.headers[.accessControlAllowOrigin] == nil)
    }
  }
}
