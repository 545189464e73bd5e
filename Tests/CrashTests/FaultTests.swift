import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct FaultTests {
  @Test(
    "While the disk fails nothing is acknowledged and /health says so; afterwards ingest goes on by itself",
    arguments: ["ENOSPC", "EIO"])
  func diskFails(fault: String) async throws {
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let gateway = try GatewayProcess(directory: scratch.path, brokerPort: broker.port)
    try gateway.start()
    defer { gateway.kill() }
    func health() -> (status: Int, body: String)? { gateway.request("GET", "/health") }
    #expect(await eventually { health()?.body.contains(#""connected""#) == true })
    try send(["1", "2"], broker)
    #expect(await eventually { count(gateway) == 2 })
    try fault.write(toFile: gateway.faultPath, atomically: true, encoding: .utf8)
    try send(["3", "4", "5"], broker)
    #expect(await eventually { health()?.status == 503 }, "\(fault) is reported")
    let submission = #"{"device_id": "w", "device_type": "x", "timestamp": 1, "metrics": {"v": 1}}"#
    #expect(
      gateway.request("POST", "/api/v1/industry40/iot/ingest", body: submission)?.status == 503)
    #expect(count(gateway) == 2)
    try FileManager.default.removeItem(atPath: gateway.faultPath)
    #expect(await eventually { count(gateway) == 5 }, "what was not acknowledged came again, once")
    #expect(await eventually { health()?.status == 200 })
    #expect(gateway.stop() == 0)
  }

  @Test("A kill while the disk fails loses nothing either")
  func killedWhileFailing() async throws {
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let gateway = try GatewayProcess(directory: scratch.path, brokerPort: broker.port)
    try gateway.start()
    defer { gateway.kill() }
    #expect(
      await eventually { gateway.request("GET", "/health")?.body.contains(#""connected""#) == true }
    )
    try "EIO".write(toFile: gateway.faultPath, atomically: true, encoding: .utf8)
    try send((1...50).map(String.init), broker)
    #expect(await eventually { gateway.request("GET", "/health")?.status == 503 })
    gateway.kill()
    try FileManager.default.removeItem(atPath: gateway.faultPath)
    try gateway.start()
    #expect(await eventually { count(gateway) == 50 })
    #expect(gateway.stop() == 0)
  }

  private func send(_ values: [String], _ broker: TestBroker) throws {
    for value in values {
      try ChildProcess(
        try TestBroker.find("mosquitto_pub"),
        ["-p", "\(broker.port)", "-q", "1", "-t", "fault/count", "-m", value]
      ).wait()
    }
  }

  private func count(_ gateway: GatewayProcess) -> Int {
    let body = #"{"sql": "SELECT count(*) FROM samples WHERE device = 'fault'"}"#
    let answer = gateway.request("POST", "/api/v1/query/sql", body: body)?.body ?? ""
    guard let start = answer.range(of: "[["), let end = answer.range(of: "]]") else { return -1 }
    return Int(answer[start.upperBound..<end.lowerBound]) ?? -1
  }
}
