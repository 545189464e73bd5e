import Operations
import Telemetry
import Testing

@testable import Gateway
@testable import Web

@Suite("Stops and shift reports over HTTP")
struct StopTests {
  private static let devices =
    Bench.devices.replacing(
      "ideal_cycle: 1 s", with: "ideal_cycle: 1 s\n    calendar: day\n    micro_stop: 60 s")
      + """

      calendars:
        - id: day
          time_zone: UTC
          shifts: [{name: early, days: [sat], from: 08:00, to: 08:30}]
      reasons:
        - {code: jam, description: Parts jammed}
        - {code: trial, description: Agreed with planning, loss: planned}
      """

  /// Six minutes running, four at fault, ten running; from 08:00 of 2026-11-21, UTC.
  private static func work(_ bench: Bench) async throws {
    for (second, state, cycles, good) in [
      (0, "running", 0, 0), (360, "fault", 240, 228), (600, "running", 240, 228),
      (1_200, "idle", 600, 580),
    ] {
      let answer = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": \#(1_795_248_000 + second), "metrics": {"state": "\#(state)", "cycles": \#(cycles), "good": \#(good)}}"#
      )
      #expect(answer.status == 200, "\(answer.text)")
    }
    await bench.gateway.flush()
  }

  /// What the job would do an hour later.
  private static func report(_ bench: Bench, _ pass: ShiftReports.Pass) async throws
    -> [ProductionReport]
  {
    let configuration = bench.gateway.production.configuration
    let now = try #require(Timestamp(rfc3339: "2026-11-21T09:00:00Z"))
    let reports = try await bench.gateway.queries.fetch { reader in
      try ShiftReports(reader: reader, configuration: configuration, now: now, pass: pass)
        .made { false }
    }
    for report in reports {
      let command = OperatorCommand(
        name: ProductionCommands.report, target: report.subject, principal: "gateway",
        body: report.json.encoded)
      _ = try await bench.gateway.submit(Submission(.command(.stage(command))))
    }
    await bench.gateway.flush()
    return reports
  }

  private static let stop =
    #""machine": "press1", "from": "2026-11-21T08:06:00Z", "to": "2026-11-21T08:10:00Z""#
  private static let span = "from=2026-11-21T08:00:00Z&to=2026-11-21T08:30:00Z"

  @Test(
    "A closed shift is reported once; an edit and late data each make one more version, and the old ones stay"
  )
  func versions() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await Self.work(bench)
      let first = try await Self.report(bench, .due)
      #expect(first.map(\.kind) == ["machine", "line"])
      #expect(first.allSatisfy { $0.version == 1 && $0.part == "2026-11-21/early" })
      #expect(try await Self.report(bench, .all) == [])

      let edit = try await bench.post(
        "/api/v1/production/stops/relabel", #"{\#(Self.stop), "reason": "jam", "remark": "feeder"}"#
      )
      #expect(edit.status == 200, "\(edit.text)")
      let second = try await Self.report(bench, .due)
      #expect(second.map(\.version) == [2, 2])
      #expect(second[0].content["edits"]?.elements?.first?["remark"]?.text == "feeder")
      #expect(try await Self.report(bench, .due) == [])

      // 20 more good parts, told late.
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": \#(1_795_248_000 + 1_100), "metrics": {"good": 579, "cycles": 599}}"#
      )
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "timestamp": \#(1_795_248_000 + 1_250), "metrics": {"good": 620, "cycles": 640}}"#
      )
      await bench.gateway.flush()
      #expect(try await Self.report(bench, .due) == [])
      #expect(try await Self.report(bench, .all).map(\.version) == [3, 3])

      let newest = try await bench.get("/api/v1/production/reports?machine=press1&\(Self.span)")
        .json
      #expect(newest["items"]?.elements?.map { $0["version"]?.encoded } == ["3"])
      let all = try await bench.get(
        "/api/v1/production/reports?machine=press1&versions=all&\(Self.span)"
      ).json
      #expect(all["items"]?.elements?.map { $0["version"]?.encoded } == ["1", "2", "3"])
    }
  }

  @Test("A stop is split and relabelled, and the trail says who changed what")
  func edits() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await Self.work(bench)
      let split = try await bench.post(
        "/api/v1/production/stops/split", #"{\#(Self.stop), "at": "2026-11-21T08:08:00Z"}"#)
      #expect(split.status == 200, "\(split.text)")
      let relabel = try await bench.post(
        "/api/v1/production/stops/relabel",
        #"{"machine": "press1", "from": "2026-11-21T08:08:00Z", "to": "2026-11-21T08:10:00Z", "reason": "trial", "remark": "new die"}"#
      )
      #expect(relabel.status == 200, "\(relabel.text)")
      let answer = try await bench.get(
        "/api/v1/production/stops?machine=press1&\(Self.span)"
      ).json
      let trail = try #require(answer["edits"]?.elements)
      #expect(trail.map { $0["action"]?.text } == ["split", "relabel"])
      #expect(trail.allSatisfy { $0["applied"] == .bool(true) })
      #expect(trail[1]["old"]?["state"]?.text == "unplanned_stop")
      #expect(trail[1]["new"]?["state"]?.text == "planned_stop")
      let fault = answer["items"]?.elements?.first
      #expect(fault?["to"]?.text == "2026-11-21T08:08:00Z")
      let log = try await bench.get("/api/v1/events?name=StopEdited").json["items"]?.elements
      #expect(log?.count == 2)
    }
  }

  @Test(
    "Events that are called like ours, but were sent by somebody, change no figure and no report")
  func forged() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await Self.work(bench)
      let first = try await Self.report(bench, .due)
      let report = try #require(first.first)
      let content = report.json.encoded.replacing(
        #""version":1"#, with: #""version":9223372036854775807"#)
      for (name, data) in [
        ("ShiftReported", content),
        (
          "StopEdited",
          #"{"edit": "x", "machine": "press1", "from": "2026-11-21T08:06:00Z", "to": "2026-11-21T08:10:00Z", "action": "relabel", "reason": "trial", "author": "nobody", "time": "2026-11-21T08:20:00Z", "remark": ""}"#
        ),
      ] {
        let answer = try await bench.post(
          "/api/v1/events",
          #"{"event": {"event_id": "\#(name)", "device_id": "press1", "timestamp": 1795249800, "event_type": {"type": "\#(name)", "data": \#(data)}}}"#
        )
        #expect(answer.status == 200, "\(answer.text)")
      }
      await bench.gateway.flush()
      #expect(try await Self.report(bench, .all) == [])
      let reports = try await bench.get(
        "/api/v1/production/reports?machine=press1&versions=all&\(Self.span)"
      ).json
      #expect(reports["items"]?.elements?.count == 1)
      let stops = try await bench.get(
        "/api/v1/production/stops?machine=press1&\(Self.span)"
      ).json
      #expect(stops["edits"]?.elements == [])
    }
  }

  @Test(
    "The setting that went best is told with its evidence, and suggested only where it is no chance"
  )
  func settings() async throws {
    let devices = Bench.devices
      .replacing("ideal_cycle: 1 s", with: "ideal_cycle: 1 s\n    product: product")
      .replacing(
        "      pressure: {unit: bar}",
        with: "      pressure: {unit: bar}\n      product: {kind: state, type: text}")
    try await Bench.run(yaml: devices) { bench in
      // Twelve hours of one product: at 4 bar some 100 good parts an hour, at 6 bar some 120, now at 4 bar.
      let first = 1_795_248_000 - 86_400
      var good = 0
      for hour in 0..<13 {
        let pressure = hour.isMultiple(of: 2) ? 4 : 6
        for quarter in 0..<4 {
          let answer = try await bench.post(
            IngestTests.path,
            #"{"device_id": "press1", "timestamp": \#(first + hour * 3_600 + quarter * 900 + 60), "metrics": {"state": "running", "cycles": \#(good), "good": \#(good), "pressure": \#(pressure), "product": "bracket"}}"#
          )
          #expect(answer.status == 200, "\(answer.text)")
          good += (pressure == 4 ? 25 : 30) + hour % 3
        }
      }
      await bench.gateway.flush()
      let answer = try await bench.get(
        "/api/v1/production/settings?machine=press1&setting=pressure&step=1&from=\(first)&to=\(first + 13 * 3_600)"
      ).json
      let bracket = try #require(answer["items"]?.elements?.first, "\(answer.encoded)")
      #expect(bracket["product"]?.text == "bracket")
      #expect(bracket["best"]?["value"]?.encoded == "6.0")
      #expect(bracket["suggestion"]?["value"]?.encoded == "6.0")
      #expect(bracket["basis"]?.text == "observed_not_tried")
      let undeclared = try await bench.get(
        "/api/v1/production/settings?machine=press1&setting=temperature")
      #expect(undeclared.status == 400)
      #expect(undeclared.text.contains("no declared range"))
    }
  }

  @Test("An edit that fits no stop is refused with a sentence and leaves nothing behind")
  func refusals() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      try await Self.work(bench)
      let cases: [(String, String)] = [
        (#"{\#(Self.stop), "reason": "jma"}"#, "jma"),
        (
          #"{"machine": "press1", "from": "2026-11-21T08:01:00Z", "to": "2026-11-21T08:02:00Z", "reason": "jam"}"#,
          "was not stopped but running"
        ),
        (
          #"{"machine": "press1", "from": "2026-11-21T08:06:00Z", "to": "2026-11-21T08:12:00Z", "reason": "jam"}"#,
          "reaches beyond it"
        ),
        (
          #"{"machine": "press1", "from": "yesterday", "to": "2026-11-21T08:12:00Z", "reason": "jam"}"#,
          "/from"
        ),
        (#"{\#(Self.stop)}"#, "/reason"),
      ]
      for (body, sentence) in cases {
        let answer = try await bench.post("/api/v1/production/stops/relabel", body)
        #expect(answer.status == 422, "\(answer.text)")
        #expect(answer.text.contains(sentence), "\(answer.text)")
      }
      let nobody = try await bench.post(
        "/api/v1/production/stops/relabel",
        #"{"machine": "prss1", "from": "2026-11-21T08:06:00Z", "to": "2026-11-21T08:12:00Z", "reason": "jam"}"#
      )
      #expect(nobody.status == 404)
      #expect(nobody.text.contains("did you mean `press1`?"))
      await bench.gateway.flush()
      #expect(try await bench.get("/api/v1/events?name=StopEdited").json["items"]?.elements == [])
    }
  }
}
