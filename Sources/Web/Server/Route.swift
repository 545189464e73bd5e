import Gateway
import HTTPTypes
import Hummingbird
import Telemetry

/// One path and method: what it asks of a caller, what it takes, and what answers.
struct Route: Sendable {
  enum BodyKind: Sendable {
    case none
    /// A JSON text; another Content-Type is refused.
    case json
    /// Bytes that the handler understands.
    case raw
  }

  var method: HTTPRequest.Method
  /// With `{name}` for parts that vary, as in OpenAPI.
  var path: String
  /// `nil`: open to everybody.
  var scope: Scope?
  var parameters: [String] = []
  var body = BodyKind.none
  /// An `Idempotency-Key` is honoured.
  var isRepeatable = false
  var handler: @Sendable (Call) async throws -> Reply

  init(
    _ method: HTTPRequest.Method, _ path: String, scope: Scope?, parameters: [String] = [],
    body: BodyKind = .none, isRepeatable: Bool = false,
    handler: @escaping @Sendable (Call) async throws -> Reply
  ) {
    self.method = method
    self.path = path
    self.scope = scope
    self.parameters = parameters
    self.body = body
    self.isRepeatable = isRepeatable
    self.handler = handler
  }

  var routerPath: RouterPath {
    RouterPath(path.replacing("{", with: ":").replacing("}", with: ""))
  }
}

/// One request, checked as far as its route describes.
struct Call: Sendable {
  var headers: HTTPFields
  var path: [String: String]
  var query: QueryParameters
  var body: [UInt8] = []
  /// From the `Idempotency-Key`, on routes that honour it.
  var key: Submission.Key?
  var caller: Caller
  var context: WebContext

  /// The body as JSON.
  func json() throws(Problem) -> JSONValue { try JSONValue.body(body) }

  /// A part of the path that the route names.
  func part(_ name: String) -> String { path[name] ?? "" }
}
