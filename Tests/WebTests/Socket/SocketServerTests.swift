import Foundation
import Gateway
import Telemetry
import TestSupport
import Testing

@testable import Web

@Suite("The WebSocket on a socket")
struct SocketServerTests {
  private static func serve(
    keys: [APIKey] = [], _ body: @escaping @Sendable (Int) async throws -> Void
  ) async throws {
    try await SocketTests.serve(keys: keys) { server, _, _ in
      try await body(try #require(await server.port))
    }
  }

  private static func open(_ port: Int, _ headers: String = "") async throws -> RawSocket {
    let socket = try RawSocket(port: port)
    socket.send(RawSocket.handshake(headers))
    let head = try await socket.head()
    #expect(head.hasPrefix("HTTP/1.1 101"), "\(head)")
    // The answer to the sample key of RFC 6455.
    #expect(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    return socket
  }

  private static func post(_ port: Int, _ path: String, _ body: String) async throws -> String {
    let socket = try RawSocket(port: port)
    socket.send(
      "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    return try await socket.rest()
  }

  @Test("What is committed comes to who subscribed, with unit, quality and place in the journal")
  func metrics() async throws {
    try await Self.serve { port in
      let socket = try await Self.open(port)
      socket.write(
        #"{"type": "Subscribe", "payload": {"channels": ["series:press1/flow", "events:Door*"]}}"#)
      #expect(try await socket.text().contains(#""type":"Subscribed""#))
      let answer = try await Self.post(
        port, "/api/v1/industry40/iot/ingest",
        #"{"device_id": "press1", "device_type": "press", "timestamp": 1795248000000, "metrics": {"flow": 2.5, "heat": 9}}"#
      )
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
      let metric = try JSONReader.read(Array(try await socket.text().utf8))
      #expect(metric["type"]?.text == "Metric")
      #expect(metric["channel"]?.text == "series:press1/flow")
      #expect(metric["time"]?.text == "2026-11-21T08:00:00Z")
      #expect(metric["payload"]?["value"] == .number("2.5"))
      #expect(metric["payload"]?["quality"]?.text == "good")
      _ = try await Self.post(
        port, "/api/v1/events",
        #"{"event": {"event_id": "e1", "name": "DoorOpened", "device_id": "press1"}}"#)
      let event = try JSONReader.read(Array(try await socket.text().utf8))
      #expect(event["type"]?.text == "Event")
      #expect(event["payload"]?["event_id"]?.text == "e1")
    }
  }

  @Test("Who comes back gets what the log holds since, before what is new, each once")
  func resume() async throws {
    try await Self.serve { port in
      for number in 1...3 {
        _ = try await Self.post(
          port, "/api/v1/events",
          #"{"event": {"event_id": "e\#(number)", "name": "Told", "device_id": "d"}}"#)
      }
      let socket = try await Self.open(port)
      socket.write(
        #"{"type":"Subscribe","payload":{"channels":["events:Told"],"resume_after":0}}"#)
      _ = try await socket.text()
      var ids: [String] = []
      for _ in 1...3 {
        let event = try JSONReader.read(Array(try await socket.text().utf8))
        ids.append(event["payload"]?["event_id"]?.text ?? "")
      }
      _ = try await Self.post(
        port, "/api/v1/events", #"{"event": {"event_id": "e4", "name": "Told", "device_id": "d"}}"#)
      let last = try JSONReader.read(Array(try await socket.text().utf8))
      ids.append(last["payload"]?["event_id"]?.text ?? "")
      #expect(ids == ["e1", "e2", "e3", "e4"])
    }
  }

  @Test("A message that cannot be understood is answered, and the connection lives on")
  func errors() async throws {
    try await Self.serve { port in
      let socket = try await Self.open(port)
      for (sent, code) in [
        ("nonsense", "not_json"), (#"{"type":"Subscrib"}"#, "did you mean `Subscribe`"),
        (#"{"type":"Subscribe","payload":{"channels":["alert"]}}"#, "did you mean `alerts`"),
        (#"{"type":"Subscribe","payload":{"channels":[]}}"#, "bad_payload"),
        (#"{"type":"Subscribe","payload":{"channels":["twin"]}}"#, "twin:press1"),
      ] {
        socket.write(sent)
        let answer = try await socket.text()
        #expect(answer.contains(code), "\(sent) → \(answer)")
      }
      socket.write(#"{"type":"Ping","payload":7}"#)
      #expect(try await socket.text() == #"{"type":"Pong","payload":7}"#)
    }
  }

  @Test("A message in fragments is one, a control frame between them is answered")
  func fragments() async throws {
    try await Self.serve { port in
      let socket = try await Self.open(port)
      socket.write(Array(#"{"type":"#.utf8), isFinal: false)
      socket.write(opcode: 9, [1, 2])
      socket.write(opcode: 0, Array(#""Ping"}"#.utf8))
      let pong = try await socket.frame()
      #expect(pong.opcode == 10)
      #expect(pong.payload == [1, 2])
      #expect(try await socket.text().contains("Pong"))
      socket.write(opcode: 8, [3, 232])
      #expect(try await socket.frame().opcode == 8)
    }
  }

  @Test("With keys a handshake without one must send Auth first; a wrong key is refused with 401")
  func keys() async throws {
    let keys = [
      APIKey(name: "viewer", secret: "v", scopes: [.read]),
      APIKey(name: "sender", secret: "s", scopes: [.ingest]),
    ]
    try await Self.serve(keys: keys) { port in
      let socket = try await Self.open(port)
      socket.write(#"{"type":"Subscribe","payload":{"channels":["alerts"]}}"#)
      #expect(try await socket.text().contains("unauthorized"))
      socket.write(#"{"type":"Auth","payload":{"key":"v"}}"#)
      #expect(try await socket.text().contains(#""key":"viewer""#))
      socket.write(#"{"type":"Subscribe","payload":{"channels":["alerts"]}}"#)
      #expect(try await socket.text().contains("Subscribed"))
      _ = try await Self.open(port, "x-api-key: v\r\n")
      for (header, status) in [("x-api-key: wrong\r\n", "401"), ("x-api-key: s\r\n", "403")] {
        let refused = try RawSocket(port: port)
        refused.send(RawSocket.handshake(header))
        #expect(try await refused.head().hasPrefix("HTTP/1.1 \(status)"))
      }
    }
  }

  @Test("A page of another origin gets no WebSocket")
  func origin() async throws {
    try await Self.serve { port in
      let socket = try RawSocket(port: port)
      socket.send(RawSocket.handshake("Origin: http://evil.example\r\n"))
      #expect(try await socket.head().hasPrefix("HTTP/1.1 403"))
      _ = try await Self.open(port, "Origin: http://127.0.0.1\r\n")
    }
  }

  @Test("An ordinary request that offers another protocol is answered as if it had not")
  func otherUpgrades() async throws {
    try await Self.serve { port in
      let socket = try RawSocket(port: port)
      socket.send(
        "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
          + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
      let answer = try await socket.rest()
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
      let second = try RawSocket(port: port)
      second.send("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      #expect(try await second.head().hasPrefix("HTTP/1.1 200"))
      second.send(RawSocket.handshake())
      // NIO looks for upgrades on the first request alone; the route says what to do.
      #expect(try await second.rest().contains("426"))
      let plain = try RawSocket(port: port)
      plain.send("GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
      #expect(try await plain.rest().hasPrefix("HTTP/1.1 426"))
    }
  }

  @Test("Noise after the handshake ends that connection and nothing else")
  func noise() async throws {
    try await Self.serve { port in
      var random = SeededGenerator(seed: 11)
      for _ in 0..<60 {
        let socket = try await Self.open(port)
        var bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
        if Bool.random(using: &random) { bytes.insert(0x81, at: 0) }
        socket.send(bytes)
      }
      let socket = try await Self.open(port)
      socket.write(#"{"type":"Ping"}"#)
      #expect(try await socket.text().contains("Pong"))
    }
  }
}
