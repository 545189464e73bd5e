import CZlib
import CZstd
import HTTPTypes
import NIOCore
import Testing

@testable import Web

@Suite("Readings over HTTP")
struct IngestTests {
  static let path = "/api/v1/industry40/iot/ingest"
  static let reading = """
    {"device_id": "press1", "device_type": "press", "timestamp": "2026-11-21T08:00:00Z",
     "metrics": {"temperature": 71.5, "running": true, "state": "producing"}}
    """

  @Test("The fixed body is accepted, and a duplicate when it comes again")
  func fixedBody() async throws {
    try await Bench.run { bench in
      let first = try await bench.post(Self.path, Self.reading)
      #expect(first.text == #"{"accepted":1,"duplicates":0,"rejected":[]}"#)
      let second = try await bench.post(Self.path, "[\(Self.reading)]")
      #expect(second.text == #"{"accepted":0,"duplicates":1,"rejected":[]}"#)
      let device = try await bench.get("/api/v1/devices/press1")
      #expect(device.json["profile"]?.text == "press")
      let series = device.json["series"]?.elements ?? []
      #expect(series.map { $0["metric"]?.text } == ["running", "state", "temperature"])
      #expect(series.map { $0["latest"]?["value"]?.encoded } == ["true", "\"producing\"", "71.5"])
      #expect(series.last?["unit"]?.text == "Cel")
    }
  }

  @Test("What is no JSON is 400, what holds nothing acceptable is 422")
  func refusals() async throws {
    try await Bench.run { bench in
      let broken = try await bench.post(Self.path, "{\"device_id\": ")
      #expect(broken.status == 400, "\(broken.text)")
      let empty = try await bench.post(Self.path, #"{"device_id": "press1", "metrics": {}}"#)
      #expect(empty.status == 422)
      #expect(empty.problem == "nothing-accepted")
      #expect(empty.json["rejected"]?.elements?.count == 1)
    }
  }

  @Test("An unknown device is held, shown, adopted and then ingested")
  func quarantine() async throws {
    try await Bench.run { bench in
      let held = try await bench.post(
        Self.path,
        #"{"device_id": "press9", "timestamp": 1795248000, "metrics": {"temperature": 20}}"#)
      #expect(held.status == 422)
      let list = try await bench.get("/api/v1/quarantine?cause=unknown_device&device=press9")
      let row = try #require(list.json["items"]?.elements?.first)
      let id = try #require(row["id"]?.text)
      #expect(row["payload_encoding"]?.text == "text")
      let profile = try await bench.post("/api/v1/quarantine/\(id)/adopt", #"{"profile": "pres"}"#)
      #expect(profile.status == 409)
      let adopted = try await bench.post("/api/v1/quarantine/\(id)/adopt", #"{"profile": "press"}"#)
      #expect(adopted.json["ingested"]?.integer == 1, "\(adopted.text)")
      let query = try await bench.get(
        "/api/v1/query?series=press9/temperature&from=1795248000&to=1795248001")
      #expect(query.json["series"]?.elements?.first?["columns"]?["value"]?.encoded == "[20]")
      #expect(try await bench.get("/api/v1/quarantine/\(id)").status == 404)
    }
  }

  @Test("A held payload that is thrown away stands in the loss ledger")
  func discard() async throws {
    try await Bench.run { bench in
      _ = try await bench.post(Self.path, #"{"device_id": "x9", "metrics": {"a": 1}}"#)
      let list = try await bench.get("/api/v1/quarantine")
      let id = try #require(list.json["items"]?.elements?.first?["id"]?.text)
      #expect(try await bench.ask(.delete, "/api/v1/quarantine/\(id)").status == 204)
      #expect(try await bench.ask(.delete, "/api/v1/quarantine/\(id)").status == 404)
      let losses = try await bench.get("/api/v1/losses?cause=discarded")
      #expect(losses.json["items"]?.elements?.count == 1)
    }
  }

  @Test("Line protocol is answered as InfluxDB does: 204, or 400 that names the lines")
  func lines() async throws {
    try await Bench.run { bench in
      let good = try await bench.ask(
        .post, "/api/v2/write?org=a&bucket=b&precision=s",
        headers: [.contentType: "text/plain; charset=utf-8"],
        bytes: Array("m,device=press1 temperature=20 1795248000\n".utf8))
      #expect(good.status == 204, "\(good.text)")
      #expect(good.headers[.contentLength] == nil)
      let mixed = try await bench.ask(
        .post, "/api/v2/write?precision=s",
        bytes: Array("m,device=press1 temperature=21 1795248001\nno line\n".utf8))
      #expect(mixed.status == 400)
      #expect(mixed.json["errors"]?.elements?.first?["pointer"]?.text == "line 2")
      let stored = try await bench.get(
        "/api/v1/query?series=press1/m.temperature&from=1795248000&to=1795248010")
      #expect(stored.json["series"]?.elements?.first?["columns"]?["value"]?.encoded == "[20,21]")
      let precision = try await bench.ask(.post, "/api/v2/write?precision=m", bytes: [])
      #expect(precision.status == 400)
    }
  }

  @Test("Packed bodies are taken", arguments: [ContentCoding.gzip, .zstd])
  func packed(_ coding: ContentCoding) async throws {
    try await Bench.run { bench in
      let deflate = try #require(Deflate(coding))
      let bytes = Array(
        deflate.pack(ByteBuffer(string: Self.reading), isEnd: true).readableBytesView)
      let headers: HTTPFields = [
        .contentType: "application/json", .contentEncoding: coding.rawValue,
      ]
      let answer = try await bench.ask(.post, Self.path, headers: headers, bytes: bytes)
      #expect(answer.json["accepted"]?.integer == 1, "\(answer.text)")
      let cut = try await bench.ask(
        .post, Self.path, headers: headers, bytes: Array(bytes.dropLast(3)))
      #expect(cut.status == 400)
      #expect(cut.problem == "bad-body")
    }
  }

  @Test(
    "A body that unpacks to too much is stopped on the way", arguments: [ContentCoding.gzip, .zstd])
  func bomb(_ coding: ContentCoding) async throws {
    try await Bench.run { bench in
      let deflate = try #require(Deflate(coding))
      let zeros = ByteBuffer(repeating: 0x20, count: 64 << 20)
      let bytes = Array(deflate.pack(zeros, isEnd: true).readableBytesView)
      #expect(bytes.count < 1 << 20)
      let answer = try await bench.ask(
        .post, Self.path,
        headers: [.contentType: "application/json", .contentEncoding: coding.rawValue], bytes: bytes
      )
      #expect(answer.status == 413)
    }
  }

  @Test("Long answers are packed as the caller accepts", arguments: [ContentCoding.gzip, .zstd])
  func packedAnswers(_ coding: ContentCoding) async throws {
    try await Bench.run { bench in
      let plain = try await bench.get("/openapi.json")
      let packed = try await bench.get(
        "/openapi.json", headers: [.acceptEncoding: "br;q=1, \(coding.rawValue);q=0.8"])
      #expect(packed.headers[.contentEncoding] == coding.rawValue)
      #expect(packed.body.count * 3 < plain.body.count)
      let unpacked = try Inflate.inflate(packed.body, coding: coding, bytesMax: 1 << 20)
      #expect(unpacked == plain.body)
      let short = try await bench.get(
        "/health/live", headers: [.acceptEncoding: coding.rawValue])
      #expect(short.headers[.contentEncoding] == nil)
    }
  }
}
