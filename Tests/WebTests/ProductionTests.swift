import Gateway
import Telemetry
import Testing

@testable import Web

@Suite("Production over HTTP")
struct ProductionTests {
  /// Ten minutes of the press: six running, two at fault, two running; 400 strokes, 380 good.
  private static func work(_ bench: Bench) async throws {
    let start = 1_795_248_000
    for (second, state, cycles, good) in [
      (0, "running", 0, 0), (360, "fault", 240, 228), (480, "running", 240, 228),
      (600, "idle", 400, 380),
    ] {
      let answer = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": \#(start + second), "metrics": {"state": "\#(state)", "cycles": \#(cycles), "good": \#(good)}}"#
      )
      #expect(answer.status == 200, "\(answer.text)")
    }
  }

  private static let span = "from=1795248000&to=1795248601"

  private static func number(_ value: JSONValue?) -> Double? {
    guard case .number(let digits)? = value else { return nil }
    return Double(digits)
  }

  @Test("OEE of a machine comes from its samples, with the intervals it was made of")
  func machine() async throws {
    try await Bench.run { bench in
      try await Self.work(bench)
      let answer = try await bench.get("/api/v1/industry40/oee?machine=press1&\(Self.span)").json
      let result = answer["result"]
      // Six and two of ten minutes ran; the two at fault are shorter than a stop: a small stop, as is the last
      // second.
      #expect(Self.number(result?["availability"]) == 1)
      #expect(Self.number(result?["quality"]) == 0.95)
      let oee = try #require(Self.number(result?["oee"]))
      #expect((oee - 380.0 / 601).magnitude < 1e-9)
      #expect(answer["intervals"]?["states"]?.elements?.count == 4)
      #expect(answer["intervals"]?["states"]?.elements?[1]["small_stop"] == .bool(true))
    }
  }

  @Test("A late sample changes the figures of the same span")
  func late() async throws {
    try await Bench.run { bench in
      try await Self.work(bench)
      let path = "/api/v1/industry40/oee?machine=press1&\(Self.span)"
      let before = Self.number(try await bench.get(path).json["result"]?["quality"])
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": 1795248599, "metrics": {"good": 400, "cycles": 500}}"#
      )
      let after = Self.number(try await bench.get(path).json["result"]?["quality"])
      #expect(before == 0.95)
      #expect(after != before)
    }
  }

  @Test("A line answers with its rule, and names what is not there")
  func line() async throws {
    try await Bench.run { bench in
      try await Self.work(bench)
      let answer = try await bench.get("/api/v1/industry40/oee?line=line1&\(Self.span)").json
      let line = answer["items"]?.elements?.first
      #expect(line?["result"]?["constraint_declared"] == .bool(false))
      #expect(line?["result"]?["rule"]?.text?.contains("largest ideal cycle") == true)
      #expect(line?["timelines"]?.elements?.first?["machine"]?.text == "press1")
      let wrong = try await bench.get("/api/v1/industry40/oee?line=line2")
      #expect(wrong.status == 404)
      #expect(wrong.text.contains("did you mean `line1`"))
      #expect(try await bench.get("/api/v1/industry40/oee?from=-400d").status == 400)
      #expect(
        try await bench.get("/api/v1/industry40/oee?machine=press1&by=week&\(Self.span)").status
          == 400)
    }
  }

  @Test("Numbers give the printed answer, and contradictions are refused by name")
  func numbers() async throws {
    try await Bench.run { bench in
      let path = "/api/v1/industry40/oee/calculate"
      let vorne = try await bench.post(
        path,
        #"{"planned_production_time": "420 min", "downtime": "47 min", "ideal_cycle_time": "1.0 s", "total_count": 19271, "good_count": 18848}"#
      )
      #expect(vorne.status == 200)
      let oee = try #require(Self.number(vorne.json["oee"]))
      #expect((oee * 10_000).rounded() == 7_479)
      let refused = try await bench.post(
        path,
        #"{"planned_production_time": 100, "downtime": 200, "ideal_cycle_time": 1, "total_count": 5, "good_count": 9}"#
      )
      #expect(refused.status == 422)
      #expect(refused.text.contains("/good_count") || refused.text.contains("/total_count"))
      #expect(refused.text.contains("/downtime"))
    }
  }

  @Test("The state of a machine stands where the live stages have it")
  func machines() async throws {
    try await Bench.run { bench in
      try await Self.work(bench)
      let machine = try await bench.get("/api/v1/production/machines").json["items"]?.elements?
        .first
      #expect(machine?["machine"]?.text == "press1")
      // They are of the past, but have arrived just now: that is no silence.
      #expect(machine?["state"]?.text == "idle")
      let journal = try await bench.get("/api/v1/events?name=MachineStateChanged&device=press1")
      #expect((journal.json["items"]?.elements?.count ?? 0) >= 4)
    }
  }
}
