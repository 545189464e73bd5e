import Foundation
import Storage
import Telemetry
import Testing

/// What the commands answer from the files of a gateway that does not run.
@Suite struct OfflineTests {
  static let start: Int64 = 1_795_248_000_000_000

  /// A store with ten minutes of one series: half of it sealed, half only in the journal, as after a crash.
  static func makeStore(in folder: Folder) throws -> String {
    let directory = folder.path + "/data"
    let store = try Store(settings: StoreSettings(directory: directory))
    _ = try store.recover { _, _ in }
    store.begin(nowMicroseconds: 0)
    for half in 0..<2 {
      var batch = Batch()
      if half == 0 {
        batch.items = [
          .device(DeviceDefinition(index: 0, id: "press1", profile: "press")),
          .series(
            SeriesDefinition(
              index: 0, device: 0, metric: "temperature", type: .number, kind: .gauge, unit: "Cel")),
        ]
      } else {
        batch.items = [
          .word(id: 0, text: "running"),
          .series(
            SeriesDefinition(index: 1, device: 0, metric: "state", type: .text, kind: .state)),
        ]
        batch.samples.append(Sample(series: 1, time: Timestamp(microseconds: start), bits: 0))
      }
      for second in half * 300..<half * 300 + 300 {
        batch.samples.append(
          Sample(
            series: 0, time: Timestamp(microseconds: start + Int64(second) * 1_000_000),
            bits: Double(second).bitPattern))
      }
      batch.endDelivery(packetID: 0)
      let header = RecordHeader(
        bootID: 1, monotonicMicroseconds: Int64(half), wall: Timestamp(microseconds: start),
        clockQuality: .synchronized)
      let committed = try store.commit(batch, header: header)
      var verdicts: [Verdict] = []
      store.apply(committed, batch, verdicts: &verdicts)
      if half == 0 { try store.flush(nowMicroseconds: 1, everything: true) }
    }
    return directory
  }

  private static let range = ["--from", "2026-11-21T08:00:00Z", "--to", "2026-11-21T08:10:00Z"]

  @Test("What is only in the journal is part of the answer, and nothing is written")
  func journalTail() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    let before = try folder.snapshot()
    let outcome = try Executable.run(
      [
        "query", "press1/temperature", "--data", data, "--step", "5m", "--agg", "count,max",
        "--csv",
      ]
        + Self.range)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output == """
        device,metric,unit,time,count,max\r
        press1,temperature,Cel,2026-11-21T08:00:00Z,300,299\r
        press1,temperature,Cel,2026-11-21T08:05:00Z,300,599\r

        """)
    let after = try folder.snapshot()
    #expect(Set(after.keys) == Set(before.keys))
    #expect(after.filter { before[$0.key] != $0.value }.keys.sorted() == [])
  }

  @Test("The newest values of a device, in a table with units and the zone")
  func latest() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    let outcome = try Executable.run(["query", "press1", "--latest", "--utc", "--data", data])
    #expect(
      outcome.output == """
        series                value  unit  time (UTC)           quality
        press1/state        running        2026-11-21 08:00:00  good
        press1/temperature      599  °C    2026-11-21 08:09:59  good

        """)
  }

  @Test("SQL counts sealed and open samples; statements that write are refused")
  func sql() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    let counted = try Executable.run([
      "query", "--data", data, "--json", "--sql",
      "SELECT count(*) AS n FROM samples WHERE metric = 'temperature'",
    ])
    #expect(counted.output.contains("\"rows\": [[600]]"))
    let refused = try Executable.run(["query", "--data", data, "--sql", "DELETE FROM chunk"])
    #expect(refused.status == 1)
    #expect(refused.errors.contains("read"))
  }

  @Test("An export has a line a sample, in order of time")
  func export() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    let file = folder.path + "/out.csv"
    let outcome = try Executable.run(
      ["export", "--series", "*/temperature", "--data", data, "--output", file])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try String(contentsOfFile: file, encoding: .utf8)
      .components(separatedBy: "\r\n").filter { !$0.isEmpty }
    #expect(lines.count == 601)
    #expect(lines[1] == "press1,temperature,2026-11-21T08:00:00Z,0,Cel,good")
    #expect(lines[600] == "press1,temperature,2026-11-21T08:09:59Z,599,Cel,good")
  }

  @Test("Groups of the quarantine are listed from the files; to change them takes a gateway")
  func quarantineGroups() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    try Self.hold(["plant/press8/state", "plant/press9/state"], in: data)
    let listed = try Executable.run(["quarantine", "groups", "--data", data, "--utc"])
    #expect(listed.status == 0, "\(listed.errors)")
    let lines = listed.output.split(separator: "\n").map(String.init)
    #expect(lines.first?.hasSuffix("unknown_device  2 held, 24 bytes") == true)
    #expect(lines.contains("  topic     plant/+/state"))
    #expect(lines.contains("  shape     json {speed: number}"))
    #expect(lines.contains("  devices   plant.press8.state, plant.press9.state"))
    #expect(lines.contains(#"  example   {"speed": 1}"#))
    #expect(lines.last?.hasPrefix("  next      Adopt the group") == true)
    let id = try #require(lines.first?.split(separator: " ").first.map(String.init))
    for command in ["retry", "adopt", "discard"] {
      let refused = try Executable.run(["quarantine", command, id, "--data", data])
      #expect(refused.status == 3, "\(refused.errors)")
    }
    let row = try Executable.run(["quarantine", "retry", "17", "--data", data])
    #expect(row.status == 1)
    #expect(row.errors.contains("millwright quarantine groups"))
  }

  /// A payload of 12 bytes on each topic, held in the journal alone.
  private static func hold(_ topics: [String], in directory: String) throws {
    let store = try Store(settings: StoreSettings(directory: directory))
    _ = try store.recover { header, batch in
      var verdicts: [Verdict] = []
      store.apply(header, batch, verdicts: &verdicts)
    }
    store.begin(nowMicroseconds: 0)
    let payload = Array(#"{"speed": 1}"#.utf8)
    var batch = Batch()
    batch.items = topics.map { topic in
      let device = topic.replacing("/", with: ".")
      return .quarantined(
        Quarantined(
          cause: .unknownDevice, topic: topic, device: device,
          reason: "device `\(device)` is not known", received: Timestamp(microseconds: start),
          payload: payload, payloadSize: payload.count))
    }
    batch.endDelivery(packetID: 0)
    let header = RecordHeader(
      bootID: 1, monotonicMicroseconds: 9, wall: Timestamp(microseconds: start),
      clockQuality: .synchronized)
    _ = try store.commit(batch, header: header)
  }

  @Test("A name that is nearly right is told what was meant")
  func nearlyRight() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    let outcome = try Executable.run(["query", "press1/temprature", "--data", data])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("did you mean press1/temperature?"))
  }

  @Test("Without data and without a gateway the status is 3")
  func nothing() throws {
    let outcome = try Executable.run(["devices", "--data", "nowhere"])
    #expect(outcome.status == 3)
  }

  @Test(
    "A healthy directory passes the doctor; a chunk with a turned bit does not, until it is repaired"
  )
  func doctor() throws {
    let folder = try Folder()
    let data = try Self.makeStore(in: folder)
    let healthy = try Executable.run(["doctor", "--data", data])
    #expect(healthy.status == 0, "\(healthy.output)")
    try Damage.turnBitInChunk(of: data)
    let damaged = try Executable.run(["doctor", "--data", data])
    #expect(damaged.status == 1)
    #expect(damaged.output.contains("1 of 1 chunks do not pass their checksum"))
    let repaired = try Executable.run(["doctor", "--repair", "--data", data])
    #expect(repaired.status == 0, "\(repaired.output) \(repaired.errors)")
    #expect(repaired.errors.contains("1 chunks with 300 samples are lost"))
    #expect(FileManager.default.fileExists(atPath: data + "/store.sqlite.damaged-1"))
    let losses = try Executable.run([
      "query", "--data", data, "--csv", "--sql", "SELECT cause, series, count FROM loss",
    ])
    #expect(losses.output.contains("damage,0,300"))
    let rest = try Executable.run([
      "query", "--data", data, "--csv", "--sql",
      "SELECT count(*) FROM samples WHERE metric = 'temperature'",
    ])
    #expect(rest.output == "count(*)\r\n600\r\n", "the journal still held what the chunk lost")
  }
}
