import Crypto
import Foundation

/// Signs a webhook, so that its receiver knows that it is ours and fresh.
///
/// `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal digits; the timestamp is in seconds since
/// 1970, as the header says it. Worked: secret `top secret`, timestamp 1700000000, body `{"a":1}` →
/// `v1=b818565009498d69…`, as `openssl dgst -sha256 -hmac` tells; a test repeats the whole of it.
enum WebhookSignature {
  static func sign(body: String, timestamp: Int64, secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("\(timestamp).\(body)".utf8), using: SymmetricKey(data: Data(secret.utf8)))
    return "v1=" + code.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
