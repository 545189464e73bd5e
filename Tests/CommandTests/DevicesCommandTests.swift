import Foundation
import Storage
import Telemetry
import TestSupport
import Testing

@testable import millwright

@Suite struct DevicesCommandTests {
  @Test("A device is renamed and moved in the running gateway, and found under its new id alone")
  func renameAndMove() async throws {
    let folder = try Folder()
    let data = folder.path + "/data"
    let gateway = try ChildProcess(
      Executable.path, ["run", "--data", data], environment: ["PORT": "0"],
      outputPath: folder.path + "/log")
    defer {
      gateway.send(SIGTERM)
      gateway.wait()
    }
    #expect(await eventually { LocalGateway(directory: data) != nil })
    let local = try #require(LocalGateway(directory: data))
    let client = GatewayClient(url: local.url, token: local.token)
    #expect(await eventually { (try? await client.get("/health/live")) != nil })
    try await client.send(
      .POST, "/api/v1/industry40/iot/ingest",
      body: #"{"device_id": "p7", "timestamp": 1795248000, "metrics": {"v": 1}}"#)
    try await client.close()

    let renamed = try Executable.run(["devices", "rename", "p7", "press7", "--data", data])
    #expect(renamed.status == 0, "\(renamed.errors)")
    #expect(renamed.output.contains("p7 is called press7 now"))
    let moved = try Executable.run(["devices", "move", "press7", "acme/linz", "--data", data])
    #expect(moved.status == 0, "\(moved.errors)")
    let listed = try Executable.run(["devices", "--data", data, "--json"])
    #expect(listed.output.contains(#""was": ["p7"]"#), "\(listed.output)")
    #expect(listed.output.contains("acme/linz"))
    let again = try Executable.run(["devices", "rename", "p7", "x", "--data", data])
    #expect(again.status == 1 && again.errors.contains("called `press7` now"), "\(again.errors)")
    let old = try Executable.run(["query", "p7", "--latest", "--data", data])
    #expect(old.status == 1 && old.errors.contains("p7 is called press7 now"), "\(old.errors)")
    let new = try Executable.run(["query", "press7", "--latest", "--data", data])
    #expect(new.output.contains("press7/v"))
  }

  @Test("Without a gateway nothing is changed, and the reason says what to start")
  func offline() throws {
    let folder = try Folder()
    let data = try OfflineTests.makeStore(in: folder)
    for arguments in [["rename", "press1", "p"], ["move", "press1", "acme"]] {
      let outcome = try Executable.run(["devices"] + arguments + ["--data", data])
      #expect(outcome.status != 0 && outcome.errors.contains("millwright run"))
    }
  }
}
