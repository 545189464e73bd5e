import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("Groups of the quarantine over HTTP")
struct QuarantineGroupTests {
  static let path = "/api/v1/quarantine/groups"

  /// Two readings each of the unknown press8 and press9.
  static func hold(_ bench: Bench) async throws -> JSONValue {
    for time in 0..<2 {
      for device in ["press8", "press9"] {
        _ = try await bench.post(
          IngestTests.path,
          """
          {"device_id": "\(device)", "timestamp": \(1_795_248_000 + time),
           "metrics": {"temperature": \(20 + time)}}
          """)
      }
    }
    return try #require(try await bench.get(path).json["items"]?.elements?.first)
  }

  @Test("A group tells what its payloads share, shows one whole, and says what to do")
  func list() async throws {
    try await Bench.run { bench in
      let group = try await Self.hold(bench)
      #expect(group["cause"]?.text == "unknown_device")
      #expect(group["count"]?.integer == 4)
      #expect(group["devices"]?.encoded == #"["press8","press9"]"#)
      #expect(group["topic"]?.isNull == true)
      #expect(
        group["shape"]?.text
          == "device {device_id: text, metrics.temperature: number, timestamp: number}")
      #expect(group["example"]?["payload"]?.text?.contains(#""device_id": "press9""#) == true)
      #expect(group["example"]?["payload_truncated"] == .bool(false))
      #expect(group["advice"]?.text?.hasPrefix("Adopt the group") == true)
      let none = try await bench.get(Self.path + "?cause=malformed")
      #expect(none.json["items"]?.elements?.isEmpty == true)
      #expect(try await bench.get(Self.path + "?cause=malformd").status == 400)
    }
  }

  @Test("A group is adopted with a profile, and its readings are there")
  func adopt() async throws {
    try await Bench.run { bench in
      let id = try #require(try await Self.hold(bench)["id"]?.text)
      let wrong = try await bench.post("\(Self.path)/\(id)/adopt", #"{"profile": "pres"}"#)
      #expect(wrong.status == 409)
      let adopted = try await bench.post("\(Self.path)/\(id)/adopt", #"{"profile": "press"}"#)
      #expect(adopted.json["ingested"]?.integer == 4, "\(adopted.text)")
      #expect(adopted.json["refused"]?.encoded == "[]")
      let device = try await bench.get("/api/v1/devices/press8")
      #expect(device.json["profile"]?.text == "press")
      let query = try await bench.get(
        "/api/v1/query?series=press9/temperature&from=1795248000&to=1795248009")
      #expect(query.json["series"]?.elements?.first?["columns"]?["value"]?.encoded == "[20,21]")
      let again = try await bench.post("\(Self.path)/\(id)/adopt", "{}")
      #expect(again.status == 404)
    }
  }

  @Test("What still fails is told by reason and stays held")
  func retry() async throws {
    try await Bench.run { bench in
      let id = try #require(try await Self.hold(bench)["id"]?.text)
      let answer = try await bench.ask(.post, "\(Self.path)/\(id)/retry")
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["ingested"]?.integer == 0)
      let refused = answer.json["refused"]?.elements ?? []
      #expect(refused.map { $0["count"]?.integer } == [4])
      #expect(refused.first?["reason"]?.text?.contains("`press8`") == true)
      let list = try await bench.get("/api/v1/quarantine")
      #expect(list.json["items"]?.elements?.count == 4)
    }
  }

  @Test("A group without unknown devices is tried again, and takes no profile")
  func malformed() async throws {
    try await Bench.run { bench in
      let deep = String(repeating: "[", count: 1_000)
      for body in [deep, #"{"device_id": "#] { _ = try await bench.post(IngestTests.path, body) }
      let groups = try await bench.get(Self.path + "?cause=malformed")
      let ids = (groups.json["items"]?.elements ?? []).compactMap { $0["id"]?.text }
      let id = try #require(ids.first)
      let profile = try await bench.post("\(Self.path)/\(id)/adopt", #"{"profile": "press"}"#)
      #expect(profile.status == 422)
      #expect(profile.json["errors"]?.elements?.first?["pointer"]?.text == "/profile")
      let again = try await bench.post("\(Self.path)/\(id)/adopt", "{}")
      #expect(again.json["ingested"]?.integer == 0)
      #expect(again.json["refused"]?.elements?.first?["code"]?.text == "malformed")
    }
  }

  @Test("A group that is thrown away stands in the loss ledger")
  func discard() async throws {
    try await Bench.run { bench in
      let id = try #require(try await Self.hold(bench)["id"]?.text)
      #expect(try await bench.ask(.delete, "\(Self.path)/\(id)").status == 204)
      #expect(try await bench.ask(.delete, "\(Self.path)/\(id)").status == 404)
      let losses = try await bench.get("/api/v1/losses?cause=discarded")
      #expect(losses.json["items"]?.elements?.first?["count"]?.integer == 4)
      #expect(try await bench.get(Self.path).json["items"]?.elements?.isEmpty == true)
    }
  }

  @Test("Groups come page by page, the newest first, each once")
  func pages() async throws {
    try await Bench.run { bench in
      for name in ["a", "b", "c", "d", "e"] {
        _ = try await bench.post(
          IngestTests.path, #"{"device_id": "x", "metrics": {"\#(name)": 1}}"#)
      }
      var shapes: [String] = []
      var cursor: String? = ""
      while let next = cursor {
        let query = next.isEmpty ? "?limit=2" : "?limit=2&cursor=\(next)"
        let page = try await bench.get(Self.path + query).json
        shapes += (page["items"]?.elements ?? []).compactMap { $0["shape"]?.text }
        cursor = page["next_cursor"]?.text
      }
      #expect(
        shapes
          == ["e", "d", "c", "b", "a"].map { "device {device_id: text, metrics.\($0): number}" })
      #expect(try await bench.get(Self.path + "?cursor=g0").status == 400)
    }
  }

  @Test("Reading needs the scope read, changing the scope write")
  func scopes() async throws {
    try await Bench.run(settings: AccessTests.keys) { bench in
      let headers: HTTPFields = [.apiKey: "out-secret"]
      #expect(try await bench.get(Self.path, headers: headers).status == 200)
      for method in ["adopt", "retry"] {
        let refused = try await bench.ask(.post, "\(Self.path)/g0/\(method)", headers: headers)
        #expect(refused.status == 403)
      }
      #expect(try await bench.ask(.delete, "\(Self.path)/g0", headers: headers).status == 403)
    }
  }
}
