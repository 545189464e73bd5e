import HTTPTypes
import Hummingbird
import Telemetry

/// An error as callers see it: RFC 9457 `application/problem+json`.
///
/// The slugs are part of the contract and listed in docs/http.md; texts may change, slugs do not.
struct Problem: Error, Sendable {
  /// One of several things that are wrong; `pointer` is a JSON Pointer into the body.
  struct Fault: Sendable {
    var pointer: String
    var code: String
    var detail: String
  }

  static let typePrefix = "urn:millwright:problem:"

  var status: HTTPResponse.Status
  var slug: String
  var title: String
  /// What is wrong and what to do about it.
  var detail: String
  var errors: [Fault] = []
  var headers: HTTPFields = [:]
  /// Further members, for batches: what was taken nevertheless.
  var members: [(String, JSONValue)] = []

  func reply(instance: String) -> Reply {
    var object: [(String, JSONValue)] = [
      ("type", .string(Problem.typePrefix + slug)), ("title", .string(title)),
      ("status", .number(String(status.code))), ("detail", .string(detail)),
      ("instance", .string(instance)),
    ]
    if !errors.isEmpty {
      let faults = errors.map { fault in
        JSONValue.object([
          ("pointer", .string(fault.pointer)), ("code", .string(fault.code)),
          ("detail", .string(fault.detail)),
        ])
      }
      object.append(("errors", .array(faults)))
    }
    object += members
    var reply = Reply(status: status, json: .object(object))
    reply.headers[.contentType] = "application/problem+json"
    for field in headers { reply.headers[field.name] = field.value }
    return reply
  }
}

extension Problem {
  static func notJSON(_ detail: String) -> Problem {
    Problem(status: .badRequest, slug: "not-json", title: "The body is not JSON", detail: detail)
  }

  static func badBody(_ detail: String) -> Problem {
    Problem(
      status: .badRequest, slug: "bad-body", title: "The body cannot be read", detail: detail)
  }

  static func badParameter(_ name: String, _ detail: String) -> Problem {
    Problem(
      status: .badRequest, slug: "bad-parameter", title: "A query parameter is not usable",
      detail: "`\(name)`: \(detail)")
  }

  static func unauthorized(_ detail: String) -> Problem {
    Problem(
      status: .unauthorized, slug: "unauthorized", title: "A key is needed", detail: detail,
      headers: [.wwwAuthenticate: #"Bearer realm="millwright""#])
  }

  static func forbidden(scope: String, key: String) -> Problem {
    Problem(
      status: .forbidden, slug: "missing-scope", title: "The key may not do this",
      detail: "the key `\(key)` lacks the scope `\(scope)`; add it in millwright.yaml, http.keys",
      members: [("scope", .string(scope))])
  }

  static func forbiddenOrigin(_ detail: String) -> Problem {
    Problem(
      status: .forbidden, slug: "forbidden-origin", title: "This origin is not allowed",
      detail: detail)
  }

  static func notFound(_ detail: String) -> Problem {
    Problem(status: .notFound, slug: "not-found", title: "There is no such thing", detail: detail)
  }

  static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
    let list = allowed.joined(separator: ", ")
    return Problem(
      status: .methodNotAllowed, slug: "method-not-allowed",
      title: "The method is not allowed here", detail: "\(method) is not among \(list)",
      headers: [.allow: list])
  }

  static func conflict(_ detail: String) -> Problem {
    Problem(
      status: .conflict, slug: "conflict", title: "The request conflicts with the present state",
      detail: detail)
  }

  static func preconditionFailed(_ detail: String) -> Problem {
    Problem(
      status: .preconditionFailed, slug: "precondition-failed",
      title: "It is no longer what you saw", detail: detail)
  }

  static func tooLarge(_ detail: String) -> Problem {
    Problem(
      status: .contentTooLarge, slug: "too-large", title: "The request is too large",
      detail: detail, headers: [.connection: "close"])
  }

  static func unsupportedMedia(_ detail: String) -> Problem {
    Problem(
      status: .unsupportedMediaType, slug: "unsupported-media-type",
      title: "The body is of a kind not taken here", detail: detail)
  }

  static func invalid(_ errors: [Fault]) -> Problem {
    Problem(
      status: .unprocessableContent, slug: "invalid", title: "The request is not valid",
      detail: errors.first?.detail ?? "see errors", errors: errors)
  }

  static func invalid(_ pointer: String, _ code: String, _ detail: String) -> Problem {
    invalid([Fault(pointer: pointer, code: code, detail: detail)])
  }

  static func tooMany(_ detail: String, retryAfterSeconds: Int) -> Problem {
    Problem(
      status: .tooManyRequests, slug: "rate-limited", title: "Too many requests", detail: detail,
      headers: [.retryAfter: String(max(1, retryAfterSeconds))])
  }

  static func unavailable(_ slug: String, _ detail: String, retryAfterSeconds: Int) -> Problem {
    Problem(
      status: .serviceUnavailable, slug: slug, title: "The gateway cannot do this now",
      detail: detail, headers: [.retryAfter: String(retryAfterSeconds)])
  }

  static let internalError = Problem(
    status: .internalServerError, slug: "internal-error", title: "Something went wrong inside",
    detail: "the log of the gateway says more under this x-request-id")
}
