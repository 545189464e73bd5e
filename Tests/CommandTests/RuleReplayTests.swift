import Capture
import Foundation
import Telemetry
import Testing

/// `millwright check` and rules.
@Suite struct RuleReplayTests {
  static let devices = """
    profiles:
      - id: press
        metrics: {temperature: {unit: °C, interval: 1 s}}
    devices:
      - {id: press1, profile: press}
    routes:
      - {topic: "plant/{device}", device: "{device}", profile: press}
    """
  static let rules = """
    rules:
      - {id: hot, scope: {profile: press}, when: temperature > 80 °C, for: 2 s, actions: [alarm, log]}
      - {id: gone, scope: {profile: press}, when: "missing(temperature, 20 s)"}
    """

  /// 90 °C from the 11th to the 15th second, then a pause of 30 s.
  private func folder() throws -> (folder: Folder, capture: String) {
    let folder = try Folder()
    try folder.write(Self.devices, to: "devices/line.yaml")
    try folder.write(Self.rules, to: "rules/line.yaml")
    let path = folder.path + "/plant.mwcap"
    let writer = try CaptureWriter(path: path)
    for second in Array(0...20) + Array(51...55) {
      let value = (11...15).contains(second) ? 90 : 60
      try writer.append(
        CapturedMessage(
          time: Timestamp(microseconds: 1_795_248_000_000_000 + Int64(second) * 1_000_000),
          topic: "plant/press1", payload: Array(#"{"temperature": \#(value)}"#.utf8)))
    }
    try writer.close()
    return (folder, path)
  }

  @Test("A check tells mistakes in rules with their place, and counts them among the files")
  func check() throws {
    let (folder, _) = try folder()
    let right = try Executable.run(["check"], in: folder.path)
    #expect(right.status == 0)
    #expect(
      right.output.hasPrefix("ok: 2 files, 0 warnings") && right.output.contains("rules     3"))
    try folder.write(
      Self.rules.replacingOccurrences(of: "temperature > 80 °C", with: "temperatur > 80 °C"),
      to: "rules/line.yaml")
    let wrong = try Executable.run(["check"], in: folder.path)
    #expect(wrong.status == 1)
    #expect(
      wrong.output.hasPrefix(
        "rules/line.yaml:2:46: error: unknown metric `temperatur` in profile `press`, did you mean `temperature`?"
      ), "\(wrong.output)")
  }

  @Test("Against a capture, each rule is told with what it would have done")
  func against() throws {
    let (folder, capture) = try folder()
    let outcome = try Executable.run(
      ["check", "--against", capture, "--json", "--verbose"], in: folder.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(object["messages"] as? Int == 26)
    let rules = try #require(object["rules"] as? [[String: Any]])
    let hot = try #require(rules.first { $0["rule"] as? String == "hot" })
    #expect(hot["activations"] as? Int == 1)
    #expect(hot["active_seconds"] as? Double == 3)
    #expect(hot["actions"] as? Int == 1)
    let gone = try #require(rules.first { $0["rule"] as? String == "gone" })
    #expect(gone["activations"] as? Int == 1)
    // From 20 s after the last value to the next one.
    #expect(gone["longest_seconds"] as? Double == 11)
    let steps = try #require(object["transitions"] as? [[String: Any]])
    #expect(steps.compactMap { $0["time"] as? String }.first == "2026-11-21T08:00:13Z")
    #expect(steps.count == 4)
    let text = try Executable.run(["check", "--against", capture], in: folder.path)
    #expect(text.output.contains("hot") && text.output.contains("2026-11-21T08:00:13Z press1"))
  }

  @Test("What is no capture is said to be none")
  func noCapture() throws {
    let (folder, _) = try folder()
    let outcome = try Executable.run(["check", "--against", "rules/line.yaml"], in: folder.path)
    #expect(outcome.status == 1 && !outcome.errors.isEmpty)
  }
}
