import Foundation
import Telemetry
import Testing

@testable import Web

@Suite("What-if over HTTP")
struct WhatIfTests {
  private static let path = "/api/v1/industry40/twin/press1/simulate"

  private static func number(_ value: JSONValue?) -> Double? {
    guard case .number(let digits)? = value else { return nil }
    return Double(digits)
  }

  /// Six hours until now: 20 °C in the hall, 0.5 °C for each bar with 900 s of delay; pressure steps each hour.
  private static func run(_ bench: Bench) async throws {
    let now = Int(Date().timeIntervalSince1970)
    var temperature = 20.0
    var readings: [String] = []
    for step in 0..<360 {
      let pressure = (step / 60).isMultiple(of: 2) ? 2.0 : 8.0
      readings.append(
        #"{"device_id": "press1", "timestamp": \#(now - (360 - step) * 60), "metrics": {"temperature": \#(temperature), "pressure": \#(pressure)}}"#
      )
      temperature += (20 + 0.5 * pressure - temperature) * (1 - exp(-60.0 / 900))
    }
    let answer = try await bench.post(IngestTests.path, "[\(readings.joined(separator: ","))]")
    #expect(answer.status == 200, "\(answer.text)")
  }

  @Test(
    "A temperature is projected by the delay and gain that its history shows, with its fit error")
  func thermal() async throws {
    try await Bench.run { bench in
      try await Self.run(bench)
      let answer = try await bench.post(
        Self.path,
        #"{"signal": "temperature", "set_points": {"pressure": 8}, "history": "6h", "horizon": "2h", "every": "10 min"}"#
      )
      #expect(answer.status == 200, "\(answer.text)")
      let json = answer.json
      #expect(json["label"]?.text == "projection")
      #expect(json["model"]?.text == "thermal")
      let delay = try #require(Self.number(json["parameters"]?["time_constant"]?["value"]))
      #expect((delay - 900).magnitude < 30, "\(delay)")
      let settled = try #require(Self.number(json["parameters"]?["settles_at"]?["value"]))
      #expect((settled - 24).magnitude < 0.05, "\(settled)")
      #expect(json["points"]?.elements?.count == 13)
      #expect(json["extrapolated"]?.elements == [])
      #expect(Self.number(json["fit"]?["r_squared"]) ?? 0 > 0.99)
      let beyond = try await bench.post(
        Self.path, #"{"signal": "temperature", "set_points": {"pressure": 12}, "history": "6h"}"#)
      #expect(beyond.json["extrapolated"]?.elements == [.string("pressure")])
    }
  }

  @Test(
    "A history that bears no model, and a question that names nothing, are refused with a sentence")
  func refusals() async throws {
    try await Bench.run { bench in
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "metrics": {"temperature": 20, "pressure": 3}}"#)
      let cases: [(String, Int, String)] = [
        (#"{"signal": "temperature", "set_points": {"pressure": 8}}"#, 422, "too_few_points"),
        (
          #"{"signal": "temprature", "set_points": {"pressure": 8}}"#, 422,
          "did you mean `temperature`?"
        ),
        (#"{"signal": "temperature"}"#, 422, "/set_points"),
        (
          #"{"signal": "temperature", "set_points": {"temperature": 8}}"#, 422,
          "cannot drive itself"
        ),
        (
          #"{"signal": "temperature", "set_points": {"pressure": "high"}}"#, 422, "must be a number"
        ),
        (
          #"{"signal": "temperature", "set_points": {"pressure": 8}, "horizon": "soon"}"#, 422,
          "/horizon"
        ),
        (
          #"{"signal": "temperature", "set_points": {"pressure": 8}, "model": "magic"}"#, 422,
          "thermal, wear, energy"
        ),
      ]
      for (body, status, sentence) in cases {
        let answer = try await bench.post(Self.path, body)
        #expect(answer.status == status, "\(answer.text)")
        #expect(answer.text.contains(sentence), "\(answer.text)")
      }
      let nobody = try await bench.post(
        "/api/v1/industry40/twin/press7/simulate",
        #"{"signal": "temperature", "set_points": {"pressure": 8}}"#)
      #expect(nobody.status == 404)
    }
  }
}
