import Foundation
import Testing

/// The built `millwright`, run as a person would run it.
struct Executable {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  /// Beside the test bundle in the build folder.
  static let path: String = {
    let running =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let candidates = [running] + CommandLine.arguments
    let folders = candidates.map { ($0 as NSString).deletingLastPathComponent }
    let found = folders.map { $0 + "/millwright" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    return found ?? FileManager.default.currentDirectoryPath + "/.build/debug/millwright"
  }()

  /// Runs to the end; both streams are read while it runs, so that none can block it.
  static func run(
    _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    let folder = try Folder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    var variables = ["PATH": "/usr/bin:/bin", "TZ": "UTC"]
    variables.merge(environment) { _, new in new }
    process.environment = variables
    process.currentDirectoryURL = URL(fileURLWithPath: directory ?? folder.path)
    let files = try ["output", "errors"].map { name in
      let file = folder.path + "/" + name
      try Data().write(to: URL(fileURLWithPath: file))
      return file
    }
    process.standardOutput = try #require(FileHandle(forWritingAtPath: files[0]))
    process.standardError = try #require(FileHandle(forWritingAtPath: files[1]))
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
  }
}

/// A folder that goes when the test is done.
final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "millwright-command-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func write(_ text: String, to name: String) throws {
    let file = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// Names and contents of all files, for "touches nothing".
  func snapshot() throws -> [String: Data] {
    var content: [String: Data] = [:]
    for name in FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) ?? [] {
      // SQLite's index of its WAL is a cache in a file; readers may make it anew.
      if name.hasSuffix("-shm") { continue }
      content[name] = FileManager.default.contents(atPath: path + "/" + name) ?? Data()
    }
    return content
  }

  deinit {
    // Left behind at worst; the system's temporary folder is cleaned by others.
    try? FileManager.default.removeItem(atPath: path)
  }
}
