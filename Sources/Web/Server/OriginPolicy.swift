import Gateway
import HTTPTypes
import Hummingbird

/// Which web pages may talk to us from a browser: those that we served, and the configured origins.
///
/// Without keys the loopback address is all that protects the API, and a browser on this machine reaches
/// it for any page; so then the Host must be a loopback name (no DNS rebinding) and a foreign Origin is
/// refused.
struct OriginPolicy: Sendable {
  let allowsCORS: Bool
  let origins: Set<String>
  let isOpen: Bool

  init(_ settings: HTTPSettings) {
    allowsCORS = settings.allowsCORS
    origins = Set(settings.corsOrigins)
    isOpen = settings.keys.isEmpty
  }

  private func isAllowed(_ origin: String) -> Bool {
    allowsCORS && (origins.contains("*") || origins.contains(origin))
  }

  func check(_ request: Request) throws(Problem) {
    guard isOpen else { return }
    let host = request.head.authority ?? ""
    guard host.isEmpty || Loopback.isLoopback(Loopback.name(ofAuthority: host)) else {
      throw .forbiddenOrigin(
        "without keys only the names of this machine are answered, not `\(host)`; configure http.keys"
      )
    }
    guard let origin = request.headers[.origin], !isAllowed(origin) else { return }
    guard origin == "http://\(host)" || origin == "https://\(host)" else {
      throw .forbiddenOrigin("pages of `\(origin)` may not use this API; see http.cors_origins")
    }
  }

  /// As `check`, for a WebSocket: browsers send its Origin, and let any page open one, whatever CORS says.
  func admits(host: String, origin: String?) -> Bool {
    if isOpen, !host.isEmpty, !Loopback.isLoopback(Loopback.name(ofAuthority: host)) {
      return false
    }
    guard let origin, !isAllowed(origin) else { return true }
    return origin == "http://\(host)" || origin == "https://\(host)"
  }

  /// The answer to a browser's question whether it may ask.
  func preflight(_ request: Request) -> Response? {
    guard request.method == .options, let origin = request.headers[.origin], isAllowed(origin),
      request.headers[.corsRequestMethod] != nil
    else { return nil }
    var headers: HTTPFields = [:]
    headers[.accessControlAllowMethods] = "GET, POST, PUT, PATCH, DELETE"
    headers[.accessControlAllowHeaders] =
      "Authorization, Content-Type, Content-Encoding, Idempotency-Key, If-Match, X-Api-Key, X-Request-Id"
    headers[.accessControlMaxAge] = "600"
    return Response(status: .noContent, headers: headers)
  }

  func mark(_ response: inout Response, for request: Request) {
    guard allowsCORS else { return }
    response.headers[.vary] = "Origin"
    guard let origin = request.headers[.origin], isAllowed(origin) else { return }
    response.headers[.accessControlAllowOrigin] = origins.contains("*") ? "*" : origin
    response.headers[.accessControlExposeHeaders] =
      "RateLimit, RateLimit-Policy, Retry-After, X-Millwright-Rejected, X-Request-Id"
  }
}

/// Names and addresses that lead to this machine alone.
enum Loopback {
  static func isLoopback(_ host: String) -> Bool {
    let name = host.lowercased()
    return name == "localhost" || name == "::1" || name == "[::1]" || isLoopbackIPv4(name)
  }

  private static func isLoopbackIPv4(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// The host of `host:port`, IPv6 in its brackets.
  static func name(ofAuthority authority: String) -> String {
    if authority.hasPrefix("[") {
      return authority.firstIndex(of: "]").map { String(authority[...$0]) } ?? authority
    }
    return authority.split(separator: ":").first.map(String.init) ?? authority
  }
}
