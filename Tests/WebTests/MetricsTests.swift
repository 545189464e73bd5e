import Gateway
import HTTPTypes
import Telemetry
import Testing

@testable import Web

/// A strict reader of metrics: every sample belongs to the family announced right before it.
struct MetricsReader {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  var types: [String: String] = [:]
  var values: [String: Double] = [:]
  private var family = ""
  private var hasEnded = false
  private let isOpenMetrics: Bool

  init(_ text: String, isOpenMetrics: Bool) throws {
    self.isOpenMetrics = isOpenMetrics
    guard text.hasSuffix("\n") else { throw Failure(description: "no newline at the end") }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      try read(line)
    }
    guard hasEnded == isOpenMetrics else { throw Failure(description: "# EOF") }
  }

  private mutating func read(_ line: Substring) throws {
    guard !hasEnded, !line.isEmpty else { throw Failure(description: "after the end: \(line)") }
    if line == "# EOF" {
      hasEnded = true
    } else if line.hasPrefix("#") {
      try comment(line)
    } else {
      try sample(line)
    }
  }

  private mutating func comment(_ line: Substring) throws {
    let words = line.split(separator: " ", maxSplits: 3).map(String.init)
    guard words.count == 4 else { throw Failure(description: "\(line)") }
    switch words[1] {
    case "HELP":
      guard types[words[2]] == nil else { throw Failure(description: "twice: \(line)") }
      family = words[2]
      types[family] = ""
    case "TYPE":
      guard words[2] == family, ["counter", "gauge", "histogram"].contains(words[3]) else {
        throw Failure(description: "\(line)")
      }
      types[family] = words[3]
    case "UNIT":
      guard isOpenMetrics, words[2] == family, family.hasSuffix("_" + words[3]) else {
        throw Failure(description: "\(line)")
      }
    default: throw Failure(description: "\(line)")
    }
  }

  private mutating func sample(_ line: Substring) throws {
    guard let blank = line.lastIndex(of: " "), let value = Double(line[line.index(after: blank)...])
    else {
      throw Failure(description: "no value: \(line)")
    }
    let key = String(line[..<blank])
    let name = key.split(separator: "{").first.map(String.init) ?? ""
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
      throw Failure(description: "bad name: \(line)")
    }
    let allowed: [String]
    switch types[family] {
    case "counter": allowed = [isOpenMetrics ? family + "_total" : family]
    case "histogram": allowed = [family + "_bucket", family + "_sum", family + "_count"]
    default: allowed = [family]
    }
    guard allowed.contains(name) else { throw Failure(description: "\(name) is not of \(family)") }
    if types[family] == "counter", !name.hasSuffix("_total") { throw Failure(description: name) }
    guard values.updateValue(value, forKey: key) == nil else {
      throw Failure(description: "twice: \(key)")
    }
  }
}

@Suite("Metrics and health")
struct MetricsTests {
  @Test("Metrics are well-formed in both forms and count what happened", arguments: [false, true])
  func forms(isOpenMetrics: Bool) async throws {
    try await Bench.run { bench in
      try await bench.sendTemperatures(10)
      _ = try await bench.get("/nowhere/\"\n")
      let accept = isOpenMetrics ? "application/openmetrics-text; version=1.0.0" : "text/plain"
      let answer = try await bench.get("/metrics", headers: [.accept: accept])
      let type =
        isOpenMetrics ? "application/openmetrics-text; version=1.0.0" : "text/plain; version=0.0.4"
      #expect(answer.headers[.contentType]?.hasPrefix(type) == true)
      let metrics = try MetricsReader(answer.text, isOpenMetrics: isOpenMetrics)
      #expect(metrics.values["millwright_samples_total"] == 10)
      #expect(metrics.values[#"millwright_broker_state{state="not_configured"}"#] == 1)
      let request = #"{method="POST",route="/api/v1/industry40/iot/ingest",status="200"}"#
      #expect(metrics.values["millwright_http_requests_total" + request] == 1)
      #expect(metrics.values["process_resident_memory_bytes"] ?? 0 > 0)
      #expect(metrics.values["process_open_fds"] ?? 0 > 0)
      let family = isOpenMetrics ? "process_cpu_seconds" : "process_cpu_seconds_total"
      #expect(metrics.types[family] == "counter")
      #expect(metrics.values[#"millwright_commit_latency_seconds_bucket{le="+Inf"}"#] ?? 0 > 0)
    }
  }

  @Test("Health names its checks and is open to everybody")
  func health() async throws {
    try await Bench.run(settings: AccessTests.keys) { bench in
      let answer = try await bench.get("/health")
      #expect(answer.status == 200)
      let names = answer.json["checks"]?.members?.map(\.0)
      #expect(
        names == ["broker", "storage", "journal", "database", "clock", "configuration", "disk"])
      #expect(try await bench.get("/health/live").status == 200)
      #expect(try await bench.get("/health/ready").status == 200)
    }
  }

  @Test("A gateway that cannot make anything durable is unavailable and says why")
  func cannotIngest() {
    var figures = IngestFigures()
    figures.storageProblem = "no space left on device"
    figures.isDiskFull = true
    let report = HealthReport(
      figures: figures, damagedChunks: 0, disk: nil, isMQTTConfigured: false)
    #expect(!report.canIngest)
    #expect(report.status == "unavailable")
    #expect(report.json["checks"]?["storage"]?["detail"]?.text == "no space left on device")
  }

  @Test("What cannot leave for more than ten minutes makes it degraded and names no host")
  func waitingEffects() {
    let now = Timestamp(microseconds: 1_800_000_000_000_000)
    func report(waitedSeconds: Int64) -> HealthReport {
      var lane = EffectFigures.Lane()
      lane.kind = "webhook"
      lane.waiting = 3
      lane.oldestWaiting = now.advanced(byMicroseconds: -waitedSeconds * 1_000_000)
      var effects = EffectFigures()
      effects.lanes = [("webhook:secret.example", lane), ("mqtt", EffectFigures.Lane())]
      return HealthReport(
        figures: IngestFigures(), damagedChunks: 0, disk: nil, isMQTTConfigured: false,
        effects: effects, now: now)
    }
    let check = report(waitedSeconds: 601).json["checks"]?["effects"]
    #expect(check?["status"]?.text == "degraded")
    #expect(
      check?["detail"]?.text == "something has waited more than 10 min to leave by webhook")
    #expect(check?["oldest_waiting_seconds"]?.integer == 601)
    #expect(report(waitedSeconds: 600).json["checks"]?["effects"]?["status"]?.text == "ok")
  }

  @Test("Deliveries are counted by lane and outcome")
  func effectMetrics() throws {
    var lane = EffectFigures.Lane()
    lane.delivered = 5
    lane.waiting = 2
    lane.oldestWaiting = Timestamp(microseconds: 1_000_000)
    var effects = EffectFigures()
    effects.lanes = [("mqtt", lane)]
    for form in [MetricsText.Form.prometheus, .openMetrics] {
      var text = MetricsText(form: form)
      text.addEffects(effects, now: Timestamp(microseconds: 4_000_000))
      let metrics = try MetricsReader(text.finish(), isOpenMetrics: form == .openMetrics)
      #expect(
        metrics.values[#"millwright_effects_total{lane="mqtt",outcome="delivered"}"#] == 5)
      #expect(metrics.values[#"millwright_effects_waiting{lane="mqtt"}"#] == 2)
      #expect(metrics.values[#"millwright_effects_oldest_waiting_seconds{lane="mqtt"}"#] == 3)
    }
  }

  @Test("A lost broker makes it degraded, not unavailable")
  func lostBroker() {
    var figures = IngestFigures()
    figures.broker = .disconnected
    let report = HealthReport(
      figures: figures, damagedChunks: 0, disk: nil, isMQTTConfigured: true)
    #expect(report.status == "degraded")
    let broker = report.json["checks"]?["broker"]
    #expect(broker?["state"]?.text == "disconnected")
  }
}
