import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.serialized) struct ServiceTests {
  @Test(
    "A service manager is told of start, progress, reload and stop; the next start replays nothing")
  func life() async throws {
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let manager = try DatagramReceiver(path: scratch.path + "/notify")
    let gateway = try GatewayProcess(directory: scratch.path, brokerPort: broker.port)
    defer { gateway.kill() }
    try gateway.start(environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000000"])
    // One notice may tell several things: what stands behind the line in hand is read next.
    var lines: [Substring] = []
    /// Reads on until that is told.
    func isTold(_ line: String) async -> Bool {
      await eventually {
        while let text = manager.nextText() { lines += text.split(separator: "\n") }
        guard let place = lines.firstIndex(where: { $0.hasPrefix(line) }) else { return false }
        lines.removeSubrange(...place)
        return true
      }
    }
    #expect(await isTold("READY=1"))
    #expect(gateway.request("GET", "/health/live")?.status == 200, "ready is who answers")
    #expect(await isTold("WATCHDOG=1"))
    #expect(await isTold("STATUS=connected to the broker"))
    let submission = #"{"device_id": "w", "device_type": "x", "timestamp": 1, "metrics": {"v": 1}}"#
    #expect(
      gateway.request("POST", "/api/v1/industry40/iot/ingest", body: submission)?.status == 200)
    gateway.process?.send(SIGHUP)
    #expect(await isTold("RELOADING=1"))
    #expect(await isTold("READY=1"))
    gateway.process?.send(SIGTERM)
    #expect(await isTold("STOPPING=1"))
    #expect(gateway.process?.wait() == 0)
    let journal = try FileManager.default.contentsOfDirectory(
      atPath: gateway.dataDirectory + "/journal")
    #expect(journal.isEmpty)
    try gateway.start()
    #expect(
      await eventually {
        gateway.request("GET", "/health")?.body.contains(#""replayed_records":0"#) == true
      })
    #expect(gateway.stop() == 0)
  }
}
