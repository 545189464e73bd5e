import Telemetry
import Testing

@testable import Web

@Suite("Anomalies over HTTP")
struct AnomalyTests {
  @Test("What is unusual now tells its unit as people write it")
  func symbol() async throws {
    let yaml = Bench.devices.replacing(
      "temperature: {unit: °C}", with: "temperature: {unit: °C, range: [0, 90]}")
    try await Bench.run(yaml: yaml) { bench in
      let answer = try await bench.post(
        IngestTests.path, #"{"device_id": "press1", "metrics": {"temperature": 196}}"#)
      #expect(answer.status == 200, "\(answer.text)")
      let items = try await bench.get("/api/v1/anomalies?device=press1").json["items"]?.elements
      let anomaly = try #require(items?.first)
      #expect(anomaly["kind"]?.text == "out_of_range")
      #expect(anomaly["unit"]?.text == "Cel")
      #expect(anomaly["symbol"]?.text == "°C")
      #expect(
        try await bench.get("/api/v1/anomalies?device=mill1").json["items"]?.elements?.count == 0)
    }
  }
}
