import Telemetry

/// A text with places that a command fills: `command/{device}/{property}`.
public struct CommandTemplate: Hashable, Sendable {
  public enum Place: String, Hashable, Sendable, CaseIterable {
    case device
    case property
    case value
    /// The value as the source writes it, where the profile maps words.
    case raw
    case unit
    case id
    /// When the command stops being valid, RFC 3339.
    case expires
  }

  public enum Part: Hashable, Sendable {
    case text(String)
    case place(Place)
  }

  public var parts: [Part]

  public init(parts: [Part]) { self.parts = parts }

  /// Why a text is no template.
  public struct SyntaxError: Error, Hashable, Sendable {
    public var message: String
  }

  /// - Parameter places: those that may stand in it.
  public init(_ text: String, places: [Place]) throws(SyntaxError) {
    parts = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw SyntaxError(message: "`{` without `}` in `\(text)`")
      }
      let name = String(rest[rest.index(after: open)..<close])
      guard let place = Place(rawValue: name), places.contains(place) else {
        throw SyntaxError(message: Self.unknown(name, places: places))
      }
      parts.append(.place(place))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
  }

  private static func unknown(_ name: String, places: [Place]) -> String {
    guard isCaptureName(name) else {
      return "`{\(name.prefix(40))}` is no place; a JSON payload is written as a YAML map"
    }
    let names = places.map(\.rawValue)
    let hint = nearestName(to: name, among: names).map { ", did you mean `{\($0)}`?" }
    return "there is no place `{\(name)}` here"
      + (hint ?? "; there are \(names.map { "`{\($0)}`" }.joined(separator: ", "))")
  }

  func filled(_ text: (Place) -> String) -> String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let words): result += words
      case .place(let place): result += text(place)
      }
    }
    return result
  }
}

/// What is sent to a device: a text, or JSON in which a place that stands alone keeps its type.
public indirect enum CommandPayload: Hashable, Sendable {
  case text(CommandTemplate)
  case object([Member])
  case array([CommandPayload])
  case number(String)
  case boolean(Bool)
  case null

  public struct Member: Hashable, Sendable {
    public var name: String
    public var value: CommandPayload

    public init(name: String, value: CommandPayload) {
      self.name = name
      self.value = value
    }
  }

  /// `{"value": 1.2, "unit": "m/s", "id": "…", "expires": "…"}`.
  public static let standard = CommandPayload.object(
    [CommandTemplate.Place.value, .unit, .id, .expires].map {
      Member(name: $0.rawValue, value: .text(CommandTemplate(parts: [.place($0)])))
    })

  /// The bytes to send: a text as it is, everything else as JSON.
  func filled(_ value: (CommandTemplate.Place) -> JSONValue) -> String {
    if case .text(let template) = self { return template.filled { Self.plain(value($0)) } }
    return json(value).encoded
  }

  private func json(_ value: (CommandTemplate.Place) -> JSONValue) -> JSONValue {
    switch self {
    case .text(let template):
      if template.parts.count == 1, case .place(let place) = template.parts[0] {
        return value(place)
      }
      return .string(template.filled { Self.plain(value($0)) })
    case .object(let members): return .object(members.map { ($0.name, $0.value.json(value)) })
    case .array(let elements): return .array(elements.map { $0.json(value) })
    case .number(let digits): return .number(digits)
    case .boolean(let flag): return .bool(flag)
    case .null: return .null
    }
  }

  private static func plain(_ value: JSONValue) -> String {
    value.isNull ? "" : value.text ?? value.encoded
  }
}

/// The shortest text of a number: `80`, not `80.0`, because many small devices read whole numbers only.
func shortest(_ number: Double) -> String {
  guard number == number.rounded(), number.magnitude < 9_007_199_254_740_992 else {
    return "\(number)"
  }
  return String(Int64(number))
}

extension JSONValue {
  init(_ value: Value) {
    switch value {
    case .number(let number): self = number.isFinite ? .number(shortest(number)) : .null
    case .boolean(let flag): self = .bool(flag)
    case .text(let text): self = .string(text)
    }
  }
}

extension Value {
  /// For sentences: `1.2`, `true`, `running`.
  var shown: String {
    switch self {
    case .number(let number): shortest(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .text(let text): text
    }
  }
}
