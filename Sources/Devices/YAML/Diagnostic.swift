/// One problem in a configuration file, at the place where a person would mend it.
///
/// Printed as `devices/press.yaml:12:7: error: unknown key `uint`, did you mean `unit`?`, the form that
/// editors and CI systems turn into a link.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  public enum Severity: String, Sendable, Hashable {
    /// The configuration is not used.
    case error
    /// It is used; something in it is probably not what was meant.
    case warning
  }

  public var file: String
  /// Counted from 1.
  public var line: Int
  /// Counted from 1, in Unicode scalars.
  public var column: Int
  public var severity: Severity
  public var message: String

  public init(
    file: String, line: Int, column: Int, severity: Severity = .error, message: String
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.severity = severity
    self.message = message
  }

  public var description: String { "\(file):\(line):\(column): \(severity.rawValue): \(message)" }
}

/// Where problems are gathered while files are read, so that one run shows them all.
///
/// A class because many readers of one file report to it; it lives only as long as the reading.
public final class DiagnosticLog {
  public private(set) var diagnostics: [Diagnostic] = []

  public init() {}

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  public func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

  /// Ordered by file as first met, then by line and column.
  public var sorted: [Diagnostic] {
    var ranks: [String: Int] = [:]
    for diagnostic in diagnostics where ranks[diagnostic.file] == nil {
      ranks[diagnostic.file] = ranks.count
    }
    let keyed = diagnostics.enumerated().map { index, diagnostic in
      (key: [ranks[diagnostic.file] ?? 0, diagnostic.line, diagnostic.column, index], diagnostic)
    }
    return keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.1)
  }
}
