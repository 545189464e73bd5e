import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("Quality over HTTP")
struct QualityTests {
  private static let devices =
    Bench.devices + """

      quality:
        characteristics:
          - {id: bore, device: press1, unit: mm, lower: 11.9, upper: 12.1, chart: i_mr, rules: limits,
             baseline: {center: 12, sigma: 0.01}, alarm: high}
          - {id: surface, device: press1, chart: p, subgroup: each, alarm: none,
             sampling: {normal: {sample: 80, accept: 2}}}
          - {id: heat, profile: press, metric: temperature, chart: i_mr, unit: "[degF]", rules: limits,
             baseline: {subgroups: 5}}
      """

  private static func inspect(
    _ bench: Bench, _ data: String, at second: Int, id: String? = nil
  ) async throws {
    let answer = try await bench.post(
      "/api/v1/events",
      #"{"event": {"event_id": "\#(id ?? "i\(second)")", "device_id": "press1", "timestamp": \#(1_795_248_000 + second), "event_type": {"type": "InspectionResult", "data": \#(data)}}}"#
    )
    #expect(answer.status == 200, "\(answer.text)")
    await bench.gateway.flush()
  }

  private static func measure(_ bench: Bench, _ value: Double, at second: Int) async throws {
    try await inspect(
      bench, #"{"characteristic": "bore", "value": \#(value), "unit": "mm"}"#, at: second)
  }

  private static let span = "from=1795248000&to=1795249000"

  @Test(
    "A point beyond the limits raises an alarm that says rule and value, until the chart is in control"
  )
  func alarm() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      for (second, value) in [12.0, 12.01, 12.05].enumerated() {
        try await Self.measure(bench, value, at: second)
      }
      let raised = try #require(
        try await bench.get("/api/v1/alarms").json["items"]?.elements?.first)
      #expect(raised["alarm"]?.text == "quality.bore@press1")
      #expect(raised["priority"]?.text == "high")
      #expect(raised["state"]?.text == "unacknowledged")
      let text = try #require(raised["text"]?.text)
      #expect(
        text.hasPrefix("bore: One point is more than 3σ above the centre line. Last value 12.05"))
      let events = try await bench.get("/api/v1/events?name=OutOfControl").json["items"]?.elements
      // The single value and the moving range, which jumped as well.
      #expect(events?.count == 2)
      let rules = Set((events ?? []).compactMap { $0["properties"]?["rule"]?.text })
      #expect(rules == ["nelson_1"] || rules == ["western_electric_1", "nelson_1"], "\(rules)")

      // The range falls back as far as it rose; only the point after it is in control.
      try await Self.measure(bench, 12.0, at: 4)
      try await Self.measure(bench, 12.0, at: 5)
      let returned = try await bench.get("/api/v1/alarms").json["items"]?.elements?.first
      #expect(returned?["state"]?.text == "returned_unacknowledged")
      let seen = try await bench.post(
        "/api/v1/alarms/quality.bore%40press1/acknowledge", #"{"remark": "gauge was dirty"}"#)
      #expect(seen.json["state"]?.text == "normal", "\(seen.text)")
    }
  }

  @Test(
    "The chart of an answer has the limits of the live one, and capability where limits are declared"
  )
  func chart() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      for second in 0..<10 {
        try await Self.measure(bench, second.isMultiple(of: 2) ? 11.99 : 12.01, at: second)
      }
      let answer = try await bench.get(
        "/api/v1/quality/spc?characteristic=bore&\(Self.span)"
      ).json
      let points = try #require(answer["chart"]?["points"]?.elements)
      #expect(points.count == 10)
      #expect(points[0]["upper_limit"]?.encoded == "12.03")
      // σ within by moving ranges: 0.02 / 1.128; Cp = 0.2 / (6 σ).
      let capability = try #require(answer["capability"])
      let cp = capability["within"]?["cp"]?.encoded ?? ""
      #expect(cp.hasPrefix("1.88"), "\(cp)")
      #expect(answer["inspected"]?.encoded == "10")
      #expect(answer["first_pass_yield"]?.encoded == "1.0")
    }
  }

  @Test("Samples of a metric are charted in the unit of the characteristic, one chart a device")
  func metric() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await bench.sendTemperatures(8)
      await bench.gateway.flush()
      let listed = try await bench.get("/api/v1/quality/characteristics").json["items"]?.elements
      let heat = try #require(listed?.first { $0["characteristic"]?.text == "heat" })
      let chart = try #require(heat["charts"]?.elements?.first)
      #expect(chart["device"]?.text == "press1")
      #expect(chart["points"]?.encoded == "8")
      // 20, 20.5 … 22 °C are 68 … 71.6 °F, 69.8 in the middle.
      #expect(chart["center"]?.encoded.hasPrefix("69.8") == true)
      let missing = try await bench.get("/api/v1/quality/spc?characteristic=heat")
      #expect(missing.status == 400)
      #expect(missing.text.contains("say which"))
      let drawn = try await bench.get(
        "/api/v1/quality/spc?characteristic=heat&device=press1&from=2026-11-21T07:00:00Z&to=2026-11-21T10:00:00Z"
      ).json
      #expect(drawn["chart"]?["points"]?.elements?.count == 8)
      #expect(drawn["limits_learned"] == .bool(true))
    }
  }

  @Test("A lot is decided by its plan; a result that does not fit is told with its field")
  func lots() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await Self.inspect(
        bench,
        #"{"characteristic": "surface", "inspected": 80, "defective": 3, "defects": {"dent": 3}, "lot": "L-1", "lot_size": 1000}"#,
        at: 1)
      try await Self.inspect(
        bench, #"{"characteristic": "surfce", "inspected": 80, "defective": 3}"#, at: 2)
      try await Self.inspect(
        bench, #"{"characteristic": "bore", "value": 1, "unit": "kg"}"#, at: 3)
      // Charted from samples, from the future, and a lot of which too little was looked at.
      try await Self.inspect(bench, #"{"characteristic": "heat", "value": 70}"#, at: 4)
      try await Self.inspect(
        bench, #"{"characteristic": "bore", "value": 12}"#, at: 1_000_000_000)
      try await Self.inspect(
        bench,
        #"{"characteristic": "surface", "inspected": 10, "defective": 0, "lot": "L-2", "lot_size": 1000}"#,
        at: 5)
      let lots = try await bench.get("/api/v1/events?name=LotDecided").json["items"]?.elements
      #expect(lots?.count == 1)
      let lot = try await bench.get("/api/v1/events?name=LotDecided").json["items"]?.elements?.first
      #expect(lot?["properties"]?["accepted"] == .bool(false))
      #expect(lot?["properties"]?["acceptance_number"]?.encoded == "2")
      let refused = try await bench.get("/api/v1/events?name=InspectionRefused").json["items"]?
        .elements
      let reasons = (refused ?? []).compactMap { $0["properties"]?["reason"]?.text }
      #expect(reasons.contains { $0.contains("did you mean `surface`?") })
      #expect(reasons.contains { $0.contains("`kg` does not convert to `mm`") })
      #expect(reasons.contains { $0.contains("charted from a metric") })
      #expect(reasons.contains { $0.contains("lies in the future") })
      let answer = try await bench.get(
        "/api/v1/quality/spc?characteristic=surface&\(Self.span)"
      ).json
      #expect(answer["defect_pareto"]?["rows"]?.elements?.first?["code"]?.text == "dent")
      #expect(answer["first_pass_yield"]?.encoded == "0.9666666666666667")
    }
  }

  @Test("Acceptance that was discontinued is resumed by somebody, and inspection goes on tightened")
  func resume() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      let path = "/api/v1/quality/resume"
      func lot(_ number: Int) async throws {
        try await Self.inspect(
          bench,
          #"{"characteristic": "surface", "inspected": 80, "defective": 9, "lot": "L-\#(number)", "lot_size": 1000}"#,
          at: number)
      }
      func chart() async throws -> JSONValue? {
        try await bench.get("/api/v1/quality/characteristics").json["items"]?.elements?
          .first { $0["characteristic"]?.text == "surface" }?["charts"]?.elements?.first
      }
      let early = try await bench.post(path, #"{"characteristic": "surface"}"#)
      #expect(early.status == 409)
      #expect(early.text.contains("acceptance of `surface` is not discontinued"))
      for number in 1...7 { try await lot(number) }
      #expect(try await chart()?["discontinued"] == .bool(true))
      for (body, status) in [
        (#"{"remark": "x"}"#, 422), (#"{"characteristic": "surface", "device": 7}"#, 422),
        (#"{"characteristic": "surfce"}"#, 404),
        (#"{"characteristic": "bore"}"#, 404),
        (#"{"characteristic": "surface", "device": "press99"}"#, 409),
      ] {
        let answer = try await bench.post(path, body)
        #expect(answer.status == status, "\(body): \(answer.text)")
      }
      let answer = try await bench.post(
        path, #"{"characteristic": "surface", "remark": "die ground"}"#)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(try await chart()?["discontinued"] == .bool(false))
      #expect(try await chart()?["inspection"]?.text == "tightened")
      let told = try await bench.get("/api/v1/events?name=AcceptanceResumed").json["items"]?
        .elements?.first
      #expect(told?["properties"]?["remark"]?.text == "die ground")
      try await lot(8)
      let lots = try await bench.get("/api/v1/events?name=LotDecided").json["items"]?.elements
      #expect(lots?.first?["properties"]?["discontinued"] == .bool(false))
    }
  }

  @Test("A chart goes on when its device gets another name")
  func rename() async throws {
    let devices = Self.devices.replacing(
      "unknown_devices: quarantine", with: "unknown_devices: adopt")
    try await Bench.run(yaml: devices) { bench in
      for second in 0..<8 {
        let answer = try await bench.post(
          IngestTests.path,
          #"{"device_id": "press7", "device_type": "press", "timestamp": \#(1_795_248_000 + second), "metrics": {"temperature": \#(20 + second)}}"#
        )
        #expect(answer.status == 200, "\(answer.text)")
      }
      let answer = try await bench.ask(
        .patch, "/api/v1/devices/press7", headers: [.contentType: "application/json"],
        bytes: Array(#"{"id": "press8"}"#.utf8))
      #expect((200..<300).contains(answer.status), "\(answer.text)")
      await bench.gateway.flush()
      let charts = await bench.gateway.fetchCharts().filter { $0.characteristic == "heat" }
      #expect(charts.map(\.device) == ["press8"])
      #expect(charts.map(\.points) == [8])
    }
  }

  @Test("Unknown characteristics and spans that are too long are refused with what would do")
  func mistakes() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      let unknown = try await bench.get("/api/v1/quality/spc?characteristic=boer")
      #expect(unknown.status == 404)
      #expect(unknown.text.contains("did you mean `bore`?"))
      let long = try await bench.get("/api/v1/quality/spc?characteristic=bore&from=-400d")
      #expect(long.status == 400)
      let limits = try await bench.get("/api/v1/quality/spc?characteristic=bore&limits=none")
      #expect(limits.status == 400)
    }
  }
}
