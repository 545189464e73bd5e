import Foundation
import HTTPTypes
import Telemetry
import Testing

@testable import Web

@Suite("The OpenAPI file")
struct OpenAPITests {
  struct Operation {
    var path: String
    var method: String
    var content: JSONValue
  }

  static func operations() throws -> [Operation] {
    let data = try Data(contentsOf: URL(filePath: Bench.resources + "/openapi.json"))
    let api = try JSONValue.body([UInt8](data))
    return (api["paths"]?.members ?? []).flatMap { path, methods in
      (methods.members ?? []).map {
        Operation(path: path, method: $0.0.uppercased(), content: $0.1)
      }
    }
  }

  @Test("It has every route, and no other")
  func routes() async throws {
    try await Bench.run { bench in
      let documented = Set(try Self.operations().map { "\($0.method) \($0.path)" })
      let served = Set(bench.server.routes.map { "\($0.method.rawValue) \($0.path)" })
      #expect(documented.subtracting(served).sorted() == [])
      #expect(served.subtracting(documented).sorted() == [])
    }
  }

  @Test("Its parameters and scopes are those of the routes")
  func parameters() async throws {
    try await Bench.run { bench in
      let operations = try Self.operations()
      for route in bench.server.routes {
        let operation = try #require(
          operations.first { $0.path == route.path && $0.method == route.method.rawValue })
        let documented = (operation.content["parameters"]?.elements ?? [])
          .filter { $0["in"]?.text == "query" }.compactMap { $0["name"]?.text }
        #expect(Set(documented) == Set(route.parameters), "\(route.path)")
        #expect(operation.content["x-scope"]?.text == route.scope?.rawValue, "\(route.path)")
      }
    }
  }

  private static let devices =
    Bench.devices + """

      quality:
        characteristics:
          - {id: bore, device: press1, unit: mm, lower: 11.95, upper: 12.05, chart: i_mr}
      """

  @Test("Each of its example requests works")
  func examples() async throws {
    try await Bench.run(yaml: Self.devices) { bench in
      var ran = 0
      // Writing comes before reading, so that what is read is there.
      let order = ["POST", "GET", "DELETE"]
      let operations = try Self.operations().sorted {
        (order.firstIndex(of: $0.method) ?? 9, $0.path) < (
          order.firstIndex(of: $1.method) ?? 9, $1.path
        )
      }
      // The WebSocket, commands that need an alarm in a certain state and what needs data of its own have suites
      // of their own.
      for operation in operations
      where operation.path != SocketServer.path && !operation.path.contains("/alarms/{id}/")
        && operation.path != "/api/v1/energy/savings"
        && !operation.path.hasPrefix("/api/v1/production/stops/")
        && operation.path != "/api/v1/quality/resume"
        && !(operation.path.hasSuffix("/maintenance/models") && operation.method == "POST")
        && !operation.path.hasSuffix("/simulate")
      {
        for (type, body) in Self.bodies(operation) {
          let uri = try await Self.uri(operation, bench)
          var headers: HTTPFields = [:]
          headers[.contentType] = type
          let method = try #require(HTTPRequest.Method(operation.method))
          let answer = try await bench.ask(
            method, uri, headers: headers, bytes: body.map { Array($0.utf8) })
          #expect((200..<300).contains(answer.status), "\(operation.method) \(uri): \(answer.text)")
          #expect(operation.content["responses"]?["\(answer.status)"] != nil, "\(uri)")
          ran += 1
        }
      }
      #expect(ran > 20)
    }
  }

  /// The example bodies with their type; one without a body when there is none.
  private static func bodies(_ operation: Operation) -> [(String?, String?)] {
    let content = operation.content["requestBody"]?["content"]?.members ?? []
    let bodies = content.flatMap { type, media -> [(String?, String?)] in
      let several = (media["examples"]?.members ?? []).compactMap { $0.1["value"] }
      return (several + [media["example"]].compactMap { $0 }).map { (type, $0.text ?? $0.encoded) }
    }
    return bodies.isEmpty ? [(nil, nil)] : bodies
  }

  /// The path and query with the examples of its parameters; rows of the quarantine are made first.
  private static func uri(_ operation: Operation, _ bench: Bench) async throws -> String {
    var path = operation.path
    var query: [String] = []
    for parameter in operation.content["parameters"]?.elements ?? [] {
      guard let name = parameter["name"]?.text, let example = parameter["example"]?.text else {
        continue
      }
      switch parameter["in"]?.text {
      case "path":
        let value =
          if path.contains("/twin/") {
            example
          } else if let held = try await heldID(in: path, bench) {
            held
          } else if operation.method == "PATCH" {
            try await adoptedDevice(bench)
          } else { example }
        path = path.replacing("{\(name)}", with: value)
      case "query":
        let value = example.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        query.append("\(name)=\(value)")
      default: break
      }
    }
    return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
  }

  /// Declared devices are not changed over HTTP.
  private static func adoptedDevice(_ bench: Bench) async throws -> String {
    let row = try #require(try await heldID(in: "/api/v1/quarantine/{id}", bench))
    let answer = try await bench.post("/api/v1/quarantine/\(row)/adopt", "{}")
    return try #require(answer.json["device_id"]?.text)
  }

  /// The id of a row or a group that is there; `nil` for other paths.
  private static func heldID(in path: String, _ bench: Bench) async throws -> String? {
    guard path.contains("/quarantine/") else { return nil }
    let device = "held-" + UUID().uuidString.prefix(8).lowercased()
    _ = try await bench.post(
      IngestTests.path, #"{"device_id": "\#(device)", "metrics": {"temperature": 1}}"#)
    let list = try await bench.get(
      path.contains("/groups/")
        ? "/api/v1/quarantine/groups" : "/api/v1/quarantine?device=\(device)")
    return try #require(list.json["items"]?.elements?.first?["id"]?.text)
  }
}
