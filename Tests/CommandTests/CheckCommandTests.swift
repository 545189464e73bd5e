import Foundation
import Testing

@Suite struct CheckCommandTests {
  static let brokenProfile = """
    profiles:
      - id: press
        metrics:
          temperature: {uint: °C}
    devices:
      - id: press1
        profile: pres

    """

  @Test("An error is told with file, line and column, and ends the check with 1")
  func places() throws {
    let folder = try Folder()
    try folder.write(Self.brokenProfile, to: "devices/line.yaml")
    let outcome = try Executable.run(["check"], in: folder.path)
    #expect(outcome.status == 1)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(
      lines.contains { $0.hasPrefix("devices/line.yaml:4:21: error: ") && $0.contains("`unit`") })
    #expect(
      lines.contains { $0.hasPrefix("devices/line.yaml:7:14: error: ") && $0.contains("`press`") })
    #expect(lines.last == "2 errors, 0 warnings")
  }

  @Test("A key of millwright.yaml that is not known is told with its place")
  func gatewayFile() throws {
    let folder = try Folder()
    try folder.write("http:\n  prot: 8080\n", to: "millwright.yaml")
    let outcome = try Executable.run(["check"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.output.hasPrefix("millwright.yaml:2:3: error: "))
    #expect(outcome.output.contains("`port`"))
  }

  @Test("What is wrong with production in devices/ is told as well, and ends the check with 1")
  func production() throws {
    let folder = try Folder()
    try folder.write(
      "calendars:\n  - {id: day, time_zone: Europe/Vena}\nmachines:\n  - {device: press1, calender: day}\ndevices:\n  - id: press1\n",
      to: "devices/line.yaml")
    let outcome = try Executable.run(["check"], in: folder.path)
    #expect(outcome.status == 1)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.contains { $0.hasPrefix("devices/line.yaml:2:26: error: unknown time zone") })
    #expect(
      lines.contains {
        $0.hasPrefix("devices/line.yaml:4:22: error: ") && $0.contains("`calendar`")
      })
    #expect(lines.last == "2 errors, 0 warnings")
  }

  @Test("The same as JSON, for programs")
  func json() throws {
    let folder = try Folder()
    try folder.write(Self.brokenProfile, to: "devices/line.yaml")
    let outcome = try Executable.run(["check", "--json"], in: folder.path)
    #expect(outcome.status == 1)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(object["ok"] as? Bool == false)
    #expect(object["errors"] as? Int == 2)
    let first = try #require((object["diagnostics"] as? [[String: Any]])?.first)
    #expect(first["file"] as? String == "devices/line.yaml")
    #expect(first["line"] as? Int == 4)
    #expect(first["column"] as? Int == 21)
  }

  @Test("A right configuration is summed up, and nothing is touched")
  func right() throws {
    let folder = try Folder()
    try folder.write(
      "profiles:\n  - id: press\ndevices:\n  - {id: press1, profile: press}\n",
      to: "devices/line.yaml")
    let before = try folder.snapshot()
    let outcome = try Executable.run(["check"], in: folder.path)
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("ok: 1 file, 0 warnings"))
    #expect(outcome.output.contains("devices   1"))
    #expect(try folder.snapshot() == before)
  }
}
