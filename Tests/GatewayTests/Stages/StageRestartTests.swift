import Storage
import Telemetry
import Testing

@testable import Gateway

@Suite("Stages over restarts")
struct StageRestartTests {
  private func events(_ rig: GatewayRig, _ name: String) async throws -> [String] {
    await rig.gateway.flush()
    return try await rig.gateway.queries.fetch { reader in
      try SQLConsole(secondsMax: 10, rowsMax: 1_000).run(
        "SELECT properties FROM event WHERE name = '\(name)' ORDER BY id",
        reader: reader
      ).rows.map { if case .text(let text) = $0[0] { text } else { "" } }
    }
  }

  @Test("Each start is an event that says for how long nobody looked")
  func starts() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    try await rig.submit([("plant/a", #"{"v": 1}"#)])
    try await rig.restart()
    let rows = try await events(rig, "GatewayStarted")
    #expect(rows.count == 2)
    #expect(rows.first?.contains("down_seconds") == false)
    #expect(rows.last?.contains("down_seconds") == true)
    await rig.stop()
  }

  @Test("A command no stage knows is answered with a refusal and stands in the audit trail")
  func unknownCommand() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    let command = OperatorCommand(name: "door.open", target: "d", principal: "ana", remark: "why")
    await #expect(
      throws: SubmissionError.refused(
        code: "unknown_command", detail: "there is no command 'door.open' in this version")
    ) {
      _ = try await rig.gateway.submit(Submission(.command(.stage(command))))
    }
    let rows = try await events(rig, "OperatorCommand")
    #expect(rows.count == 1)
    #expect(rows.first?.contains(#""target": "d""#) == true)
    await rig.stop()
  }
}
