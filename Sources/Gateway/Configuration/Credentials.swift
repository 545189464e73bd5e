import Foundation

/// Finds what a path of the form `credential:NAME` stands for.
///
/// A service manager hands secrets over as files in `$CREDENTIALS_DIRECTORY`, which only the service can
/// read. systemd calls those that come from a directory `<id>_<file>`; our unit gives the id `millwright`.
/// A command at a terminal has no such directory and reads `credentials/NAME` beside millwright.yaml, where
/// the unit takes them from.
struct Credentials: Sendable, Hashable {
  private static let prefix = "credential:"

  private let directory: String?
  /// Of the configuration file; empty: the working directory.
  private let base: String

  init(environment: [String: String], base: String) {
    directory = environment["CREDENTIALS_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 }
    self.base = base
  }

  /// The secret of that name without blanks around it; `nil` when there is none that can be read.
  func secret(named name: String) -> String? {
    guard let path = path(for: Self.prefix + name),
      let bytes = FileManager.default.contents(atPath: path)
    else { return nil }
    let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    return text.isEmpty ? nil : text
  }

  /// - Returns: the path of the credential's file, whether it is there or not; `nil` when `path` names none.
  func path(for path: String) -> String? {
    guard path.hasPrefix(Self.prefix) else { return nil }
    let name = path.dropFirst(Self.prefix.count)
    let beside = (base.isEmpty ? "" : base + "/") + "credentials/" + name
    guard let directory else { return beside }
    let places = [directory + "/" + name, directory + "/millwright_" + name]
    return places.first { FileManager.default.fileExists(atPath: $0) } ?? places[1]
  }
}
