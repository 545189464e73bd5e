import Telemetry
import Yams

/// Reads one YAML file of the configuration into typed values, each with its place.
///
/// ```
/// let log = DiagnosticLog()
/// guard let root = YAMLReader(log: log).map(in: file) else { … }
/// let port = root.optional("port", .int(in: 1...65_535)) ?? 8080
/// let grace = root.required("grace", .duration)
/// root.refuseUnknownKeys()
/// ```
///
/// Nothing throws: every problem goes to the log and reading goes on, so that one run finds them all.
/// YAML 1.1 as libyaml reads it, with anchors and aliases; merge keys and second documents are refused.
public struct YAMLReader {
  public let log: DiagnosticLog

  public init(log: DiagnosticLog) { self.log = log }

  /// The map at the root of `file`; an empty file is an empty map.
  /// - Returns: `nil` after reporting when the text is not YAML or its root is not a map.
  public func map(in file: ConfigurationFile) -> YAMLMap? {
    do {
      guard let node = try Yams.compose(yaml: file.content) else {
        return YAMLMap(pairs: [], path: "", file: file.name, position: .start, log: log)
      }
      let root = YAMLValue(node: node, path: "", file: file.name, log: log)
      return root.isNull
        ? YAMLMap(pairs: [], path: "", file: file.name, position: .start, log: log)
        : root.read(.map)
    } catch {
      log.report(diagnostic(for: error, in: file))
      return nil
    }
  }

  private func diagnostic(for error: any Error, in file: ConfigurationFile) -> Diagnostic {
    var position = YAMLPosition.start
    var message = "\(error)"
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      position = YAMLPosition(mark)
      let prefix = context.map { "\($0.text) (line \($0.mark.line)): " } ?? ""
      message = "not YAML: \(prefix)\(problem)"
    case .reader(let problem, let offset, _, _):
      position = YAMLPosition(characterOffset: offset ?? 0, in: file.content)
      message = "not YAML: \(problem)"
    case .duplicatedKeysInMapping(let names, let context):
      position = YAMLPosition(context.mark)
      message = "the key `\(names.first ?? "")` appears twice in one map"
    default: break
    }
    return Diagnostic(
      file: file.name, line: position.line, column: position.column, message: message)
  }
}

/// A line and a column, both counted from 1.
public struct YAMLPosition: Hashable, Sendable {
  public var line: Int
  public var column: Int

  static let start = YAMLPosition(line: 1, column: 1)

  init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  init(_ mark: Mark) { self.init(line: max(1, mark.line), column: max(1, mark.column)) }

  init(characterOffset: Int, in text: String) {
    let before = text.prefix(characterOffset)
    let lastLine = before.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
    self.init(
      line: before.count(where: \.isNewline) + 1, column: lastLine.unicodeScalars.count + 1)
  }
}
