import ArgumentParser
import Foundation
import Logging
import Telemetry

/// How much is logged, and in which form.
struct LogOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, journal
  }

  @Option(
    help: ArgumentHelp(
      "trace, debug, info, notice, warning, error or critical; also MILLWRIGHT_LOG_LEVEL.",
      valueName: "level"))
  var logLevel: String?

  @Option(
    help: ArgumentHelp(
      "text: a line for people. json: one object a line, for programs. journal: to journald with fields.",
      discussion: "Without it journal when standard error goes to journald, else text.",
      valueName: "format"))
  var logFormat: Format?

  func validate() throws {
    if let logLevel, Logger.Level(rawValue: logLevel) == nil {
      let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(logLevel)' is no log level; there are \(names).")
    }
  }

  var level: Logger.Level {
    let text = logLevel ?? ProcessInfo.processInfo.environment["MILLWRIGHT_LOG_LEVEL"] ?? ""
    return Logger.Level(rawValue: text.lowercased()) ?? .info
  }

  func output() -> LogOutput {
    var output = LogOutput(label: "", logLevel: level, format: logFormat ?? .text)
    switch logFormat {
    case .text, .json: break
    case .journal: output.journal = SystemJournal()
    case nil:
      output.journal = SystemJournal.behindStandardError(
        environment: ProcessInfo.processInfo.environment)
    }
    return output
  }
}

/// Writes each log entry as one line to standard error, with one system call, or to the system's journal.
///
/// ```
/// 2026-11-21T08:15:30.250Z info gateway: store opened replayed_records=12 series=40
/// ```
struct LogOutput: LogHandler {
  var label: String
  var logLevel: Logger.Level
  var format: LogOptions.Format
  /// Takes the entries instead of standard error, as long as it can.
  var journal: SystemJournal?
  var metadata: Logger.Metadata = [:]

  func logger(label: String) -> Logger {
    Logger(label: label) { label in
      var output = self
      output.label = label
      return output
    }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let (level, message) = (event.level, event.message)
    var all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    if let error = event.error { all["error"] = "\(error)" }
    let fields = all.sorted { $0.key < $1.key }
    if let journal, journal.write(entry(level, "\(message)", fields)) { return }
    let time = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1e3) * 1_000).rfc3339
    switch format {
    case .text, .journal:
      StandardError.write("\(time) \(level.rawValue) " + text("\(message)", fields))
    case .json: StandardError.write(json(time, level, "\(message)", fields))
    }
  }

  /// The message holds the fields as well: that is what `journalctl` shows.
  private func entry(
    _ level: Logger.Level, _ message: String,
    _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> JournalEntry {
    var entry = JournalEntry(level: level, label: label, message: text(message, fields))
    for (key, value) in fields { entry.appendMetadata(key, "\(value)") }
    return entry
  }

  private func text(
    _ message: String, _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> String {
    var line = "\(label): \(message.singleLine)"
    for (key, value) in fields {
      let value = "\(value)".singleLine
      let isPlain = !value.isEmpty && !value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
      line += " \(key)=" + (isPlain ? value : JSONText.quoted(value))
    }
    return line
  }

  private func json(
    _ time: String, _ level: Logger.Level, _ message: String,
    _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> String {
    var members = [
      ("time", time), ("level", level.rawValue), ("label", label), ("message", message),
    ]
    members += fields.map { ($0.key, "\($0.value)") }
    let body = members.map { JSONText.quoted($0.0) + ":" + JSONText.quoted($0.1) }
    return "{" + body.joined(separator: ",") + "}"
  }
}

extension String {
  /// Line breaks and other control characters shown, so that one entry stays one line.
  fileprivate var singleLine: String {
    guard unicodeScalars.contains(where: { $0.value < 0x20 }) else { return self }
    return replacingOccurrences(of: "\n", with: "\\n").replacingOccurrences(of: "\r", with: "\\r")
      .replacingOccurrences(of: "\t", with: "\\t")
  }
}

extension LogOptions {
  /// For commands whose libraries should speak only when something is wrong.
  static func quiet(label: String) -> Logger {
    Logger(label: label) { LogOutput(label: $0, logLevel: .error, format: .text) }
  }
}
