import Foundation
import Gateway
import HTTPTypes
import Hummingbird

/// Decides who comes in and how much of it: keys, scopes and the three limits.
final class Gate: Sendable {
  private let keys: KeyRing
  private let perKey: TokenBuckets
  private let perAddress: TokenBuckets
  private let items: TokenBuckets
  private let clock: ClockSource
  /// Several keys may share an address; guessing keys is still slow.
  static let keysPerAddress = 4

  init(settings: HTTPSettings, localToken: String?, clock: ClockSource) {
    keys = KeyRing(keys: settings.keys, localToken: localToken)
    let rate = settings.rateLimitPerMinute
    perKey = TokenBuckets(perMinute: rate)
    perAddress = TokenBuckets(perMinute: rate * Self.keysPerAddress)
    items = TokenBuckets(perMinute: settings.itemsPerMinute)
    self.clock = clock
  }

  private var now: Int64 { clock.read().monotonicMicroseconds }

  /// Before anything else is looked at.
  func admit(address: String) throws(Problem) {
    let verdict = perAddress.take(1, of: address, nowMicroseconds: now)
    guard verdict.isGranted else {
      throw .tooMany(
        "this address asks too often", retryAfterSeconds: verdict.retryAfterSeconds)
    }
  }

  /// Who asks, when it may use `scope`; its rate is charged.
  func authenticate(
    _ headers: HTTPFields, scope: Scope, notes: RequestNotes
  ) throws(Problem) -> Caller {
    let caller = try identify(headers)
    guard caller.scopes.contains(scope) else {
      throw .forbidden(scope: scope.rawValue, key: caller.name)
    }
    guard caller.isLimited else { return caller }
    let verdict = perKey.take(1, of: caller.name, nowMicroseconds: now)
    notes.set(.rateLimitPolicy, "\"requests\";q=\(perKey.perMinute);w=60")
    notes.set(
      .rateLimit, "\"requests\";r=\(verdict.remaining);t=\(verdict.secondsUntilFull)")
    guard verdict.isGranted else {
      throw .tooMany(
        "the key `\(caller.name)` may ask \(perKey.perMinute) times a minute",
        retryAfterSeconds: verdict.retryAfterSeconds)
    }
    return caller
  }

  private func identify(_ headers: HTTPFields) throws(Problem) -> Caller {
    guard let secret = Gate.secret(in: headers) else {
      if keys.isOpen { return KeyRing.anyone }
      throw .unauthorized("send a key as `x-api-key: KEY` or `Authorization: Bearer KEY`")
    }
    if let caller = keys.caller(presenting: secret) { return caller }
    if keys.isOpen { return KeyRing.anyone }
    throw .unauthorized("this key is not known here")
  }

  /// How a WebSocket handshake is met, before anything is said.
  enum Admission: Equatable {
    case caller(Caller)
    /// No key yet: the first message must bring one.
    case unknown
    case refused
  }

  func admission(_ headers: HTTPFields) -> Admission {
    guard Gate.secret(in: headers) != nil || keys.isOpen else { return .unknown }
    guard let caller = try? identify(headers), caller.scopes.contains(.read) else {
      return .refused  // The router says why.
    }
    return .caller(caller)
  }

  /// Who presents this key in a message; `nil`: nobody we know.
  func caller(presenting secret: String) -> Caller? {
    keys.caller(presenting: secret) ?? (keys.isOpen ? KeyRing.anyone : nil)
  }

  /// `x-api-key`, else the credentials of `Authorization`; InfluxDB's clients say `Token` for `Bearer`.
  private static func secret(in headers: HTTPFields) -> String? {
    if let key = headers[.apiKey] { return key }
    guard let text = headers[.authorization], let blank = text.firstIndex(of: " ") else {
      return nil
    }
    let credentials = String(text[blank...].drop { $0 == " " })
    switch text[..<blank].lowercased() {
    case "bearer", "token": return credentials
    case "basic": return user(ofBasic: credentials)
    default: return nil
    }
  }

  /// Segment's clients send their key as a user without a password (RFC 7617).
  private static func user(ofBasic credentials: String) -> String? {
    guard let bytes = Data(base64Encoded: credentials),
      let text = String(validating: bytes, as: UTF8.self), let colon = text.firstIndex(of: ":"),
      text[colon...] == ":"
    else { return nil }
    return String(text[..<colon])
  }

  // MARK: - Items

  /// Refuses a batch while earlier ones have overdrawn the budget.
  func checkItems(of caller: Caller) throws(Problem) {
    guard caller.isLimited else { return }
    let verdict = items.take(0, of: caller.name, nowMicroseconds: now)
    guard verdict.isGranted else {
      throw .tooMany(
        "the key `\(caller.name)` may send \(items.perMinute) items a minute",
        retryAfterSeconds: verdict.retryAfterSeconds)
    }
  }

  /// Charges a batch once it is known how much it held; the budget may go below zero.
  func charge(_ count: Int, to caller: Caller) {
    guard caller.isLimited else { return }
    _ = items.take(Double(count), of: caller.name, nowMicroseconds: now, mayOverdraw: true)
  }
}
