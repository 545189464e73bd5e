import Foundation
import TestSupport
import Testing

private let hasXGBoost = dlopen("libxgboost.so.0", RTLD_LAZY) != nil

@Suite("Faults from the command line")
struct FaultCommandTests {
  @Test("Help of inject names every kind with its severities")
  func help() throws {
    let outcome = try Executable.run(["inject", "--help"])
    #expect(outcome.status == 0)
    for kind in [
      "bearing_wear", "overheating", "stuck_sensor", "drift", "power_dip", "micro_stops",
      "tool_wear", "starved_line", "clock_jump", "double_publishing",
    ] {
      #expect(outcome.output.contains("  \(kind) "))
    }
    #expect(outcome.output.contains("EXAMPLES"))
  }

  @Test(
    "What cannot be injected is refused before a broker is asked",
    arguments: [
      ([], "Say what goes wrong"), (["bearing_ware"], "did you mean bearing_wear?"),
      (["drift", "--severity", "huge"], "not 'huge'"),
      (["drift", "--for", "long"], "is no span of time"),
      (["drift", "--metric", "program"], "temperature, vibration, power"),
      (["clock_jump", "--device", "press1"], "whole plant"),
      (["drift", "--clear"], "give no kind"),
    ])
  func refusals(arguments: [String], sentence: String) throws {
    let outcome = try Executable.run(["inject"] + arguments)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
  }

  @Test("Without a broker inject says where it looked and ends with 3")
  func unreachable() throws {
    let outcome = try Executable.run(["inject", "drift", "--mqtt-port", "1"])
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains(":1: "))
  }

  @Test("A mistake in the file of faults is told with its place")
  func file() throws {
    let folder = try Folder()
    try folder.write(
      """
      plant: {interval: 30 s}
      faults:
        - {kind: bearing_ware, low: 1, medium: 2, high: 3, duration: 1 h}
        - {kind: drift, low: 1, medium: 2, high: 0, duration: 9 h, sed: 1}
      """, to: "faults.yaml")
    let outcome = try Executable.run(
      ["bench", "faults", "--file", "faults.yaml"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("faults.yaml:3:12: error: "))
    #expect(outcome.errors.contains("did you mean `bearing_wear`?"))
    #expect(outcome.errors.contains("severities are above 0"))
    #expect(outcome.errors.contains("at most 8 h"))
    #expect(outcome.errors.contains("unknown key `sed`"))
  }

  @Test(
    "From half of life on, intervals of remaining life hold the truth about as often as they say",
    .enabled(if: hasXGBoost, "libxgboost0 is not installed: apt install libxgboost0"))
  func remainingLife() throws {
    let outcome = try Executable.run([
      "bench", "rul", "--machines", "14", "--tested", "8", "--rounds", "40",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let row = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("half on") })
    let cells = row.split(separator: " ").compactMap { Double($0) }
    let (moments, inside) = (cells[0], cells[1])
    // Eight machines: the moments of one machine err together, so that the share wanders.
    #expect(moments > 400 && inside > 0.75, "\(outcome.output)")
  }
}
