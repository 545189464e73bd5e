import Foundation
import Glibc
import Telemetry

/// The note in the data directory by which the command line finds and enters a running gateway.
///
/// `<data directory>/local.json`, mode 0600: `{"url": "http://127.0.0.1:3000", "token": "…"}`. It is
/// written when the server listens and removed when it stops; the token is new each time.
public struct LocalToken: Sendable {
  public var url: String
  public var token: String

  static func path(in directory: String) -> String { directory + "/local.json" }

  static func makeToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let digits = String(random.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// The note of the gateway that uses `directory`; `nil` when none is running.
  public static func read(directory: String) -> LocalToken? {
    guard let data = FileManager.default.contents(atPath: path(in: directory)),
      let value = try? JSONValue.body([UInt8](data)),  // A damaged note is no note.
      let url = value["url"]?.text, let token = value["token"]?.text
    else { return nil }
    return LocalToken(url: url, token: token)
  }

  /// Written beside and renamed, so that nobody reads half of it and it never is readable to others.
  func write(directory: String) throws {
    let path = LocalToken.path(in: directory)
    let fresh = path + ".new"
    let text = JSONValue.object([("url", .string(url)), ("token", .string(token))]).encoded + "\n"
    unlink(fresh)
    let file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw CocoaError(.fileWriteUnknown) }
    let bytes = Array(text.utf8)
    let written = Glibc.write(file, bytes, bytes.count)
    close(file)
    guard written == bytes.count, rename(fresh, path) == 0 else {
      throw CocoaError(.fileWriteUnknown)
    }
  }

  /// Removes the note unless another gateway has written its own since.
  func remove(directory: String) {
    guard LocalToken.read(directory: directory)?.token == token else { return }
    unlink(LocalToken.path(in: directory))
  }
}
