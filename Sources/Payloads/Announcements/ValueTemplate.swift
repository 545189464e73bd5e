/// The part of Home Assistant's templates that names a value and does no more.
///
/// ```
/// {{ value }}                                  the whole payload
/// {{ value_json.a.b }}                         a member, also ['a'], ["a"] and, in a list, [0]
/// {{ value_json.a | float | round(1) }}        float, int, round, default, is_defined: accepted and dropped
/// ```
/// The filters are dropped because they change how a number is shown or what stands in for a missing one:
/// values are stored as they are sent, and a missing one is no value.
struct ValueTemplate: Hashable, Sendable {
  /// A path of `JSONMapping`; empty: the whole payload.
  var path: String

  static let supported =
    "`{{ value }}` or `{{ value_json.a['b'][0] }}`, with the filters float, int, round, default and "
    + "is_defined"

  private static let filters: Set<String> = ["float", "int", "round", "default", "is_defined"]

  /// - Returns: `nil` for every other template.
  init?(_ text: String) {
    let trimmed = text.trimmingASCIISpaces()
    guard trimmed.hasPrefix("{{"), trimmed.hasSuffix("}}"), trimmed.utf8.count >= 4 else {
      return nil
    }
    let parts = trimmed.dropFirst(2).dropLast(2)
      .split(separator: "|", omittingEmptySubsequences: false)
      .map { String($0).trimmingASCIISpaces() }
    guard let expression = parts.first, parts.dropFirst().allSatisfy(ValueTemplate.isDropped) else {
      return nil
    }
    if expression == "value" {
      path = ""
      return
    }
    guard expression.hasPrefix("value_json"),
      let names = ValueTemplate.accessors(expression.dropFirst("value_json".count)), !names.isEmpty
    else { return nil }
    path = names.map(\.escapedForPath).joined(separator: ".")
  }

  private static func isDropped(_ filter: String) -> Bool {
    let name = filter.prefix { $0 != "(" }
    let arguments = filter[name.endIndex...]
    guard filters.contains(String(name).trimmingASCIISpaces()) else { return false }
    if arguments.isEmpty { return true }
    return arguments.hasSuffix(")")
      && !arguments.dropFirst().dropLast().contains { "(){}".contains($0) }
  }

  /// `.a['b'][0]` as names; `nil` when it is anything else.
  private static func accessors(_ text: Substring) -> [String]? {
    var rest = text
    var names: [String] = []
    while let first = rest.popFirst() {
      switch first {
      case ".":
        let name = rest.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
        guard let start = name.first, !start.isNumber else { return nil }
        names.append(String(name))
        rest = rest[name.endIndex...]
      case "[":
        guard let name = bracketed(&rest) else { return nil }
        names.append(name)
      default: return nil
      }
    }
    return names
  }

  /// The quoted name or the index up to the closing bracket.
  private static func bracketed(_ rest: inout Substring) -> String? {
    guard let quote = rest.first else { return nil }
    let name: Substring
    if quote == "'" || quote == "\"" {
      rest.removeFirst()
      name = rest.prefix { $0 != quote }
      rest = rest[name.endIndex...].dropFirst()
      guard !name.contains("\\") else { return nil }
    } else {
      name = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest[name.endIndex...]
    }
    guard !name.isEmpty, rest.popFirst() == "]" else { return nil }
    return String(name)
  }
}

extension String {
  /// A member name as one name of a dotted path.
  var escapedForPath: String {
    guard contains(where: { $0 == "." || $0 == "\\" }) else { return self }
    return reduce(into: "") { text, character in
      if character == "." || character == "\\" { text.append("\\") }
      text.append(character)
    }
  }

  /// A topic or name as a device id: ids hold no slash.
  var asDeviceID: String { String(map { $0 == "/" ? "." : $0 }) }
}
