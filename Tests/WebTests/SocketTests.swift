import Foundation
import Gateway
import HTTPTypes
import HummingbirdTesting
import NIOCore
import ServiceLifecycle
import Testing

@testable import Web

@Suite("The server on a socket")
struct SocketTests {
  /// Runs a real server on a free port until `body` is done.
  static func serve(
    keys: [APIKey] = [], _ body: @Sendable (WebServer, TestClient, String) async throws -> Void
  ) async throws {
    let directory = Bench.temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let gateway = try Bench.makeGateway(directory)
    var settings = HTTPSettings()
    settings.port = 0
    settings.keys = keys
    let server = try WebServer(
      gateway: gateway, settings: settings, logger: Bench.quietLogger, resources: Bench.resources)
    let group = ServiceGroup(services: [server], logger: Bench.quietLogger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let port = try #require(await server.port)
      let client = TestClient(host: "127.0.0.1", port: port)
      client.connect()
      try await body(server, client, directory)
      try await client.shutdown()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
    #expect(LocalToken.read(directory: directory) == nil)
    await gateway.stop()
  }

  @Test("It announces its port, answers, and ends gracefully")
  func answers() async throws {
    try await Self.serve { _, client, _ in
      let request = TestClient.Request("/health/live", method: .get, authority: "127.0.0.1")
      let response = try await client.execute(request)
      #expect(response.status.code == 200)
      #expect(response.headers[.requestID]?.count == 36)
    }
  }

  @Test("The local note lets the command line in, with every scope, and is private")
  func localToken() async throws {
    let key = APIKey(name: "only", secret: "k", scopes: [.read])
    try await Self.serve(keys: [key]) { server, client, directory in
      let note = try #require(LocalToken.read(directory: directory))
      let port = try #require(await server.port)
      #expect(note.url == "http://127.0.0.1:\(port)")
      let path = LocalToken.path(in: directory)
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
      #expect((mode as? NSNumber)?.intValue == 0o600)
      let headers: HTTPFields = [
        .authorization: "Bearer \(note.token)", .contentType: "application/json",
      ]
      let request = TestClient.Request(
        "/api/v1/events", method: .post, authority: "127.0.0.1", headers: headers,
        body: ByteBuffer(string: AccessTests.event))
      let response = try await client.execute(request)
      #expect(response.status.code == 200)
    }
  }

  @Test("Without keys a foreign Host is refused: no page can rebind a name to this machine")
  func rebinding() async throws {
    try await Self.serve { _, client, _ in
      let request = TestClient.Request("/api/v1/series", method: .get, authority: "evil.example")
      let response = try await client.execute(request)
      #expect(response.status.code == 403)
    }
  }

  @Test("The site is served, and nothing beside it")
  func site() async throws {
    try await Self.serve { _, client, _ in
      for path in [
        "/", "/docs", "/openapi.json", "/assets/site.css", "/assets/dashboard/main.js",
      ] {
        let request = TestClient.Request(path, method: .get, authority: "localhost")
        let response = try await client.execute(request)
        #expect(response.status.code == 200, "\(path)")
      }
      for path in [
        "/assets/..%2f..%2fPackage.swift", "/assets/dashboard/..%2fWebServer.swift",
        "/assets/../Routes",
      ] {
        let outside = TestClient.Request(path, method: .get, authority: "localhost")
        let response = try await client.execute(outside)
        #expect(response.status.code == 404, "\(path)")
      }
    }
  }
}
