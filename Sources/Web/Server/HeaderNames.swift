import HTTPTypes

extension HTTPField.Name {
  // The names are tokens, so that they always can be made.
  static let requestID = HTTPField.Name("x-request-id")!
  static let apiKey = HTTPField.Name("x-api-key")!
  static let idempotencyKey = HTTPField.Name("idempotency-key")!
  static let idempotencyReplayed = HTTPField.Name("idempotency-replayed")!
  static let rejectedCount = HTTPField.Name("x-millwright-rejected")!
  static let rateLimit = HTTPField.Name("ratelimit")!
  static let rateLimitPolicy = HTTPField.Name("ratelimit-policy")!
  static let corsRequestMethod = HTTPField.Name("access-control-request-method")!
  static let contentTypeOptions = HTTPField.Name("x-content-type-options")!
  static let contentPolicy = HTTPField.Name("content-security-policy")!
  static let referrerPolicy = HTTPField.Name("referrer-policy")!
}

/// Chooses the name under which a request is told apart from others.
enum RequestIdentifier {
  /// The caller's, when it is 1–128 visible ASCII characters; else `fresh`.
  static func choose(_ given: String?, fresh: () -> String) -> String {
    guard let given, (1...128).contains(given.utf8.count),
      given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return fresh() }
    return given
  }
}
