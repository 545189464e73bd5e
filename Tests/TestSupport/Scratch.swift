import Foundation

/// A directory of its own on a real disk that goes when the test ends.
public final class Scratch: Sendable {
  public let path: String

  public init() throws {
    path = NSTemporaryDirectory() + "millwright-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Asks again and again, a hundred times a second, until `condition` holds; the bound only ends a test
/// that would hang for ever.
public func eventually(
  _ condition: () async throws -> Bool, tries: Int = 6_000
) async rethrows -> Bool {
  for _ in 0..<tries {
    if try await condition() { return true }
    // A cancelled test has nothing left to wait for.
    try? await Task.sleep(for: .milliseconds(10))
  }
  return false
}
