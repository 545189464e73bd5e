import AsyncHTTPClient
import Foundation
import NIOCore
import Storage
import Telemetry

/// The running gateway's API, as far as the command line needs it.
struct GatewayClient {
  private let base: String
  private let token: String
  private let http = HTTPClient(eventLoopGroupProvider: .singleton)

  /// - Parameters:
  ///   - url: without a slash at the end.
  ///   - token: of `local.json`; lasts as long as the gateway runs.
  init(url: String, token: String) {
    base = url
    self.token = token
  }

  func close() async throws { try await http.shutdown() }

  // MARK: - Verbs

  func series() async throws -> [SeriesInfo] {
    try await items("/api/v1/series").compactMap(SeriesInfo.init)
  }

  /// The newest sample of each series; series without one are left out.
  func latest(of wanted: [SeriesInfo]) async throws -> [Answer] {
    let keys = Set(wanted.map(\.key))
    return try await items("/api/v1/series").compactMap { item in
      guard let series = SeriesInfo(item), keys.contains(series.key),
        let time = item["latest"]["time"].text.flatMap({ Timestamp(rfc3339: $0) })
      else { return nil }
      var answer = Answer(series: series, columns: ["value", "quality"])
      answer.rows = [(time, [item["latest"]["value"].value, item["latest"]["quality"].value])]
      return answer
    }
  }

  /// All items of a list, page after page.
  func items(_ path: String) async throws -> [JSONNode] {
    var items: [JSONNode] = []
    var cursor: String?
    repeat {
      var query = [("limit", "1000")]
      if let cursor { query.append(("cursor", cursor)) }
      let page = try await get(path, query)
      items += page["items"].elements
      cursor = page["next_cursor"].text
    } while cursor != nil
    return items
  }

  func run(_ sql: String) async throws -> SQLResult {
    let node = try await send(
      .POST, "/api/v1/query/sql", body: JSONText.object([("sql", JSONText.quoted(sql))]))
    var result = SQLResult()
    result.columns = node["columns"].elements.compactMap(\.text)
    result.rows = node["rows"].elements.map { $0.elements.map(\.cell) }
    result.isTruncated = node["truncated"] == .boolean(true)
    return result
  }

  // MARK: - HTTP

  func get(_ path: String, _ query: [(String, String)] = []) async throws -> JSONNode {
    try await send(.GET, GatewayClient.path(path, query))
  }

  static func path(_ path: String, _ query: [(String, String)]) -> String {
    let pairs = query.map { "\(escaped($0.0))=\(escaped($0.1))" }
    return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
  }

  static func escaped(_ text: String) -> String {
    let allowed = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
  }

  @discardableResult
  func send(
    _ method: HTTPRequestMethod, _ path: String, body: String? = nil
  ) async throws -> JSONNode {
    let response = try await open(method, path, body: body)
    let bytes = try await response.body.collect(upTo: 256 << 20)
    guard bytes.readableBytes > 0 else { return .null }
    return try JSONDecoder().decode(JSONNode.self, from: Data(bytes.readableBytesView))
  }

  /// Posts a batch whose answer says item by item what was refused, also where nothing was taken (422).
  func postBatch(_ path: String, body: String) async throws -> JSONNode {
    let response = try await execute(.POST, path, body: body)
    let bytes = try await response.body.collect(upTo: 64 << 20)
    // What is no JSON has no members: refused below, in the status' own words.
    let node =
      (try? JSONDecoder().decode(JSONNode.self, from: Data(bytes.readableBytesView))) ?? .null
    guard response.status.code == 200 || node["rejected"] != .null else {
      let words = node["detail"].text ?? response.status.reasonPhrase
      throw Failure("the gateway refuses (\(response.status.code)): \(words)")
    }
    return node
  }

  /// Sends a request; the body of the answer is still to be read.
  /// - Throws: `Failure` with the gateway's own words when it refuses.
  func open(
    _ method: HTTPRequestMethod, _ path: String, body: String? = nil
  ) async throws -> HTTPClientResponse {
    let response = try await execute(method, path, body: body)
    guard (200..<300).contains(response.status.code) else {
      let bytes = try await response.body.collect(upTo: 1 << 20)
      // A body that is no JSON leaves the status' own words.
      let problem = try? JSONDecoder().decode(JSONNode.self, from: Data(bytes.readableBytesView))
      let words = problem?["detail"].text ?? problem?["title"].text ?? response.status.reasonPhrase
      throw Failure("the gateway refuses (\(response.status.code)): \(words)")
    }
    return response
  }

  private func execute(
    _ method: HTTPRequestMethod, _ path: String, body: String?
  ) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: base + path)
    request.method = .init(rawValue: method.rawValue)
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(string: body))
    }
    do {
      return try await http.execute(request, timeout: .minutes(10))
    } catch {
      throw Failure(.notReachable, "the gateway at \(base) does not answer: \(error)")
    }
  }

  enum HTTPRequestMethod: String {
    case GET, POST, PATCH, DELETE
  }
}

extension SeriesInfo {
  /// As `GET /api/v1/series` lists it.
  init?(_ node: JSONNode) {
    guard let device = node["device"].text, let metric = node["metric"].text else { return nil }
    self.init(
      key: SeriesKey(device: device, metric: metric),
      type: node["type"].text.flatMap(ValueType.init(name:)) ?? .number,
      kind: node["kind"].text.flatMap(MetricKind.init(name:)) ?? .gauge,
      unit: node["unit"].text ?? "")
  }
}

/// JSON as it came, to be looked into by name.
indirect enum JSONNode: Decodable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONNode])
  case object([String: JSONNode])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // Which kind of value it is shows only by trying; the last try throws.
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .boolean(flag)
    } else if let number = try? container.decode(Int64.self) {
      self = .integer(number)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let list = try? container.decode([JSONNode].self) {
      self = .array(list)
    } else {
      self = .object(try container.decode([String: JSONNode].self))
    }
  }

  /// The member of an object; null where there is none.
  subscript(name: String) -> JSONNode {
    if case .object(let members) = self { return members[name] ?? .null }
    return .null
  }

  var text: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  var elements: [JSONNode] {
    if case .array(let elements) = self { return elements }
    return []
  }

  var value: Value? {
    switch self {
    case .boolean(let flag): .boolean(flag)
    case .integer(let number): .number(Double(number))
    case .number(let number): .number(number)
    case .string(let text): .text(text)
    case .null, .array, .object: nil
    }
  }

  var cell: SQLResult.Cell {
    switch self {
    case .null, .array, .object: .null
    case .boolean(let flag): .integer(flag ? 1 : 0)
    case .integer(let number): .integer(number)
    case .number(let number): .real(number)
    case .string(let text): .text(text)
    }
  }
}
