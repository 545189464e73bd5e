import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What every request passes first and every answer last: name, address limit, origin, problems, packing,
/// figures.
struct Edge: HTTPResponder {
  typealias Context = WebContext

  let router: RouterResponder<WebContext>
  let gate: Gate
  let origins: OriginPolicy
  let meter: RequestMeter
  let clock: ClockSource
  /// Answers shorter than this are not worth packing.
  static let packedBytesMin = 1_024

  func respond(to request: Request, context: WebContext) async throws -> Response {
    var context = context
    context.requestID = RequestIdentifier.choose(request.headers[.requestID]) {
      UUID().uuidString.lowercased()
    }
    context.logger[metadataKey: "request_id"] = .string(context.requestID)
    let started = clock.read().monotonicMicroseconds
    meter.begin()
    var response = await answer(request, context)
    for field in context.notes.headers { response.headers[field.name] = field.value }
    response.headers[.requestID] = context.requestID
    response.headers[.contentTypeOptions] = "nosniff"
    origins.mark(&response, for: request)
    if request.method != .head { pack(&response, accept: request.headers[.acceptEncoding]) }
    let seconds = Double(clock.read().monotonicMicroseconds - started) / 1e6
    meter.end(
      RequestMeter.Key(
        method: request.method.rawValue, route: routeName(context), status: response.status.code),
      seconds: seconds)
    return response
  }

  private func routeName(_ context: WebContext) -> String {
    guard let path = context.endpointPath, path != "NotFound" else { return "unmatched" }
    return path.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
      .reduce("") { $0 + "/" + $1 }.ifEmpty("/")
  }

  private func answer(_ request: Request, _ context: WebContext) async -> Response {
    do {
      try gate.admit(address: context.address)
      try origins.check(request)
      if let preflight = origins.preflight(request) { return preflight }
      let response = try await router.respond(to: request, context: context)
      guard context.endpointPath == "NotFound" else { return response }
      throw Problem.notFound("no route has the path `\(request.uri.path)`; see /docs")
    } catch {
      let problem = Problem.from(error, logger: context.logger)
      return problem.reply(instance: request.uri.path).response
    }
  }

  private func pack(_ response: inout Response, accept: String?) {
    guard
      let length = response.body.contentLength.map({ $0 >= Self.packedBytesMin }) ?? true as Bool?,
      length, response.headers[.contentEncoding] == nil, isText(response.headers[.contentType])
    else { return }
    response.headers[.vary] = "Accept-Encoding"
    let coding = ContentCoding.preferred(accept: accept)
    guard coding != .identity else { return }
    let body = response.body
    response.headers[.contentEncoding] = coding.rawValue
    response.headers[.contentLength] = nil
    response.body = ResponseBody { writer in
      guard let deflate = Deflate(coding) else { throw Problem.internalError }
      try await body.write(DeflatingWriter(target: writer, deflate: deflate))
    }
  }

  private func isText(_ type: String?) -> Bool {
    guard let type else { return false }
    return type.hasPrefix("text/") || type.contains("json") || type.contains("javascript")
      || type.contains("openmetrics")
  }
}

extension String {
  fileprivate func ifEmpty(_ other: String) -> String { isEmpty ? other : self }
}
