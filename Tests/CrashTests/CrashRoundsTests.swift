import Foundation
import MQTT
import Storage
import Synchronization
import Telemetry
import TestSupport
import Testing

/// What was handed over with a promise: the broker's PUBACK (the broker then owes it to us) or our 200.
private struct Promised {
  var json: [Double] = []
  var bare: [Double] = []
  var httpMetrics: [Double] = []
  var events: Set<String> = []
  private var next = 0

  static let epochMilliseconds = 1_700_000_000_000

  /// Seven messages of the machine are fine, seven are not, and so on.
  static func isHot(_ number: Int) -> Bool { number / 7 % 2 == 1 }

  /// The messages with which it became hot, and those with which it was fine again.
  var rises: [Double] { json.filter { Self.isHot(Int($0)) && !Self.isHot(Int($0) - 1) } }
  var falls: [Double] { json.filter { !Self.isHot(Int($0)) && Self.isHot(Int($0) - 1) } }

  mutating func lines(_ count: Int) -> (json: String, bare: String, repeated: String) {
    var texts = (json: "", bare: "", repeated: "")
    for _ in 0..<count {
      next += 1
      let isHot = Promised.isHot(next)
      texts.json +=
        #"{"ts": \#(Promised.epochMilliseconds + next * 10), "v": \#(next), "hot": \#(isHot ? next : -next), "state": "\#(isHot ? "fault" : "running")"}"#
        + "\n"
      texts.bare += "\(next)\n"
      texts.repeated += "1\n"
      json.append(Double(next))
      bare.append(Double(next))
    }
    return texts
  }
}

@Suite(.serialized) struct CrashRoundsTests {
  private var rounds: Int {
    ProcessInfo.processInfo.environment["MILLWRIGHT_CRASH_ROUNDS"].flatMap(Int.init) ?? 20
  }

  @Test("After any number of kills and power cuts every acknowledged message is there exactly once")
  func crashRounds() async throws {
    let seed =
      ProcessInfo.processInfo.environment["MILLWRIGHT_SEED"].flatMap(UInt64.init) ?? 20_261_121
    var random = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let ear = try EffectEar(port: broker.port)
    defer { ear.stop() }
    try Self.configure(scratch.path)
    let gateway = try GatewayProcess(directory: scratch.path, brokerPort: broker.port)
    // The session must exist before the first message, or the broker would keep nothing for us.
    try gateway.start()
    #expect(
      await eventually { gateway.request("GET", "/health")?.body.contains(#""connected""#) == true }
    )
    var promised = Promised()
    for round in 0..<rounds {
      if gateway.process?.isRunning != true {
        try gateway.start(commitDelayMilliseconds: [0, 2, 10, 40].randomElement(using: &random)!)
      }
      // Every fourth round may kill it while it still replays; the others let it come up first.
      if Int.random(in: 0..<4, using: &random) > 0 {
        #expect(await eventually { gateway.request("GET", "/health/live")?.status == 200 })
      }
      let publishers = try publish(
        &promised, count: Int.random(in: 20...1_500, using: &random), port: broker.port)
      if Bool.random(using: &random) { submit(&promised, round: round, gateway) }
      let delay = Int.random(in: 0...400, using: &random)
      try await Task.sleep(for: .milliseconds(delay))
      if Bool.random(using: &random) { submit(&promised, round: round + 1_000_000, gateway) }
      gateway.kill()
      try gateway.loseUnsynced(random: &random)
      for publisher in publishers { #expect(publisher.wait() == 0) }
    }
    try gateway.start()
    let reader = try await drained(gateway, promised)
    // What the rules sent is behind a cursor: it comes after what caused it.
    let rises = Set(promised.rises)
    #expect(await eventually { Set(ear.values).isSuperset(of: rises) }, "every effect arrives")
    let oee = gateway.request("GET", Self.oee)?.body
    #expect(gateway.stop() == 0, "a clean stop")
    let comment: Comment = "seed \(seed), \(rounds) rounds"
    try verify(promised, reader: reader, comment: comment)
    try verifyStages(promised, ear, oee: oee ?? "", directory: reader, comment)
    let journal = try FileManager.default.contentsOfDirectory(
      atPath: gateway.dataDirectory + "/journal")
    #expect(journal.isEmpty, "a clean stop leaves nothing to replay")
  }

  private static let oee =
    "/api/v1/industry40/oee?machine=crash.json&from=1699999999&to=1700086399"

  /// A rule, an effect and a machine, each of which can be counted message by message.
  private static func configure(_ directory: String) throws {
    for (name, text) in [
      (
        "devices",
        """
        devices:
          - {id: crash.json, topic: crash/json}
        machines:
          - device: crash.json
            states: {running: running, fault: unplanned_stop}
            counters: {total: v}
            ideal_cycle: 10 ms
            telemetry_timeout: 12 h
        """
      ),
      (
        "rules",
        """
        rules:
          - id: hot
            scope: {device: crash.json}
            when: hot > 0
            actions:
              - alarm
              - mqtt: {topic: "crashed/{device}", payload: "{value}"}
        """
      ),
    ] {
      try FileManager.default.createDirectory(
        atPath: directory + "/" + name, withIntermediateDirectories: true)
      try text.write(
        toFile: directory + "/\(name)/crash.yaml", atomically: true, encoding: .utf8)
    }
  }

  /// The stages came to what they would have come to without a kill: each rise and fall of the signal once.
  private func verifyStages(
    _ promised: Promised, _ ear: EffectEar, oee: String, directory: String, _ comment: Comment
  ) throws {
    let store = try OfflineStore(directory: directory)
    let console = SQLConsole(secondsMax: 60, rowsMax: 1_000_000)
    func numbers(_ name: String) throws -> [Double] {
      try console.run(
        """
        SELECT abs(json_extract(properties, '$.values[0].value')) FROM event
        WHERE name = '\(name)' AND device = 'crash.json' ORDER BY id
        """, reader: store.reader
      ).rows.map { row in
        switch row[0] {
        case .integer(let number): Double(number)
        case .real(let number): number
        default: -1
        }
      }
    }
    #expect((try numbers("AlarmRaised") == promised.rises) == true, comment)
    #expect((try numbers("AlarmReturned") == promised.falls) == true, comment)
    let changes = try console.run(
      "SELECT count(*) FROM event WHERE name = 'MachineStateChanged'", reader: store.reader)
    #expect(
      changes.rows.first?[0] == .integer(Int64(promised.rises.count + promised.falls.count + 1)),
      comment)
    // At least once: what was sent in the moment of a kill may come twice, and says so by its number.
    #expect(Set(ear.values) == Set(promised.rises), comment)
    let parts = promised.json.count - 1
    #expect(oee.contains(#""total":\#(parts),"#), "\(comment): \(oee.prefix(2_000))")
  }

  /// Three publishers of the broker's own make; each ends when the broker has acknowledged all.
  private func publish(
    _ promised: inout Promised, count: Int, port: Int
  ) throws -> [ChildProcess] {
    let lines = promised.lines(count)
    let client = try TestBroker.find("mosquitto_pub")
    func start(_ topic: String, _ text: String) throws -> ChildProcess {
      let file = NSTemporaryDirectory() + "lines-" + UUID().uuidString
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return try ChildProcess(
        "/bin/sh",
        [
          "-c",
          "\(client) -p \(port) -q 1 -t \(topic) -l < \(file); code=$?; rm -f \(file); exit $code",
        ])
    }
    return [
      try start("crash/json", lines.json), try start("crash/bare/count", lines.bare),
      try start("crash/bare/state", lines.repeated),
    ]
  }

  /// A batch of readings and an event over HTTP; counted only when we were told 200.
  private func submit(_ promised: inout Promised, round: Int, _ gateway: GatewayProcess) {
    let metrics =
      #"{"device_id": "web", "device_type": "x", "timestamp": \#(1_700_000_000 + round), "metrics": {"v": \#(round)}}"#
    if gateway.request("POST", "/api/v1/industry40/iot/ingest", body: metrics)?.status == 200 {
      promised.httpMetrics.append(Double(round))
    }
    let id = "event-\(round)"
    let event =
      #"{"event": {"event_id": "\#(id)", "user_id": "u", "name": "Login", "timestamp": 1700000000, "properties": {}}}"#
    if gateway.request("POST", "/api/v1/events", body: event)?.status == 200 {
      promised.events.insert(id)
    }
  }

  /// Waits until the broker has nothing left for us and everything promised has come.
  private func drained(_ gateway: GatewayProcess, _ promised: Promised) async throws -> String {
    let counts =
      "/api/v1/query?match=crash.bare/*&from=2000-01-01&to=2100-01-01&step=36500d&agg=count"
    let wanted = "\"count\":[\(promised.bare.count)]"
    // A backlog of all rounds may take its time.
    let isDrained = await eventually(
      {
        guard let answer = gateway.request("GET", counts), answer.status == 200 else {
          return false
        }
        return answer.body.components(separatedBy: wanted).count == 3  // Both series hold that many.
      }, tries: 6_000 + 600 * rounds)
    #expect(isDrained, "the broker delivers all that it acknowledged")
    return gateway.dataDirectory
  }

  private func verify(_ promised: Promised, reader directory: String, comment: Comment) throws {
    let store = try OfflineStore(directory: directory)
    let catalog = try store.reader.catalog()
    func values(_ key: String) throws -> [Double] {
      guard
        let series = catalog.series.first(where: { catalog.key(of: $0.index).description == key })
      else { return [] }
      let page = try store.reader.page(
        of: series.index, from: .distantPast, through: .distantFuture, count: .max)
      #expect(page.next == nil)
      return page.columns.bits.map { Double(bitPattern: $0) }
    }
    let json = try values("crash.json/v")
    let lost = Set(promised.json).subtracting(json)
    #expect(lost.isEmpty, "\(comment): \(lost.count) lost, of them \(lost.min() ?? 0)")
    #expect((json.sorted() == promised.json) == true, comment)
    let bare = try values("crash.bare/count")
    #expect(bare.count == promised.bare.count, comment)
    #expect((bare.sorted() == promised.bare) == true, comment)
    #expect(try values("crash.bare/state").count == promised.bare.count, comment)
    #expect(catalog.series.allSatisfy { catalog.key(of: $0.index).device != "crashed" }, "echoes")
    let web = Set(try values("web/v"))
    #expect(web.isSuperset(of: promised.httpMetrics), comment)
    let console = SQLConsole(secondsMax: 60, rowsMax: 1_000_000)
    let rows = try console.run("SELECT event_id FROM event", reader: store.reader).rows
    let events = rows.compactMap { row in if case .text(let id) = row[0] { id } else { nil } }
    #expect(Set(events).isSuperset(of: promised.events), comment)
    #expect(Set(events).count == events.count, comment)
  }
}

/// Hears what the rule sends.
private final class EffectEar: Sendable {
  private final class Memory: Sendable {
    let values = Mutex<[Double]>([])
  }

  private let memory = Memory()
  private let publisher: Publisher

  init(port: Int) throws {
    var settings = MQTTSettings()
    settings.port = Int32(port)
    publisher = try Publisher(
      settings: settings, clientID: "crash-ear", status: nil, filters: ["crashed/#"],
      onEvent: { [memory] event in
        guard case .received(_, let payload) = event,
          let value = Double(String(decoding: payload, as: UTF8.self))
        else { return }
        memory.values.withLock { $0.append(value) }
      })
    publisher.start()
  }

  func stop() { publisher.stop(lastWords: nil) }

  var values: [Double] { memory.values.withLock { $0 } }
}
