import Gateway
import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("Twins over HTTP")
struct TwinTests {
  private static let path = "/api/v1/industry40/twin/press1"

  private static func patch(
    _ bench: Bench, _ body: String, headers: HTTPFields = [:]
  ) async throws -> Answer {
    var headers = headers
    headers[.contentType] = "application/merge-patch+json"
    return try await bench.ask(
      .patch, path + "/desired", headers: headers, bytes: Array(body.utf8))
  }

  @Test("What is desired differs from what is reported until the device follows")
  func life() async throws {
    try await Bench.run { bench in
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": 1795248000, "metrics": {"pressure": 3}}"#)
      let patched = try await Self.patch(bench, #"{"pressure": 4.5}"#)
      #expect(patched.status == 200, "\(patched.text)")
      let twin = try await bench.get(Self.path)
      #expect(twin.json["reported"]?["pressure"]?["value"] == .number("3"))
      #expect(twin.json["delta"]?["pressure"] != nil, "\(twin.text)")
      #expect(twin.headers[.eTag] == patched.headers[.eTag])
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": 1795248005, "metrics": {"pressure": 4.5}}"#)
      let after = try await bench.get(Self.path).json
      #expect(after["delta"]?["pressure"] == nil, "\(after.encoded)")
      let converged = try await bench.get("/api/v1/events?name=DesiredConverged&device=press1")
      #expect(converged.json["items"]?.elements?.count == 1)
    }
  }

  @Test("A read-only property, a value out of range and an old version are refused by name")
  func refusals() async throws {
    try await Bench.run { bench in
      let readOnly = try await Self.patch(bench, #"{"temperature": 80}"#)
      #expect(readOnly.status == 422)
      #expect(readOnly.text.contains("read_only"))
      #expect(try await Self.patch(bench, #"{"pressure": 99}"#).text.contains("out_of_range"))
      #expect(try await Self.patch(bench, #"{"presure": 1}"#).text.contains("pressure"))
      let first = try await Self.patch(bench, #"{"pressure": 4}"#)
      let tag = try #require(first.headers[.eTag])
      #expect(
        try await Self.patch(bench, #"{"pressure": 5}"#, headers: [.ifMatch: tag]).status == 200)
      let stale = try await Self.patch(bench, #"{"pressure": 6}"#, headers: [.ifMatch: tag])
      #expect(stale.status == 412)
    }
  }

  @Test("Without the scope control nothing is desired")
  func scope() async throws {
    let keys = [APIKey(name: "writer", secret: "w", scopes: [.read, .write, .ingest])]
    try await Bench.run(settings: { $0.keys = keys }) { bench in
      let refused = try await Self.patch(bench, #"{"pressure": 4}"#, headers: [.apiKey: "w"])
      #expect(refused.status == 403)
      #expect(refused.text.contains("control"))
    }
  }
}
