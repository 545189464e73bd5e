import Capture
import Foundation
import Simulator
import Telemetry
import TestSupport
import Testing

/// The way an integrator goes: record, map, check, explain, replay.
@Suite struct CaptureCommandTests {
  private func plantCapture(in folder: Folder) throws -> String {
    let path = folder.path + "/plant.mwcap"
    let start = Timestamp(microseconds: 1_795_248_000_000_000)
    var plant = Plant(seed: 1, start: start)
    let writer = try CaptureWriter(path: path)
    for message in plant.step(to: start.advanced(byMicroseconds: 120_000_000)) {
      try writer.append(
        CapturedMessage(time: message.time, topic: message.topic, payload: message.payload))
    }
    try writer.close()
    return path
  }

  @Test("A capture is mapped, the file is written after --yes and passes the check")
  func map() throws {
    let folder = try Folder()
    let capture = try plantCapture(in: folder)
    let dry = try Executable.run(["map", "--from-capture", capture, "--dry-run"], in: folder.path)
    #expect(dry.status == 0)
    #expect(dry.output.contains("plant/rooms/{device}/{metric}"))
    #expect(dry.output.contains("kind: counter"))
    let refused = try Executable.run(["map", "--from-capture", capture], in: folder.path)
    #expect(refused.status == 1 && refused.errors.contains("--yes"))
    let outcome = try Executable.run(["map", "--from-capture", capture, "--yes"], in: folder.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(FileManager.default.fileExists(atPath: folder.path + "/devices/mapped.yaml"))
    let check = try Executable.run(["check"], in: folder.path)
    #expect(check.status == 0, "\(check.output)")
    let again = try Executable.run(["map", "--from-capture", capture, "--yes"], in: folder.path)
    #expect(again.output.contains("Everything is understood already"))
  }

  @Test("Explain tells route, device, profile and unit with their reasons, and refusals")
  func explain() throws {
    let folder = try Folder()
    try folder.write(
      """
      profiles:
        - {id: press, metrics: {temperature: {unit: °C, range: [0, 120]}}}
      routes:
        - {topic: "plant/{line}/{device}/telemetry", device: "{device}", profile: press, asset: "acme/{line}/{device}"}
      """, to: "devices/line.yaml")
    let told = try Executable.run(
      [
        "check", "--explain", "plant/line1/press1/telemetry", "--payload",
        #"{"temperature": {"value": 212, "unit": "°F"}, "speed": 3}"#,
      ], in: folder.path)
    #expect(told.status == 0, "\(told.errors)")
    for part in [
      "route `plant/{line}/{device}/telemetry`", "device    press1", "profile   press",
      "acme/line1/press1", "100", "Cel", "profile `press`", "guessed from its first value",
    ] {
      #expect(told.output.contains(part), "\(part) in \(told.output)")
    }
    let refused = try Executable.run(
      ["check", "--explain", "spBv1.0/g/NDATA/n", "--payload", "nonsense"], in: folder.path)
    #expect(refused.output.contains("laid out as Sparkplug B says"))
    #expect(refused.output.contains("not_sparkplug"))
    let announced = try Executable.run(
      ["check", "--explain", "tele/plug/SENSOR", "--payload", #"{"ENERGY":{"Power":12}}"#],
      in: folder.path)
    #expect(announced.output.contains("tasmota") && announced.output.contains("W"))
  }

  @Test("A capture that was cut off is replayed up to there, and the rest is told")
  func replay() throws {
    let folder = try Folder()
    let capture = try plantCapture(in: folder)
    let whole = try Executable.run(["replay", capture, "--dry-run"])
    #expect(whole.status == 0)
    let lines = whole.output.split(separator: "\n")
    #expect(lines.count > 500)
    #expect(lines[0].hasPrefix("2026-11-21T08:00:00Z plant/"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: capture))
    try bytes.dropLast(10).write(to: URL(fileURLWithPath: capture + ".cut"))
    let cut = try Executable.run(["replay", capture + ".cut", "--dry-run"])
    #expect(cut.status == 1 && cut.errors.contains("cut off"))
    let none = try Executable.run(["replay", "--dry-run"])
    #expect(none.status == 64)
  }

  @Test("Recorded from one broker and replayed into another, nothing is lost on the way")
  func brokers() async throws {
    let scratch = try Scratch()
    for name in ["a", "b"] {
      try FileManager.default.createDirectory(
        atPath: scratch.path + "/" + name, withIntermediateDirectories: true)
    }
    let first = try TestBroker(directory: scratch.path + "/a")
    let second = try TestBroker(directory: scratch.path + "/b")
    func record(_ name: String, _ broker: TestBroker) throws -> ChildProcess {
      try ChildProcess(
        Executable.path,
        [
          "record", scratch.path + "/\(name).mwcap", "--topic", "plant/#", "--messages", "300",
          "--mqtt-port", "\(broker.port)",
        ], outputPath: scratch.path + "/\(name).log")
    }
    func isListening(_ name: String) -> Bool {
      let log = try? String(contentsOfFile: scratch.path + "/\(name).log", encoding: .utf8)
      return log?.contains("recording") == true  // Not there yet: not listening.
    }
    let recorder = try record("one", first)
    #expect(await eventually { isListening("one") })
    let sent = try Executable.run([
      "simulate", "--mqtt-port", "\(first.port)", "--messages", "300", "--speed", "0",
    ])
    #expect(sent.status == 0, "\(sent.errors)")
    #expect(recorder.wait() == 0)
    let other = try record("two", second)
    #expect(await eventually { isListening("two") })
    let replayed = try Executable.run([
      "replay", scratch.path + "/one.mwcap", "--speed", "0", "--mqtt-port", "\(second.port)",
    ])
    #expect(replayed.status == 0, "\(replayed.errors)")
    #expect(other.wait() == 0)
    func messages(_ name: String) throws -> [[UInt8]] {
      try CaptureReader(path: scratch.path + "/\(name).mwcap").map {
        Array($0.topic.utf8) + $0.payload
      }
    }
    let one = try messages("one")
    let two = try messages("two")
    #expect(one.count == 300)
    // QoS 0 and 1 travel apart, so their order may differ.
    #expect(Set(one) == Set(two) && one.count == two.count)
  }
}
