/// A JSON text as a value: members keep their order, numbers keep their digits.
public indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  /// The number as it was written.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  public static func == (a: JSONValue, b: JSONValue) -> Bool { a.canonicalText == b.canonicalText }

  public static func integer(_ number: some BinaryInteger) -> JSONValue { .number(String(number)) }

  /// NaN and infinities have no form in JSON and become null.
  public static func double(_ number: Double) -> JSONValue {
    number.isFinite ? .number("\(number)") : .null
  }

  public static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

  /// The last member of this name; `nil` when there is none or this is no object.
  public subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.0 == name }?.1
  }

  public var isNull: Bool { if case .null = self { true } else { false } }
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  public var members: [(String, JSONValue)]? {
    if case .object(let list) = self { list } else { nil }
  }
  public var elements: [JSONValue]? { if case .array(let list) = self { list } else { nil } }

  public var encoded: String {
    var text = ""
    write(to: &text, isCanonical: false)
    return text
  }

  /// Members sorted by name, the last of equal names alone: equal content gives equal text.
  public var canonicalText: String {
    var text = ""
    write(to: &text, isCanonical: true)
    return text
  }

  private func write(to text: inout String, isCanonical: Bool) {
    switch self {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .number(let digits): text += digits
    case .string(let string): JSONText.append(string, to: &text)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        element.write(to: &text, isCanonical: isCanonical)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in (isCanonical ? Self.sorted(members) : members).enumerated() {
        if index > 0 { text += "," }
        JSONText.append(member.0, to: &text)
        text += ":"
        member.1.write(to: &text, isCanonical: isCanonical)
      }
      text += "}"
    }
  }

  private static func sorted(_ members: [(String, JSONValue)]) -> [(String, JSONValue)] {
    Dictionary(members) { _, last in last }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
