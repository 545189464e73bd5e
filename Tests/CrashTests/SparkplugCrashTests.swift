import Foundation
import MQTT
import Simulator
import Telemetry
import TestSupport
import Testing

@Suite(.serialized) struct SparkplugCrashTests {
  @Test(
    "Killed in the middle of a Sparkplug session: no sample lost, each counted once, no rebirth needed"
  )
  func session() async throws {
    let seed =
      ProcessInfo.processInfo.environment["MILLWRIGHT_SEED"].flatMap(UInt64.init) ?? 20_261_121
    var random = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    let gateway = try GatewayProcess(directory: scratch.path, brokerPort: broker.port)
    try gateway.start()
    defer { gateway.kill() }
    func isConnected() -> Bool {
      gateway.request("GET", "/health")?.body.contains(#""connected""#) == true
    }
    #expect(await eventually { isConnected() })
    // Whatever we ask of the node is heard here.
    let commands = scratch.path + "/commands"
    let listener = try ChildProcess(
      try TestBroker.find("mosquitto_sub"), ["-p", "\(broker.port)", "-t", "spBv1.0/+/NCMD/#"],
      outputPath: commands)
    defer { listener.send(SIGTERM) }

    var settings = MQTTSettings()
    settings.port = Int32(broker.port)
    let publisher = try Publisher(settings: settings, clientID: "edge", status: nil)
    publisher.start()
    defer { publisher.stop(lastWords: nil) }
    #expect(await eventually { publisher.isConnected })
    func send(_ message: SimulatedMessage) {
      // At QoS 1, so that the broker owes us what we did not acknowledge.
      #expect(publisher.publish(topic: message.topic, payload: message.payload, qos: 1))
    }
    var edge = SparkplugEdge(group: "hall", node: "edge")
    var time = Timestamp(microseconds: 1_760_000_000_000_000)
    func values(_ number: Int) -> [SparkplugEdge.Metric] {
      [
        SparkplugEdge.Metric("pressure", .number(Double(number)), unit: "bar"),
        SparkplugEdge.Metric("Inputs/running", .boolean(number % 2 == 0)),
        SparkplugEdge.Metric("parts", .number(Double(number / 3))),
      ] + (number == 0 ? [SparkplugEdge.Metric("clockless", .number(0))] : [])
    }
    send(edge.nodeBirth([SparkplugEdge.Metric("load", .number(0.5))], at: time))
    send(edge.deviceBirth("press", values(0), at: time))
    let count = 1_200
    var clockless = 0
    let kills = Set((0..<4).map { _ in Int.random(in: 50..<count, using: &random) })
    for number in 1...count {
      time = time.advanced(byMicroseconds: 10_000)
      send(edge.data("press", values(number), at: time))
      // Without a time of their own a second copy would be one more sample.
      if number % 10 == 0 {
        clockless += 1
        send(
          edge.data(
            "press", [SparkplugEdge.Metric("clockless", .number(Double(number)))], at: nil))
      }
      guard kills.contains(number) else { continue }
      #expect(await eventually { publisher.outstanding == 0 })
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &random)))
      gateway.kill()
      try gateway.loseUnsynced(random: &random)
      try gateway.start()
    }
    let wanted = 3 * (count + 1) + 1 + clockless
    #expect(
      await eventually { self.count(gateway, device: "hall.edge.press") == wanted },
      "seed \(seed): \(self.count(gateway, device: "hall.edge.press")) of \(wanted)")
    let health = gateway.request("GET", "/health")?.body ?? ""
    #expect(health.contains(#""nodes_online":1"#), "\(health)")
    let asked = try String(contentsOfFile: commands, encoding: .utf8)
    #expect(asked.isEmpty, "a rebirth was asked for")
    #expect(gateway.stop() == 0)
  }

  private func count(_ gateway: GatewayProcess, device: String) -> Int {
    let body = #"{"sql": "SELECT count(*) FROM samples WHERE device = '\#(device)'"}"#
    let answer = gateway.request("POST", "/api/v1/query/sql", body: body)?.body ?? ""
    guard let start = answer.range(of: "[["), let end = answer.range(of: "]]") else { return -1 }
    return Int(answer[start.upperBound..<end.lowerBound]) ?? -1
  }
}
