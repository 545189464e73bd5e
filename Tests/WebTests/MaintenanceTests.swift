import Foundation
import Gateway
import Scoring
import Statistics
import Telemetry
import Testing

@testable import Web

@Suite("Maintenance over HTTP")
struct MaintenanceTests {
  static let yaml = """
    profiles:
      - id: press
        metrics:
          state: {values: [running, idle]}
          cycles: {kind: counter}
          vibration: {unit: mm/s}
    devices:
      - {id: press1, profile: press, asset: acme/line1/press1}
      - {id: press2, profile: press, asset: acme/line1/press2}
      - {id: fan, asset: acme/line1/fan}
    maintenance:
      currency: EUR
      machines:
        - device: press1
          running: {metric: state, values: [running]}
          signals: [vibration]
          zones: {metric: vibration, limits: [1.4, 2.8, 4.5], hold: 1 min}
          usage: {counter: cycles, unit: strokes, initial: 1000, per_day: 2400}
          prior: {shape: 2, scale: 10000000}
          costs: {failure: 9000, planned: 1000}
          services: [{id: oil, every: 500 strokes, text: Change the oil, text_pt: Trocar o óleo}]
        - {device: press2, zones: {metric: vibration, limits: [1.4, 2.8, 4.5]}}
    """
  private static let events = "/api/v1/maintenance/events"
  private static let predict = "/api/v1/industry40/maintenance/predict"
  private static let plan = "/api/v1/maintenance/plan"

  private static func number(_ value: JSONValue?) -> Double? {
    guard case .number(let digits)? = value else { return nil }
    return Double(digits)
  }

  /// Half an hour of a press, a reading a minute, ten strokes each; the last one is of now.
  private static func work(
    _ bench: Bench, device: String = "press1", vibration: Double, minutes: Int = 30, before: Int = 0
  ) async throws {
    let end = Timestamp.now.advanced(byMicroseconds: -Int64(before) * 60_000_000)
    let readings = (0..<minutes).map { minute in
      let time = end.advanced(byMicroseconds: -Int64(minutes - 1 - minute) * 60_000_000)
      return """
        {"device_id": "\(device)", "timestamp": "\(time.rfc3339)", "metrics":
         {"state": "running", "cycles": \(10 * (minute + 100 - before)), "vibration": \(vibration)}}
        """
    }
    let answer = try await bench.post(
      IngestTests.path, "[\(readings.joined(separator: ","))]")
    #expect(answer.status == 200, "\(answer.text)")
  }

  private static func told(
    _ kind: String, _ id: String, device: String = "press1", start: Timestamp = .now,
    _ more: String = ""
  ) -> String {
    #"{"event_id": "\#(id)", "device_id": "\#(device)", "kind": "\#(kind)", "start": "\#(start.rfc3339)"\#(more)}"#
  }

  // MARK: - Events

  @Test("Events are stored once, listed, and those that are wrong are named while the rest goes on")
  func told() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      let batch = """
        [\(Self.told("failure", "a")), \(Self.told("faliure", "b")),
         \(Self.told("repair", "c", device: "press9")), \(Self.told("repair", "d")),
         {"asset": "acme/line1/press2", "kind": "inspection", "start": 1795248000, "end": 1795240000}]
        """
      let answer = try await bench.post(Self.events, batch)
      #expect(answer.status == 200)
      #expect(answer.json["accepted"]?.integer == 2)
      let rejected = answer.json["rejected"]?.elements ?? []
      #expect(rejected.map { $0["index"]?.integer } == [1, 2, 4])
      #expect(
        rejected.map { $0["code"]?.text } == ["unknown_kind", "unknown_device", "end_before_start"])
      #expect(rejected[0]["detail"]?.text?.contains("did you mean `failure`?") == true)
      #expect(rejected[1]["detail"]?.text?.contains("did you mean `press1`?") == true)
      #expect(rejected[2]["pointer"]?.text == "/4/end")
      let again = try await bench.post(Self.events, batch)
      #expect(again.json["duplicates"]?.integer == 2 && again.json["accepted"]?.integer == 0)
      let one = try await bench.post(Self.events, Self.told("failure", "a"))
      #expect(one.status == 200 && one.json["duplicates"]?.integer == 1)
      let list = try await bench.get(Self.events + "?device=press1").json["items"]?.elements ?? []
      #expect(list.compactMap { $0["event_id"]?.text } == ["d", "a"])
      #expect(list.first?["kind"]?.text == "repair")
      #expect(
        try await bench.get(Self.events + "?device=press2").json["items"]?.elements?.isEmpty == true
      )
    }
  }

  @Test(
    "A single event that is wrong is a problem with its place",
    arguments: [
      (#"{"device_id": "press9", "kind": "repair", "start": 1795248000}"#, "/device_id"),
      (#"{"asset": "acme/line1/press9", "kind": "repair", "start": 1795248000}"#, "/asset"),
      (#"{"device_id": "press1", "kind": "mend", "start": 1795248000}"#, "/kind"),
      (#"{"device_id": "press1", "kind": "repair", "start": 1795248000, "end": 1}"#, "/end"),
      (#"{"device_id": "press1", "kind": "repair"}"#, "/start"), ("7", ""),
    ])
  func refused(_ body: String, _ pointer: String) async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      let answer = try await bench.post(Self.events, body)
      #expect(answer.status == 422 && answer.problem == "invalid", "\(answer.text)")
      #expect(answer.json["errors"]?.elements?.first?["pointer"]?.text == pointer)
    }
  }

  @Test("An event of that name among other events, or as a CloudEvent, is checked in the same way")
  func otherWays() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      let wrong = try await bench.post(
        "/api/v1/events",
        #"{"event": {"device_id": "press1", "name": "MaintenanceEvent", "properties": {"kind": "mend"}}}"#
      )
      #expect(wrong.status == 422)
      #expect(wrong.json["errors"]?.elements?.first?["pointer"]?.text == "/event/properties/kind")
      let right = try await bench.post(
        "/api/v1/events",
        #"{"event": {"event_id": "e1", "device_id": "press1", "name": "maintenance_event", "properties": {"kind": "repair"}}}"#
      )
      #expect(right.status == 200, "\(right.text)")
      let cloud = try await bench.post(
        "/api/v1/events",
        #"{"specversion": "1.0", "id": "7", "source": "/cmms", "type": "com.example.MaintenanceEvent", "subject": "device/press1", "data": {"kind": "preventive"}}"#,
        headers: [.contentType: "application/cloudevents+json"])
      #expect(cloud.status == 200, "\(cloud.text)")
      let list = try await bench.get(Self.events).json["items"]?.elements ?? []
      #expect(list.map { $0["kind"]?.text } == ["preventive", "repair"])
    }
  }

  // MARK: - Predictions

  @Test(
    "A prediction has the promised members; below five failures its basis is the declared prior")
  func prediction() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await Self.work(bench, vibration: 1)
      let answer = try await bench.post(Self.predict, #"{"device_id": "press1"}"#)
      #expect(answer.status == 200, "\(answer.text)")
      let json = answer.json
      for name in [
        "device_id", "health", "failure_probability", "remaining_useful_life", "reasons",
        "recommended_action", "model", "basis", "zone", "scale",
      ] {
        #expect(json[name] != nil, "\(name)")
      }
      #expect(json["basis"]?.text == "weibull_prior" && json["model"]?.isNull == true)
      #expect(json["zone"]?.text == "A")
      let day = try #require(Self.number(json["failure_probability"]?["24h"]))
      let month = try #require(Self.number(json["failure_probability"]?["30d"]))
      #expect(day > 0 && day < month && month < 1)
      let parts = (json["reasons"]?.elements ?? []).compactMap { Self.number($0["contribution"]) }
      let explained = json["explained"]
      let (base, value) = (
        try #require(Self.number(explained?["base"])),
        try #require(Self.number(explained?["value"]))
      )
      #expect((parts.reduce(0, +) - (value - base)).magnitude < 1e-12)
      #expect(json["remaining_useful_life"]?["unit"]?.text == "strokes")
    }
  }

  @Test(
    "With zones alone the probabilities are null; without an entry everything is, and it says why")
  func zones() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await Self.work(bench, device: "press2", vibration: 3.4)
      let json = try await bench.post(Self.predict, #"{"device_id": "press2"}"#).json
      #expect(json["basis"]?.text == "zones" && json["zone"]?.text == "C")
      #expect(json["failure_probability"]?["7d"]?.isNull == true)
      #expect(json["scale"]?.text == "health")
      let none = try await bench.post(Self.predict, #"{"device_id": "fan"}"#)
      #expect(none.status == 200 && none.json["health"]?.isNull == true)
      #expect(none.json["recommended_action"]?["code"]?.text == "not_configured")
      let unknown = try await bench.post(Self.predict, #"{"device_id": "pres1"}"#)
      #expect(unknown.status == 404 && unknown.text.contains("did you mean `press1`"))
      #expect(try await bench.post(Self.predict, "{}").status == 422)
    }
  }

  @Test("Readings that come with the question are scored and never stored")
  func readings() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await Self.work(bench, vibration: 1)
      let now = Timestamp.now
      let readings: String = (1...10).map { minute in
        let time = now.advanced(byMicroseconds: Int64(minute) * 60_000_000)
        return
          #"{"timestamp": "\#(time.rfc3339)", "metrics": {"vibration": 6.5, "state": "running"}}"#
      }.joined(separator: ",")
      let asked = try await bench.post(
        Self.predict, #"{"device_id": "press1", "readings": [\#(readings)]}"#)
      #expect(asked.json["zone"]?.text == "D", "\(asked.text)")
      #expect(asked.json["recommended_action"]?["code"]?.text == "stop_and_repair")
      let stored = try await bench.post(Self.predict, #"{"device_id": "press1"}"#)
      #expect(stored.json["zone"]?.text == "A")
      let samples = try await bench.get("/api/v1/devices/press1")
      #expect(!samples.text.contains("6.5"))
      for (body, pointer) in [
        (#"{"device_id": "press1", "readings": []}"#, "/readings"),
        (
          #"{"device_id": "press1", "readings": [{"metrics": {"vibration": 1}}]}"#,
          "/readings/0/timestamp"
        ),
        (
          #"{"device_id": "press1", "readings": [{"timestamp": 1795248000}]}"#,
          "/readings/0/metrics"
        ),
        (
          #"{"device_id": "press1", "readings": [{"timestamp": 1795248000, "metrics": {"vibratoin": 1}}]}"#,
          "/readings/0/metrics"
        ),
        (
          #"{"device_id": "press1", "readings": [{"timestamp": 1795248000, "metrics": {"vibration": [1]}}]}"#,
          "/readings/0/metrics/vibration"
        ),
      ] {
        let refused = try await bench.post(Self.predict, body)
        #expect(refused.status == 422, "\(body)")
        #expect(
          refused.json["errors"]?.elements?.first?["pointer"]?.text == pointer, "\(refused.text)")
      }
    }
  }

  // MARK: - Plan

  @Test("The plan lists the most urgent machine first; a replacement takes it from the list")
  func plan() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await Self.work(bench, vibration: 1)
      try await Self.work(bench, device: "press2", vibration: 5)
      let items = try await bench.get(Self.plan).json["items"]?.elements ?? []
      #expect(items.compactMap { $0["device_id"]?.text } == ["press2", "press1"])
      #expect(items[0]["zone"]?.text == "D")
      #expect(items[0]["recommended_action"]?["code"]?.text == "stop_and_repair")
      #expect(items[0]["cost_of_waiting"]?.isNull == true)
      #expect(items[0]["cost_of_waiting_reason"]?.text?.contains("costs") == true)
      #expect(items[1]["cost_of_waiting"]?["currency"]?.text == "EUR")
      #expect(items[1]["asset"]?.text == "acme/line1/press1")
      let journal = try await bench.get("/api/v1/maintenance/recommendations?device=press2").json
      #expect(journal["items"]?.elements?.first?["properties"]?["zone"]?.text == "D")

      _ = try await bench.post(Self.events, Self.told("replacement", "r1", device: "press2"))
      let after = try await bench.get(Self.plan + "?device=press2").json["items"]?.elements ?? []
      #expect(after.first?["zone"]?.isNull == true)
      #expect(after.first?["recommended_action"]?["code"]?.text == "no_action")
      let told = try await bench.get("/api/v1/maintenance/recommendations?device=press2").json
      #expect(told["items"]?.elements?.first?["properties"]?["code"]?.text == "no_action")
    }
  }

  @Test("A service that falls due is recommended, in Portuguese where it is asked for")
  func service() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await Self.work(bench, vibration: 1, minutes: 70)
      let answer = try await bench.get(
        Self.plan + "?device=press1", headers: [.acceptLanguage: "pt-BR"])
      let item = answer.json["items"]?.elements?.first
      #expect(item?["recommended_action"]?["code"]?.text == "service_due", "\(answer.text)")
      #expect(item?["recommended_action"]?["text"]?.text?.hasPrefix("Trocar o óleo") == true)
      #expect(item?["services"]?.elements?.first?["due"] == .bool(true))
      _ = try await bench.post(
        Self.events, Self.told("preventive", "p1", #", "resets_life": false"#))
      let after = try await bench.get(Self.plan + "?device=press1").json["items"]?.elements?.first
      #expect(after?["services"]?.elements?.first?["due"] == .bool(false))
    }
  }

  // MARK: - Models

  private static func set(version: Int, failures: Int = 7, scope: String = "press1") -> String {
    let features = [
      "vibration mean 5", "vibration mean 10", "vibration mean 30", "vibration slope 30",
      "vibration deviation 30", "vibration change since first 20", "vibration mean since start",
    ]
    let units = ["mm/s", "mm/s", "mm/s", "mm/s/strokes", "mm/s", "mm/s", "mm/s"]
    let all = zip(features, units).map { Feature($0, unit: $1) } + [Feature("age", unit: "strokes")]
    let model = ScoringModel(
      reference: ModelReference(name: "\(scope)/7d", version: version, trainedAt: .epoch),
      features: all,
      kind: .logistic(
        LinearModel(
          base: -2, weights: all.map { _ in 0.1 }, means: all.map { _ in 1 })),
      output: .probability(
        horizon: Horizon(name: "7d", seconds: 604_800, usage: 1_680), calibration: .identity))
    let set = MaintenanceModelSet(
      scope: scope, version: version, trainedAt: .epoch, labelledFailures: failures, features: all,
      periodMicroseconds: 3_600_000_000, usageUnit: "strokes", models: [model], report: "{}")
    return #"{"model": "\#(Data(set.encoded).base64EncodedString())"}"#
  }

  @Test(
    "A set of models is put in force as a whole, listed, and used; what does not fit is refused")
  func models() async throws {
    try await Bench.run(yaml: Self.yaml) { bench in
      try await Self.work(bench, vibration: 1)
      let path = "/api/v1/maintenance/models"
      let taken = try await bench.post(path, Self.set(version: 1))
      #expect(taken.status == 200, "\(taken.text)")
      let json = try await bench.post(Self.predict, #"{"device_id": "press1"}"#).json
      #expect(json["basis"]?.text == "model" && json["model"]?["name"]?.text == "press1/7d")
      #expect(json["model"]?["version"]?.integer == 1)
      let list = try await bench.get(path).json["items"]?.elements ?? []
      #expect(list.map { $0["scope"]?.text } == ["press1"])
      #expect(try await bench.post(path, Self.set(version: 2, failures: 4)).status == 422)
      #expect(try await bench.post(path, Self.set(version: 1, failures: 9)).status == 409)
      #expect(try await bench.post(path, Self.set(version: 1, scope: "press9")).status == 404)
      #expect(try await bench.post(path, Self.set(version: 1, scope: "press2")).status == 422)
      #expect(try await bench.post(path, #"{"model": "AQ=="}"#).status == 422)
      // The trail shows who did it.
      let trail = try await bench.get("/api/v1/events?name=OperatorCommand")
      #expect(trail.text.contains("maintenance.model"))
    }
  }
}
