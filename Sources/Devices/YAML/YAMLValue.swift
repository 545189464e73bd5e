import Telemetry
import Yams

/// A value in a YAML file with its path and place.
public struct YAMLValue {
  let node: Node
  /// Keys and positions from the root, for messages: `profiles[0].metrics.speed.unit`.
  public let path: String
  public let file: String
  public let log: DiagnosticLog

  public var position: YAMLPosition { node.mark.map(YAMLPosition.init) ?? .start }

  /// Nothing, `~` or `null`, unquoted: the same as leaving the key out.
  public var isNull: Bool {
    guard case .scalar(let scalar) = node, isPlain(scalar) else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// Neither a map nor a list nor nothing: text, a number, true or false.
  public var isScalar: Bool { scalarText != nil }

  /// For values that may be written in more than one way.
  public var isMap: Bool { node.mapping != nil }

  public var isList: Bool { node.sequence != nil }

  /// Reads the value as `type`; reports and returns `nil` when it is something else.
  public func read<Value>(_ type: YAMLType<Value>) -> Value? { type.read(self) }

  /// Reports a problem at this value.
  public func report(_ message: String, severity: Diagnostic.Severity = .error) {
    log.report(
      Diagnostic(
        file: file, line: position.line, column: position.column, severity: severity,
        message: message))
  }

  /// What kind of thing stands here, for messages.
  var kind: String {
    switch node {
    case .mapping: "a map"
    case .sequence: "a list"
    case .alias: "an alias"
    case .scalar(let scalar): isNull ? "nothing" : "`\(scalar.string.prefix(80))`"
    }
  }

  func refuse(expected: String) {
    let name = path.isEmpty ? "the file" : "`\(path)`"
    report("\(name) must be \(expected), found \(kind)")
  }

  /// The text of a scalar; `nil` for maps, lists and null.
  var scalarText: String? {
    guard case .scalar(let scalar) = node, !isNull else { return nil }
    return scalar.string
  }

  /// The text of an unquoted scalar: only these are numbers and booleans.
  var plainText: String? {
    guard case .scalar(let scalar) = node, isPlain(scalar), !isNull else { return nil }
    return scalar.string
  }

  func child(_ node: Node, _ suffix: String) -> YAMLValue {
    YAMLValue(node: node, path: path + suffix, file: file, log: log)
  }

  private func isPlain(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain || scalar.style == .any
  }
}

/// A map in a YAML file; it remembers which keys were asked for.
///
/// A class for that memory alone; it lives only as long as the reading.
public final class YAMLMap {
  public let path: String
  public let file: String
  public let position: YAMLPosition
  public let log: DiagnosticLog
  /// In the order of the file.
  public let entries: [Entry]
  private var known: [String] = []

  public struct Entry {
    public let key: String
    /// The key itself as a value, for problems with a name.
    public let name: YAMLValue
    public let value: YAMLValue
  }

  init(
    pairs: [(key: Node, value: Node)], path: String, file: String, position: YAMLPosition,
    log: DiagnosticLog
  ) {
    self.path = path
    self.file = file
    self.position = position
    self.log = log
    let prefix = path.isEmpty ? "" : path + "."
    entries = pairs.compactMap { pair in
      let name = YAMLValue(node: pair.key, path: path, file: file, log: log)
      guard case .scalar(let scalar) = pair.key else {
        name.report("a key must be a plain word, found \(name.kind)")
        return nil
      }
      let value = YAMLValue(node: pair.value, path: prefix + scalar.string, file: file, log: log)
      return Entry(key: scalar.string, name: name, value: value)
    }
  }

  /// The value under `key`; `nil` when it is absent, null or (after reporting) of another type.
  public func optional<Value>(_ key: String, _ type: YAMLType<Value>) -> Value? {
    value(key).flatMap { $0.isNull ? nil : $0.read(type) }
  }

  /// The value under `key`; absence is reported at the map itself.
  public func required<Value>(_ key: String, _ type: YAMLType<Value>) -> Value? {
    guard let value = value(key), !value.isNull else {
      report("`\(key)` is missing" + (path.isEmpty ? "" : " in `\(path)`"))
      return nil
    }
    return value.read(type)
  }

  /// The value under `key` as it stands, to read or report by hand.
  public func value(_ key: String) -> YAMLValue? {
    if !known.contains(key) { known.append(key) }
    return entries.first { $0.key == key }?.value
  }

  /// Reports a problem at the start of the map.
  public func report(_ message: String, severity: Diagnostic.Severity = .error) {
    log.report(
      Diagnostic(
        file: file, line: position.line, column: position.column, severity: severity,
        message: message))
  }

  /// Call after everything was asked for: reports each key that nobody asked for, with a suggestion.
  public func refuseUnknownKeys() {
    for entry in entries where !known.contains(entry.key) {
      let suggestion = nearestName(to: entry.key, among: known)
      entry.name.report(
        "unknown key `\(entry.key)`" + (suggestion.map { ", did you mean `\($0)`?" } ?? ""))
    }
  }
}
