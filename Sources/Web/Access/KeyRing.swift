import Crypto
import Foundation
import Gateway

/// Who sends a request, as far as its key says.
struct Caller: Sendable, Hashable {
  var name: String
  var scopes: Set<Scope>
  /// The command line on this machine, and tests, are not limited.
  var isLimited = true
}

/// The keys that are accepted, kept as SHA-256 digests.
///
/// A key given by a caller is compared with every digest in full, so that the time it takes tells
/// nothing about how much of it was right.
struct KeyRing: Sendable {
  private struct Entry: Sendable {
    var digest: [UInt8]
    var caller: Caller
  }

  private var entries: [Entry]
  /// Without configured keys everybody on this machine may do everything.
  let isOpen: Bool

  init(keys: [APIKey], localToken: String? = nil) {
    isOpen = keys.isEmpty
    entries = keys.map {
      Entry(
        digest: KeyRing.digest($0.secret), caller: Caller(name: $0.name, scopes: $0.scopes))
    }
    if let localToken {
      let caller = Caller(name: "local", scopes: Set(Scope.allCases), isLimited: false)
      entries.append(Entry(digest: KeyRing.digest(localToken), caller: caller))
    }
  }

  static let anyone = Caller(name: "anyone", scopes: Set(Scope.allCases))

  func caller(presenting secret: String) -> Caller? {
    let given = KeyRing.digest(secret)
    var found: Caller?
    for entry in entries where KeyRing.areEqual(entry.digest, given) { found = entry.caller }
    return found
  }

  private static func digest(_ text: String) -> [UInt8] {
    Array(SHA256.hash(data: Data(text.utf8)))
  }

  private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    var difference: UInt8 = 0
    for index in 0..<32 { difference |= a[index] ^ b[index] }
    return difference == 0
  }
}
