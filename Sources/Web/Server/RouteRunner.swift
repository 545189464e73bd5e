import Foundation
import Gateway
import HTTPTypes
import Hummingbird

/// Puts routes into a router: each request passes key, parameters and body before its handler runs.
struct RouteRunner: Sendable {
  let gate: Gate
  let bodies: BodyReader
  let answers: AnswerMemory

  func router(for routes: [Route]) -> Router<WebContext> {
    let router = Router(context: WebContext.self, options: [.autoGenerateHeadEndpoints])
    for route in routes {
      router.on(route.routerPath, method: route.method) { request, context in
        try await run(route, request, context).response
      }
    }
    addRefusals(to: router, routes)
    return router
  }

  /// A known path answers an unknown method with 405 and says which are known.
  private func addRefusals(to router: Router<WebContext>, _ routes: [Route]) {
    let all: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .options]
    for group in Dictionary(grouping: routes, by: \.path).values {
      var allowed = group.map(\.method.rawValue)
      if allowed.contains("GET") { allowed.append("HEAD") }
      let missing =
        all.filter { !allowed.contains($0.rawValue) } + (allowed.contains("HEAD") ? [] : [.head])
      for method in missing {
        let (names, first) = (allowed.sorted(), group[0])
        router.on(first.routerPath, method: method) { _, _ -> Response in
          throw Problem.methodNotAllowed(method.rawValue, allowed: names)
        }
      }
    }
  }

  private func run(_ route: Route, _ request: Request, _ context: WebContext) async throws -> Reply
  {
    let caller =
      try route.scope.map {
        try gate.authenticate(request.headers, scope: $0, notes: context.notes)
      } ?? KeyRing.anyone
    let query = try QueryParameters(request.uri.query, known: route.parameters)
    var path: [String: String] = [:]
    for (name, value) in context.parameters {
      path[String(name)] = value.removingPercentEncoding ?? String(value)
    }
    var call = Call(
      headers: request.headers, path: path, query: query, caller: caller, context: context)
    if route.body != .none {
      if route.body == .json { try checkType(request.headers[.contentType]) }
      call.body = try await bodies.read(request)
    }
    guard route.isRepeatable, let key = request.headers[.idempotencyKey] else {
      return try await route.handler(call)
    }
    let submissionKey = try AnswerMemory.key(
      key, caller: caller.name, path: request.uri.path, body: call.body)
    call.key = submissionKey
    let keyed = call
    return try await answers.answer(key: submissionKey) {
      do {
        return try await route.handler(keyed)
      } catch let problem as Problem {
        return problem.reply(instance: request.uri.path)
      }
    }
  }

  /// No type at all is taken for JSON; a form's type is not, as any web page could send one.
  private func checkType(_ header: String?) throws(Problem) {
    guard let header else { return }
    guard MediaType(header).isJSON else {
      throw .unsupportedMedia("send JSON with `Content-Type: application/json`, not `\(header)`")
    }
  }
}
