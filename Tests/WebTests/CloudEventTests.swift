import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("CloudEvents over HTTP")
struct CloudEventTests {
  static let structured: HTTPFields = [.contentType: "application/cloudevents+json; charset=utf-8"]
  static let batched: HTTPFields = [.contentType: "application/cloudevents-batch+json"]
  static let order = """
    {"specversion": "1.0", "id": "A-1", "source": "/shop", "type": "com.example.order_placed.v2",
     "time": "2026-11-21T09:00:00+01:00", "subject": "user/u1", "traceparent": "00-1", "partition": 3,
     "data": {"value": 19.9}}
    """

  static func rows(_ bench: Bench, _ sql: String) async throws -> [[JSONValue]] {
    await bench.gateway.flush()
    let body = JSONValue.object([("sql", .string(sql))]).encoded
    let answer = try await bench.post("/api/v1/query/sql", body)
    return (answer.json["rows"]?.elements ?? []).compactMap(\.elements)
  }

  @Test("A structured event is accepted once, and its attributes become an event of ours")
  func structuredMode() async throws {
    try await Bench.run { bench in
      let first = try await bench.post("/api/v1/events", Self.order, headers: Self.structured)
      #expect(first.text == #"{"event_id":"/shop A-1","status":"accepted"}"#)
      let second = try await bench.post("/api/v1/events", Self.order, headers: Self.structured)
      #expect(second.text == #"{"event_id":"/shop A-1","status":"duplicate"}"#)
      let row = try #require(
        try await Self.rows(
          bench, "SELECT name, time, user, device, properties, context FROM event WHERE origin = 0"
        ).first)
      #expect(row[0].text == "OrderPlaced")
      #expect(row[1].integer == 1_795_248_000_000_000)
      #expect(row[2].text == "u1")
      #expect(row[3].isNull)
      #expect(row[4].text == #"{"value":19.9}"#)
      let context = try JSONValue.body(Array((row[5].text ?? "").utf8))["cloudevent"]
      #expect(context?["type"]?.text == "com.example.order_placed.v2")
      #expect(context?["traceparent"]?.text == "00-1")
      #expect(context?["partition"]?.integer == 3)
      #expect(context?["data"] == nil)
    }
  }

  @Test("The same id of another source is another event")
  func identity() async throws {
    try await Bench.run { bench in
      let other = Self.order.replacing("/shop", with: "/shop2")
      for body in [Self.order, other] {
        let answer = try await bench.post("/api/v1/events", body, headers: Self.structured)
        #expect(answer.json["status"]?.text == "accepted")
      }
      let long = String(repeating: "s", count: 300)
      let id = CloudEventReader.eventID(source: long, id: "1")
      #expect(id.hasPrefix("ce-") && id.utf8.count == 35)
      #expect(id != CloudEventReader.eventID(source: long + "1", id: ""))
    }
  }

  @Test(
    "The name is the last segment of the type that is no version",
    arguments: [
      ("com.example.order_placed.v2", "OrderPlaced"),
      ("Microsoft.Storage.BlobCreated", "BlobCreated"),
      ("urn:shop:cart/item-added", "ItemAdded"), ("click", "Click"), ("v1", "V1"), ("a.1.2", "A"),
    ])
  func names(type: String, name: String) throws {
    let value = JSONValue.object([
      ("specversion", .string("1.0")), ("id", .string("1")), ("source", .string("s")),
      ("type", .string(type)),
    ])
    guard case .event(let event) = try CloudEventReader(now: .epoch).read(value).content else {
      Issue.record("no event")
      return
    }
    #expect(event.name == name)
    #expect(event.timeIsReceived)
  }

  @Test(
    "The subject says user or device; any other path stays in the context alone",
    arguments: [
      ("user/u1", "u1", nil), ("customers/u/2", "u/2", nil), ("device/press1", nil, "press1"),
      ("press1", nil, "press1"), ("orders/7", nil, nil),
    ] as [(String, String?, String?)])
  func subjects(subject: String, user: String?, device: String?) throws {
    let value = JSONValue.object([
      ("specversion", .string("1.0")), ("id", .string("1")), ("source", .string("s")),
      ("type", .string("t")), ("subject", .string(subject)),
    ])
    guard case .event(let event) = try CloudEventReader(now: .epoch).read(value).content else {
      Issue.record("no event")
      return
    }
    #expect(event.user == user)
    #expect(event.device == device)
    #expect(event.context.contains(JSONValue.string(subject).encoded))
  }

  @Test(
    "Every refusal names the field",
    arguments: [
      (#""specversion": "1.0""#, #""specversion": "0.3""#, "/specversion", "bad_specversion"),
      (#""specversion": "1.0","#, "", "/specversion", "missing"),
      (#""id": "A-1","#, "", "/id", "missing"), (#""id": "A-1""#, #""id": """#, "/id", "missing"),
      (#""id": "A-1""#, #""id": 7"#, "/id", "bad_attribute"),
      (#""source": "/shop","#, "", "/source", "missing"),
      (#""type": "com.example.order_placed.v2","#, "", "/type", "missing"),
      (#""type": "com.example.order_placed.v2""#, #""type": "..""#, "/type", "bad_name"),
      ("2026-11-21T09:00:00+01:00", "yesterday", "/time", "bad_timestamp"),
      ("user/u1", "user/", "/subject", "bad_id"),
      ("traceparent", "traceParent", "/traceParent", "bad_attribute"),
      (#""partition": 3"#, #""partition": {}"#, "/partition", "bad_attribute"),
      (#""data": {"value": 19.9}"#, #""data_base64": "?""#, "/data_base64", "bad_data"),
      (#""data": {"#, #""data_base64": "YQ==", "data": {"#, "/data_base64", "bad_data"),
    ])
  func refusals(part: String, replacement: String, pointer: String, code: String) async throws {
    try await Bench.run { bench in
      let body = Self.order.replacing(part, with: replacement)
      let answer = try await bench.post("/api/v1/events", body, headers: Self.structured)
      #expect(answer.status == 422, "\(answer.text)")
      let fault = answer.json["errors"]?.elements?.first
      #expect(fault?["pointer"]?.text == pointer)
      #expect(fault?["code"]?.text == code)
    }
  }

  @Test("Data that is no object is kept under its name; too much of it is refused")
  func data() async throws {
    try await Bench.run { bench in
      for (data, kept) in [
        (#""data": [1, 2]"#, #"{"data":[1,2]}"#), (#""data": null"#, "{}"),
        (#""data_base64": "YWJj""#, #"{"data_base64":"YWJj"}"#),
      ] {
        let body = Self.order.replacing(#""data": {"value": 19.9}"#, with: data)
          .replacing("A-1", with: String(data.utf8.count))
        let answer = try await bench.post("/api/v1/events", body, headers: Self.structured)
        #expect(answer.status == 200, "\(answer.text)")
        let rows = try await Self.rows(
          bench, "SELECT properties FROM event ORDER BY id DESC LIMIT 1")
        #expect(rows.first?[0].text == kept)
      }
      let large = String(repeating: "x", count: EventFields.objectBytesMax)
      let answer = try await bench.post(
        "/api/v1/events", Self.order.replacing("19.9", with: "\"\(large)\""),
        headers: Self.structured)
      #expect(answer.json["errors"]?.elements?.first?["code"]?.text == "too_large")
    }
  }

  @Test("In binary mode the attributes are headers, percent-encoded, and the body is the data")
  func binaryMode() async throws {
    try await Bench.run { bench in
      var headers: HTTPFields = [.contentType: "application/json"]
      for (name, value) in [
        ("ce-specversion", "1.0"), ("ce-id", "B-1"), ("ce-source", "/shop"), ("ce-type", "a.paid"),
        ("ce-subject", "device/caf%C3%A9"), ("ce-myext", "x"),
      ] {
        headers[try #require(HTTPField.Name(name))] = value
      }
      let answer = try await bench.post("/api/v1/events", #"{"value": 1}"#, headers: headers)
      #expect(answer.text == #"{"event_id":"/shop B-1","status":"accepted"}"#)
      let row = try #require(
        try await Self.rows(bench, "SELECT name, device, properties, context FROM event WHERE origin = 0").first)
      #expect(row.prefix(3).map(\.text) == ["Paid", "café", #"{"value":1}"#])
      #expect(row[3].text?.contains(#""myext":"x""#) == true)
      headers[try #require(HTTPField.Name("ce-specversion"))] = nil
      let unversioned = try await bench.post("/api/v1/events", "{}", headers: headers)
      #expect(unversioned.status == 422)
      #expect(unversioned.json["errors"]?.elements?.first?["pointer"]?.text == "/specversion")
      headers[try #require(HTTPField.Name("ce-specversion"))] = "1.0"
      headers[try #require(HTTPField.Name("ce-myext"))] = "%C3"
      #expect(try await bench.post("/api/v1/events", "{}", headers: headers).status == 422)
      let text = headers[.contentType].map { _ in "text/plain" }
      headers[.contentType] = text
      #expect(try await bench.post("/api/v1/events", "hello", headers: headers).status == 415)
    }
  }

  @Test("A batch is answered item by item, readings among events, in the order of the request")
  func batch() async throws {
    try await Bench.run { bench in
      let body = """
        [\(Self.order), \(Self.order), {"specversion": "1.0", "id": "x", "source": "s"},
         {"specversion": "1.0", "id": "r1", "source": "s", "type": "io.millwright.reading",
          "time": "2026-11-21T08:00:00Z", "subject": "device/press1",
          "data": {"metrics": {"temperature": 21, "pressure": [null]}}},
         {"specversion": "1.0", "id": "r2", "source": "s", "type": "any",
          "dataschema": "urn:millwright:schema:reading",
          "data": {"device_id": "stranger", "metrics": {"temperature": 21}}},
         {"specversion": "1.0", "id": "r3", "source": "s", "type": "io.millwright.reading"}, 7]
        """
      for path in ["/api/v1/events/batch", "/api/v1/events"] {
        let answer = try await bench.post(path, body, headers: Self.batched)
        #expect(answer.status == 200, "\(answer.text)")
        let isFirst = path.hasSuffix("batch")
        #expect(answer.json["accepted"]?.integer == (isFirst ? 2 : 0))
        #expect(answer.json["duplicates"]?.integer == (isFirst ? 1 : 3))
        let rejected = answer.json["rejected"]?.elements ?? []
        #expect(rejected.map { $0["index"]?.integer } == [2, 4, 5, 6])
        #expect(
          rejected.map { $0["pointer"]?.text } == ["/2/type", "/4/data", "/5/data", "/6"])
        #expect(rejected[1]["code"]?.text == "unknown_device")
      }
      let stored = try await bench.get(
        "/api/v1/query?series=press1/temperature&from=1795248000&to=1795248001")
      #expect(stored.json["series"]?.elements?.first?["columns"]?["value"]?.encoded == "[21]")
      #expect(try await Self.rows(bench, "SELECT count(*) FROM event WHERE origin = 0").first?[0].integer == 1)
    }
  }

  @Test(
    "A single reading becomes samples under the time of the event; what is wrong with it is told")
  func reading() async throws {
    try await Bench.run { bench in
      let body = """
        {"specversion": "1.0", "id": "r1", "source": "s", "type": "io.millwright.reading",
         "time": "2026-11-21T08:00:00Z", "data": {"device_id": "press1", "metrics": {"temperature": 5}}}
        """
      for status in ["accepted", "duplicate"] {
        let answer = try await bench.post("/api/v1/events", body, headers: Self.structured)
        #expect(answer.json["status"]?.text == status, "\(answer.text)")
        #expect(answer.json["event_id"]?.text == "s r1")
      }
      let stranger = try await bench.post(
        "/api/v1/events", body.replacing("press1", with: "press9"), headers: Self.structured)
      #expect(stranger.status == 422)
      let fault = stranger.json["errors"]?.elements?.first
      #expect(fault?["code"]?.text == "unknown_device")
      #expect(fault?["pointer"]?.text == "/data")
    }
  }

  @Test("A key gets its first answer again, for events and readings together")
  func idempotency() async throws {
    try await Bench.run { bench in
      var headers = Self.batched
      headers[.idempotencyKey] = "k"
      let body = """
        [\(Self.order), {"specversion": "1.0", "id": "r1", "source": "s",
          "type": "io.millwright.reading", "data": {"device_id": "press1", "metrics": {"a": 1}}}]
        """
      let first = try await bench.post("/api/v1/events/batch", body, headers: headers)
      #expect(first.json["accepted"]?.integer == 2, "\(first.text)")
      let second = try await bench.post("/api/v1/events/batch", body, headers: headers)
      #expect(second.text == first.text)
      #expect(second.headers[.idempotencyReplayed] == "true")
    }
  }

  @Test("What cannot be read at all is 400, what is no list 422, too many 413")
  func unreadable() async throws {
    try await Bench.run { bench in
      let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
      #expect(try await bench.post("/api/v1/events", deep, headers: Self.batched).status == 400)
      let nested = Self.order.replacing("19.9", with: deep)
      #expect(
        try await bench.post("/api/v1/events", nested, headers: Self.structured).status == 400)
      let bytes = Array(Self.order.replacing("00-1", with: "#").utf8).map { $0 == 0x23 ? 0xFF : $0 }
      let broken = try await bench.ask(
        .post, "/api/v1/events", headers: Self.structured, bytes: bytes)
      #expect(broken.status == 400)
      #expect(broken.problem == "not-json")
      #expect(try await bench.post("/api/v1/events", "{}", headers: Self.batched).status == 422)
      let many = "[" + String(repeating: "0,", count: 10_000) + "0]"
      #expect(try await bench.post("/api/v1/events", many, headers: Self.batched).status == 413)
      #expect(try await bench.post("/api/v1/events", "[]", headers: Self.batched).status == 422)
    }
  }
}
