import Foundation

/// The discovery topics on which something retained of ours may lie, in a file of the data directory: one a
/// line, so that a message can be taken back after the option, the prefix or the gateway's name has gone.
///
/// A topic is noted before its first announcement and forgotten after the broker has acknowledged its removal.
struct AnnouncedTopics: Sendable {
  private let path: String
  private(set) var topics: [String]

  /// - Parameter directory: the data directory; it is only read here.
  init(directory: String) {
    path = directory + "/home-assistant.topics"
    let bytes = FileManager.default.contents(atPath: path) ?? Data()
    topics = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// - Throws: when the file cannot be written; it is as it was then.
  mutating func note(_ topic: String) throws {
    guard !topics.contains(topic) else { return }
    try write(topics + [topic])
  }

  mutating func forget(_ gone: [String]) throws {
    try write(topics.filter { !gone.contains($0) })
  }

  private mutating func write(_ new: [String]) throws {
    guard new != topics else { return }
    if new.isEmpty {
      try FileManager.default.removeItem(atPath: path)
    } else {
      let text = new.map { $0 + "\n" }.joined()
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
    topics = new
  }
}
