import Foundation
import Telemetry
import Testing

@testable import Payloads

/// A folder `Golden/announcements/<family>/<case>` with `messages` and `expected`.
///
/// `messages` holds a line `topic <topic>` for each message and its payload in the lines that follow;
/// lines before the first topic say where the shapes come from.
struct AnnouncementCase: Sendable, CustomTestStringConvertible {
  var folder: URL

  var testDescription: String {
    "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
  }

  static let all: [AnnouncementCase] = AnnouncementFamily.allCases.flatMap { family in
    let folder = GoldenCase.root.appendingPathComponent("announcements/\(family.rawValue)")
    // A lost folder is noticed by the count below.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map { AnnouncementCase(folder: folder.appendingPathComponent($0)) }
  }

  func messages() throws -> [(topic: String, payload: [UInt8])] {
    let text = try String(
      contentsOf: folder.appendingPathComponent("messages"), encoding: .utf8)
    var messages: [(topic: String, lines: [Substring])] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("topic ") {
        messages.append((String(line.dropFirst(6)), []))
      } else if !messages.isEmpty {
        messages[messages.count - 1].lines.append(line)
      }
    }
    return messages.map { message in
      let payload = message.lines.joined(separator: "\n").trimmingCharacters(in: .newlines)
      return (message.topic, Array(payload.utf8))
    }
  }
}

extension AnnouncementBook {
  @discardableResult
  mutating func receive(_ topic: String, _ payload: [UInt8]) throws -> Reception? {
    try payload.withUnsafeBytes { bytes in
      try receive(topic: topic, payload: bytes)
    }
  }

  @discardableResult
  mutating func receive(_ topic: String, _ payload: String) throws -> Reception? {
    try receive(topic, Array(payload.utf8))
  }
}

/// What became of each message and what the book knows in the end, for people.
func render(_ messages: [(topic: String, payload: [UInt8])]) -> String {
  var book = AnnouncementBook()
  var lines: [String] = []
  for message in messages {
    do {
      guard let reception = try book.receive(message.topic, message.payload) else {
        lines.append("\(message.topic): announces nothing")
        continue
      }
      let word =
        reception.isChanged ? "changed" : reception.isIgnored ? "passed over" : "unchanged"
      lines.append("\(message.topic): \(word)")
      lines += reception.refusals.map { "  refused \($0.place): \($0.code): \($0.detail)" }
    } catch {
      lines.append("\(message.topic): refused: \((error as? PayloadError)?.code ?? ""): \(error)")
    }
  }
  for id in book.index.devices.keys.sorted() {
    guard let device = book.device(id) else { continue }
    lines += ["", "device \(id) (\(device.description)) type (\(device.type))"]
    lines += device.topics.map { "  topic \($0.topic): \(text($0.content))" }
    lines += device.metrics.map { "  metric \(text($0))" }
  }
  return lines.joined(separator: "\n") + "\n"
}

private func text(_ content: AnnouncedTopic.Content) -> String {
  switch content {
  case .scalar(let metric): return "scalar \(metric)"
  case .ignored: return "ignored"
  case .availability(let words):
    return "availability \(words.path.isEmpty ? "" : "at \(words.path) ")"
      + "\(words.online)/\(words.offline)"
  case .values(let mapping):
    let paths = mapping.metrics.map { $0.name.isEmpty ? $0.path : "\($0.path) as \($0.name)" }
    return "values [\(paths.joined(separator: ", "))], rest \(mapping.rest)"
  }
}

private func text(_ metric: AnnouncedMetric) -> String {
  var parts = [metric.name, metric.type?.name ?? "any type", metric.kind?.name ?? "any kind"]
  if !metric.unit.isEmpty { parts.append("in \(metric.unit)") }
  if let range = metric.range { parts.append("\(range.lowerBound)…\(range.upperBound)") }
  if !metric.words.isEmpty {
    let words = metric.words.map { $0.raw == $0.word ? $0.raw : "\($0.raw)=\($0.word)" }
    parts.append("one of \(words.joined(separator: "|"))")
  }
  return parts.joined(separator: ", ")
}

@Suite("Golden announcements")
struct AnnouncementGoldenTests {
  @Test(
    "Every golden announcement reads as its expected file says", arguments: AnnouncementCase.all)
  func matches(_ golden: AnnouncementCase) throws {
    let actual = render(try golden.messages())
    let url = golden.folder.appendingPathComponent("expected")
    if ProcessInfo.processInfo.environment["MILLWRIGHT_RECORD_GOLDEN"] == "1" {
      return try actual.write(to: url, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == actual)
  }

  @Test("There are golden announcements of each family, so that a lost folder is noticed")
  func areThere() {
    for family in AnnouncementFamily.allCases {
      let cases = AnnouncementCase.all.filter { $0.testDescription.hasPrefix(family.rawValue) }
      #expect(cases.count >= 2)
    }
  }
}
