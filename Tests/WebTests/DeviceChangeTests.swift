import HTTPTypes
import Testing

@testable import Web

@Suite("Changing devices over HTTP")
struct DeviceChangeTests {
  static let yaml = """
    profiles: [{id: press, metrics: {temperature: {unit: °C}}}]
    devices: [{id: press1, profile: press}]
    """

  private func send(_ bench: Bench, _ device: String, second: Int) async throws {
    let answer = try await bench.post(
      IngestTests.path,
      """
      {"device_id": "\(device)", "timestamp": \(1_795_248_000 + second),
       "metrics": {"temperature": \(second)}}
      """)
    #expect(answer.status == 200, "\(answer.text)")
  }

  private func patch(
    _ bench: Bench, _ device: String, _ json: String, ifMatch tag: String? = nil
  ) async throws -> Answer {
    var headers: HTTPFields = [.contentType: "application/json"]
    headers[.ifMatch] = tag
    return try await bench.ask(
      .patch, "/api/v1/devices/\(device)", headers: headers, bytes: Array(json.utf8))
  }

  @Test("A renamed device keeps its history; the old id is not found and names the new one")
  func rename() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await send(bench, "p7", second: 0)
      let answer = try await patch(bench, "p7", #"{"id": "press7", "profile": "press"}"#)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["was"]?.encoded == #"["p7"]"#)
      try await send(bench, "p7", second: 1)
      try await send(bench, "press7", second: 2)
      let range = "&from=1795248000&to=1795248010"
      let query = try await bench.get("/api/v1/query?series=press7/temperature" + range)
      #expect(query.json["series"]?.elements?.first?["columns"]?["value"]?.encoded == "[0,1,2]")
      for uri in ["/api/v1/query?series=p7/temperature" + range, "/api/v1/devices/p7"] {
        let gone = try await bench.get(uri)
        #expect(gone.status == 404)
        #expect(gone.json["detail"]?.text?.contains("called `press7` now") == true)
      }
      let sql = try await bench.post(
        "/api/v1/query/sql",
        #"{"sql": "SELECT device, count(*) FROM samples GROUP BY device"}"#)
      #expect(sql.json["rows"]?.encoded == #"[["press7",3]]"#, "\(sql.text)")
    }
  }

  @Test("A change is made only to the device that was seen")
  func conditional() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await send(bench, "p7", second: 0)
      let tag = try #require(try await bench.get("/api/v1/devices/p7").headers[.eTag])
      try await send(bench, "p7", second: 1)
      #expect(try await bench.get("/api/v1/devices/p7").headers[.eTag] == tag)
      let moved = try await patch(bench, "p7", #"{"asset": "acme/linz"}"#, ifMatch: "\"x\", \(tag)")
      #expect(moved.status == 200, "\(moved.text)")
      #expect(moved.json["placed"]?.encoded == "true")
      let late = try await patch(bench, "p7", #"{"asset": "acme/graz"}"#, ifMatch: tag)
      #expect(late.status == 412 && late.problem == "precondition-failed")
      let fresh = try #require(moved.headers[.eTag])
      #expect(try await patch(bench, "p7", #"{"asset": null}"#, ifMatch: fresh).status == 200)
      #expect(try await patch(bench, "p7", #"{"asset": "acme"}"#, ifMatch: "*").status == 200)
    }
  }

  @Test("What cannot be changed is refused with a reason")
  func refusals() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await send(bench, "p7", second: 0)
      try await send(bench, "p8", second: 0)
      for (device, json, status, problem) in [
        ("p7", #"{"id": "p8"}"#, 409, "device-exists"),
        ("press1", #"{"asset": "acme"}"#, 409, "declared-device"),
        ("p7", #"{"profile": "pres"}"#, 409, "unknown-profile"),
        ("p7", #"{"id": "a/b"}"#, 422, "invalid"), ("p7", #"{"asset": "a//b"}"#, 422, "invalid"),
        ("p7", #"{"id": null}"#, 422, "invalid"), ("p7", #"{"aset": "a"}"#, 422, "invalid"),
        ("p7", "{}", 422, "invalid"), ("p7", #"{"was": ["x"]}"#, 422, "invalid"),
        ("p7", "{", 400, "not-json"), ("p9", #"{"asset": "a"}"#, 404, "not-found"),
      ] {
        let answer = try await patch(bench, device, json)
        #expect(answer.status == status && answer.problem == problem, "\(json): \(answer.text)")
      }
      let declared = try await patch(bench, "press1", #"{"id": "x"}"#)
      #expect(declared.json["detail"]?.text?.contains("change it in devices/*.yaml") == true)
    }
  }

  @Test("What is held of a device is found under its new id")
  func quarantine() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await send(bench, "x1", second: 0)
      let refused = try await bench.post(
        IngestTests.path, #"{"device_id": "x1", "metrics": {"temperature": "warm"}}"#)
      #expect(refused.status == 422)
      func held(_ device: String) async throws -> Int? {
        try await bench.get("/api/v1/quarantine?device=\(device)").json["items"]?.elements?.count
      }
      #expect(try await held("x1") == 1)
      #expect(try await patch(bench, "x1", #"{"id": "y1"}"#).status == 200)
      #expect(try await held("x1") == 0)
      #expect(try await held("y1") == 1)
    }
  }
}
