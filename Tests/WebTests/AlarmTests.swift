import Gateway
import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("Alarms over HTTP")
struct AlarmTests {
  private static let rules = """
    rules:
      - id: press-hot
        scope: {profile: press}
        when: temperature > 80 °C
        latched: true
        priority: high
        text: {en: "{device} has {value} {unit}", pt-BR: "{device} está com {value} {unit}"}
    """

  private static func measure(_ bench: Bench, _ value: Double, at second: Int) async throws {
    let answer = try await bench.post(
      IngestTests.path,
      #"{"device_id": "press1", "timestamp": \#(1_795_248_000 + second), "metrics": {"temperature": \#(value)}}"#
    )
    #expect(answer.status == 200, "\(answer.text)")
  }

  private static func alarm(_ bench: Bench) async throws -> JSONValue? {
    try await bench.get("/api/v1/alarms").json["items"]?.elements?.first
  }

  private static func command(
    _ bench: Bench, _ verb: String, _ body: String = #"{"remark": "r"}"#
  ) async throws -> Answer {
    try await bench.post("/api/v1/alarms/press-hot%40press1/\(verb)", body)
  }

  @Test("An alarm lives its life: raised, shelved, back, acknowledged, latched, reset")
  func life() async throws {
    try await Bench.run(rules: Self.rules) { bench in
      try await Self.measure(bench, 70, at: 0)
      #expect(try await Self.alarm(bench) == nil)
      try await Self.measure(bench, 84.5, at: 1)
      let raised = try #require(try await Self.alarm(bench))
      #expect(raised["state"]?.text == "unacknowledged")
      #expect(raised["text"]?.text == "press1 has 84.5 °C")
      #expect(raised["asset"]?.text == "acme/linz/hall1/line1/press1")
      #expect(raised["priority"]?.text == "high")
      let shelved = try await Self.command(bench, "shelve", #"{"for": "30 min"}"#)
      #expect(shelved.json["state"]?.text == "shelved", "\(shelved.text)")
      let back = try await Self.command(bench, "unshelve")
      #expect(back.json["state"]?.text == "unacknowledged")
      let seen = try await Self.command(bench, "acknowledge", #"{"remark": "on my way"}"#)
      #expect(seen.json["state"]?.text == "acknowledged")
      try await Self.measure(bench, 60, at: 2)
      #expect(try await Self.alarm(bench)?["state"]?.text == "latched_acknowledged")
      let reset = try await Self.command(bench, "reset")
      #expect(reset.json["state"]?.text == "normal")
      #expect(try await Self.alarm(bench) == nil)
      let journal = try await bench.get("/api/v1/alarms/journal?device=press1").json["items"]?
        .elements
      #expect(
        journal?.map { $0["name"]?.text ?? "" } == [
          "AlarmCleared", "AlarmLatched", "AlarmAcknowledged", "AlarmRaised", "AlarmShelved",
          "AlarmRaised",
        ])
      #expect(journal?[2]["user_id"]?.text == "anyone")
      #expect(journal?[2]["properties"]?["remark"]?.text == "on my way")
      #expect(journal?[2]["properties"]?["effects"] == nil)
    }
  }

  @Test("What the state of an alarm does not allow is refused with a sentence")
  func refusals() async throws {
    try await Bench.run(rules: Self.rules) { bench in
      let unknown = try await bench.post("/api/v1/alarms/none%40press1/acknowledge", "{}")
      #expect(unknown.status == 404)
      try await Self.measure(bench, 70, at: 0)
      let normal = try await Self.command(bench, "acknowledge")
      #expect(normal.status == 409)
      #expect(normal.text.contains("nothing to acknowledge"))
      try await Self.measure(bench, 90, at: 1)
      #expect(try await Self.command(bench, "reset").status == 409)
      for body in ["{}", #"{"for": "soon"}"#, #"{"for": -3}"#] {
        let answer = try await Self.command(bench, "shelve", body)
        #expect(answer.status == 422, "\(body): \(answer.text)")
      }
      let tooLong = try await Self.command(bench, "shelve", #"{"for": "300 d"}"#)
      #expect(tooLong.status == 409)
      #expect(tooLong.text.contains("at most 8 h"))
    }
  }

  @Test("Who reads Portuguese gets the text in Portuguese")
  func language() async throws {
    try await Bench.run(rules: Self.rules) { bench in
      try await Self.measure(bench, 91, at: 1)
      let answer = try await bench.ask(
        .get, "/api/v1/alarms", headers: [.acceptLanguage: "de, pt-BR;q=0.9, en;q=0.8"])
      let text = answer.json["items"]?.elements?.first?["text"]?.text
      #expect(text == "press1 está com 91 °C")
    }
  }

  @Test("Figures tell how many alarms an operator meets, and which are the worst")
  func figures() async throws {
    try await Bench.run(rules: Self.rules) { bench in
      for second in 0..<6 { try await Self.measure(bench, second % 2 == 0 ? 70 : 90, at: second) }
      let figures = try await bench.get("/api/v1/alarms/statistics").json
      #expect(figures["bad_actors"]?.elements?.first?["activations"] == .number("3"))
      #expect(figures["consoles"]?.elements?.first?["console"]?.text == "main")
    }
  }
}
