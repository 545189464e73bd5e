import Telemetry

/// A text with places for values: `{device} is {value} {unit}`.
///
/// `{event.reason}` is the property `reason` of the event that last made the rule's condition true. Only known names
/// in braces are places; other braces stay, so that JSON can be written as it is.
public struct Template: Hashable, Sendable {
  enum Part: Hashable, Sendable {
    case text(String)
    case place(Place)
    /// A property of the event that the rule waited for.
    case property(String)
  }

  public enum Place: String, Hashable, Sendable, CaseIterable {
    case value, unit, device, asset, rule, description, priority, state, time, text, source
    /// Activations whose effects were left out since the last one.
    case suppressed
  }

  let parts: [Part]
  public let source: String

  /// - Throws: the first name in braces that is none, with its nearest.
  public init(_ source: String) throws(UnknownPlace) {
    self.source = source
    var parts: [Part] = []
    var text = ""
    var rest = source[...]
    while let brace = rest.firstIndex(of: "{") {
      text += rest[..<brace]
      let inner = rest[rest.index(after: brace)...]
      let name = inner.prefix { ("a"..."z").contains($0) || $0 == "_" || $0 == "." }
      guard !name.isEmpty, inner[name.endIndex...].first == "}" else {
        text += "{"
        rest = inner
        continue
      }
      if !text.isEmpty { parts.append(.text(text)) }
      text = ""
      if let property = Self.property(name) {
        parts.append(.property(property))
      } else if let place = Place(rawValue: String(name)) {
        parts.append(.place(place))
      } else {
        throw UnknownPlace(name: String(name))
      }
      rest = inner[inner.index(after: name.endIndex)...]
    }
    text += rest
    if !text.isEmpty { parts.append(.text(text)) }
    self.parts = parts
  }

  /// `event.reason` is `reason`.
  private static func property(_ name: Substring) -> String? {
    let prefix = "event."
    guard name.hasPrefix(prefix), name.count > prefix.count else { return nil }
    return String(name.dropFirst(prefix.count))
  }

  /// Whether it is meant to be JSON.
  var isJSON: Bool {
    source.first { !$0.isWhitespace }.map { $0 == "{" || $0 == "[" } ?? false
  }

  /// Whether a property of an event is shown.
  var showsEvent: Bool {
    parts.contains { if case .property = $0 { true } else { false } }
  }

  public struct UnknownPlace: Error, Hashable, Sendable, CustomStringConvertible {
    public var name: String

    public var description: String {
      let names = Place.allCases.map(\.rawValue)
      let hint = nearestName(to: name, among: names).map { ", did you mean `{\($0)}`?" } ?? ""
      return "`{\(name)}` is nothing that can be shown\(hint)"
    }
  }

  /// The text with every place filled by `value` and every property of an event by `property`.
  func filled(_ value: (Place) -> String, property: (String) -> String) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .text(let words): text += words
      case .place(let place): text += value(place)
      case .property(let name): text += property(name)
      }
    }
    return text
  }
}

/// A number for people: at most three digits behind the point, six significant ones where it is
/// small.
func shownNumber(_ value: Double) -> String {
  guard value.isFinite else { return "\(value)" }
  guard value.magnitude < 1e15 else { return "\(value)" }
  if value == value.rounded() { return String(Int64(value)) }
  var scale = 1_000.0
  while value.magnitude * scale < 1_000, scale < 1e12 { scale *= 10 }
  return "\((value * scale).rounded() / scale)"
}
