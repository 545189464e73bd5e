import Foundation

/// A payload as one line for people.
enum PayloadText {
  /// The text itself when it is one, else `base64:…`.
  static func line(_ bytes: [UInt8]) -> String {
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      return "base64:" + Data(bytes).base64EncodedString()
    }
    return text
  }
}
